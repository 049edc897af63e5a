#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where <sys/sdt.h> was there at build time, a program has the probes that <verd/trace.h> lists, and a debugger that
# attaches to one has turns seen that nobody had asked for.
set -eu

: "${VERD_CC:=cc}" "${VERD_BUILD:?}" "${VERD_CFLAGS:=-Iinclude}" "${VERD_LDFLAGS:=}" "${VERD_ARCH:=$(uname -m)}"
skip() {
    echo "skipped: $1"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/program.c" << 'END'
#include <verd.h>

static void *sleeper(void *arg)
{
    for (int i = 0; i < 3; i++)
        verd_sleep(VERD_MS);
    return arg;
}

int main(void)
{
    verd_attr attr = {.name = "sleeper"};
    return verd_join(verd_spawn_with(&attr, sleeper, 0), 0);
}
END
# shellcheck disable=SC2086
echo '#include <sys/sdt.h>' | $VERD_CC $VERD_CFLAGS -x c -E -o /dev/null - 2> /dev/null ||
    skip 'this compiler finds no <sys/sdt.h>'
# shellcheck disable=SC2086
$VERD_CC $VERD_CFLAGS -o "$scratch/program" "$scratch/program.c" "$VERD_BUILD/libverd.a" $VERD_LDFLAGS -pthread

found=$(readelf -n "$scratch/program" | sed -n 's/^ *Name: //p' | sort -u | tr '\n' ' ')
listed=$(sed -n 's/^ \* *\([a-z_]*\)(.*).*  .*/\1/p; ' include/verd/trace.h |
    grep -E '^(turn|ready|look)' | sort -u | tr '\n' ' ')
[ "$found" = "$listed" ] || { echo "probes: the file has $found, the header $listed"; exit 1; }

command -v gdb > /dev/null || skip 'there is no gdb'
[ "$VERD_ARCH" = "$(uname -m)" ] || skip "gdb does not run programs of $VERD_ARCH"
# LeakSanitizer has no business beside a debugger.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 gdb -q -batch -nx -ex 'set breakpoint pending off' -ex 'break -probe-stap verd:turn_end' \
    -ex 'run' -ex 'continue' \
    -ex 'printf "turn of %d, %d, %s\n", (int)$_probe_arg0, (int)$_probe_arg1, (char *)$_probe_arg2' \
    -ex 'delete' -ex 'continue' "$scratch/program" > "$scratch/out" 2>&1 < /dev/null || :
grep -q 'turn of [01], 1, \(a point in time\|the end of a thread\)' "$scratch/out" ||
    { echo 'probes: gdb has seen no turn:'; cat "$scratch/out"; exit 1; }
grep -q 'exited normally' "$scratch/out" || { echo 'probes: the program has not gone on'; exit 1; }
