#!/bin/sh
# SPDX-License-Identifier: MIT
#
# perf, by frame pointers and by unwind tables, finds the way from what a green thread does to the thread's function and
# to the base of its stack, and does not go on to who spawned it. (What it sees of idling: tests/sched/profiler.c.)
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}" "${VERD_BUILD:=build/$VERD_ARCH-release}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer -Iinclude}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

skip() {
    echo "profiler_perf: $1"
    exit 77
}

[ "$VERD_ARCH" = "$(uname -m)" ] || skip 'perf sees an emulator, not what it emulates'
command -v perf > /dev/null || skip 'perf is not installed'
# It counts time: not every machine lets it count cycles.
perf record -q -e cpu-clock -g -o "$scratch/data" true > /dev/null 2>&1 || skip 'perf is not allowed to record here'

cat > "$scratch/program.c" << 'END'
#include <verd.h>

volatile unsigned long sum;

__attribute__((noinline)) void innermost(void)
{
    for (unsigned long i = 0; i < 20000000; i++)
        sum += i;
}

__attribute__((noinline)) void between(void)
{
    innermost();
    __asm__ volatile("");
}

/* It has waited in between, so it comes from a switch, too. */
__attribute__((noinline)) void *green(void *arg)
{
    for (int i = 0; i < 10; i++) {
        between();
        verd_sleep(VERD_MS);
    }
    return arg;
}

int main(void)
{
    return verd_join(verd_spawn(green, NULL), NULL);
}
END
# Words, not a word: the compiler and its flags.
$VERD_CC $VERD_CFLAGS -o "$scratch/program" "$scratch/program.c" "$VERD_BUILD/libverd.a" -pthread ${VERD_LDFLAGS-}

failed=0
ways='fp dwarf'
[ -z "${VERD_MUSL-}" ] || ways=fp # what its compiler links has no table that perf looks for
for way in $ways; do
    perf record -q -e cpu-clock --call-graph "$way" -o "$scratch/data" "$scratch/program" > "$scratch/log" 2>&1 || {
        cat "$scratch/log"
        skip "perf cannot record by $way"
    }
    perf script -i "$scratch/data" -F ip,sym 2> /dev/null | awk -v way="$way" '
        function check() {
            if (!within)
                return
            samples++
            if (!thread || !base || spawner) {
                wrong++
                example = text
            }
        }
        /^$/ { check(); within = thread = base = spawner = 0; text = ""; next }
        { text = text $0 "\n" }
        $2 == "innermost" { within = 1 }
        $2 == "green" { thread = 1 }
        # Where the library is optimised, or announces switches, the base has other names.
        $2 ~ /^(verd__context_base|verd__context_start|stack_main)$/ { base = 1 }
        $2 == "main" { spawner = 1 }
        END {
            check()
            print "profiler_perf: by " way ": " samples + 0 " samples, " wrong + 0 " wrong"
            if (wrong > 0)
                print example
            exit wrong > 0 || samples < 10
        }' || failed=1
done
exit $failed
