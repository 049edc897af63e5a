#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A debugger steps through switches one instruction at a time, from the first one into a fresh
# context on, and its backtrace is the right one after each step. Not all compilers describe the ends
# of the functions that they compile, so only what is written by hand counts.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}"
scratch=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator"; rm -rf "$scratch"' EXIT

skip() {
    echo "debugger_stepping: $1"
    exit 77
}

if [ "$VERD_ARCH" = "$(uname -m)" ]; then
    gdb=gdb
else
    gdb=gdb-multiarch
    command -v "qemu-$VERD_ARCH" > /dev/null || skip "there is no qemu-$VERD_ARCH"
fi
command -v "$gdb" > /dev/null || skip "there is no $gdb"

cat > "$scratch/steps.c" << 'END'
#include <verd/context.h>

verd_context here, there;
char stack[65536];

__attribute__((noinline)) void inside(void *value)
{
    for (;;)
        value = verd_context_switch(&there, &here, value);
}

__attribute__((noinline)) void outside(void)
{
    verd_context_switch(&here, &there, 0);
    __asm__ volatile("");
}

__attribute__((noinline)) void finished(void)
{
    __asm__ volatile("");
}

int main(void)
{
    verd_context_make(&there, stack, sizeof stack, inside);
    outside();
    outside();
    outside();
    finished();
    return 0;
}
END

case $VERD_ARCH in
x86_64) harden=-fcf-protection ;;
*) harden=-mbranch-protection=standard ;;
esac
# Words, not a word: the compiler may come with flags.
$VERD_CC -std=c17 -D_GNU_SOURCE -O1 -g -static $harden -Iinclude -Icore -I"arch/$VERD_ARCH" \
    -o "$scratch/steps" "$scratch/steps.c" "arch/$VERD_ARCH/switch.S" core/context/context.c \
    core/stack/line.c core/stack/quiet.c

# Every step prints where it is, which stack is current, and the backtrace.
cat > "$scratch/commands" << 'END'
while (unsigned long)$pc != (unsigned long)&finished
  printf "== %d\n", (char *)$sp >= &stack[0] && (char *)$sp <= &stack[0] + sizeof(stack)
  bt
  stepi
end
kill
END

if [ "$gdb" = gdb ]; then
    set -- -ex 'break outside' -ex run
else
    # A processor that cannot sign: the emulator does not tell the debugger which bits a signature
    # takes.
    "qemu-$VERD_ARCH" -cpu cortex-a72 -g "$scratch/socket" "$scratch/steps" &
    emulator=$!
    while [ ! -S "$scratch/socket" ]; do
        sleep 0.1
    done
    set -- -ex "target remote $scratch/socket" -ex 'break outside' -ex continue
fi
"$gdb" -nx -batch -ex 'set confirm off' -ex 'set width 0' -ex 'set backtrace limit 20' \
    -ex 'set debuginfod enabled off' "$@" -x "$scratch/commands" "$scratch/steps" \
    > "$scratch/log" 2>&1 < /dev/null || true
emulator=

if ! grep -q '^== ' "$scratch/log"; then
    tail -n 3 "$scratch/log"
    skip "$gdb cannot trace a process here"
fi

awk '
    function check() {
        if (step == 0)
            return
        good = !strange && last == (on_stack ? "verd__context_start" : "main")
        if (on_stack && depth > 1 && before_last != "inside")
            good = before_last == "verd_context_switch" && good
        if (first == "verd_context_switch" && on_stack)
            switched++
        if (!good && first ~ /^verd_/) {
            bad++
            print "step " step ":\n" text
        }
    }
    /^== / { check(); step++; on_stack = $2; depth = 0; strange = 0; text = ""; next }
    { text = text $0 "\n" }
    /^#/ {
        name = $2 ~ /^0x/ ? $4 : $2
        sub(/\./, "__", name) # gdb may take two underscores for a name of Ada
        if (depth++ == 0)
            first = name
        before_last = last
        last = name
    }
    /\?\?|corrupt|Backtrace stopped|Cannot access/ { strange = 1 }
    END {
        check()
        print "debugger_stepping: " step " steps, " switched + 0 " of them in the switch on the " \
            "new stack, " bad + 0 " wrong"
        exit bad > 0 || switched < 8
    }' "$scratch/log"
