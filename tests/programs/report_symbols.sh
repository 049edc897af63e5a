#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A report names the function of a thread that has no name, static as it may be; of a program that was stripped it has the
# address. So it is however the program was linked.
set -eu

: "${VERD_CC:=cc}" "${VERD_NM:=nm}" "${VERD_BUILD:?}" "${VERD_CONFIG:=release}" "${VERD_CFLAGS:=-Iinclude}" "${VERD_LDFLAGS:=}" "${VERD_MUSL:=}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/program.c" << 'END'
#include <verd.h>

static void *wait_for_ever(void *arg)
{
    verd_park();
    return arg;
}

int main(void)
{
    verd_spawn(wait_for_ever, NULL);
    verd_yield();
    verd_report();
    return 0;
}
END

# $1: what stands for the function. Further: how to link
expect() {
    pattern=$1
    shift
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS "$@" -o "$scratch/program" "$scratch/program.c" "$VERD_BUILD/libverd.a" \
        $VERD_LDFLAGS -pthread
    "$scratch/program" 2> "$scratch/report" ||
        { echo "report_symbols: with $* the program fails"; exit 1; }
    grep -q "thread 1 ($pattern) waits for" "$scratch/report" && return
    echo "report_symbols: with $* there is no ($pattern):"
    cat "$scratch/report"
    exit 1
}

# What the report of a stripped program says is what the file with symbols says; $1: how to link
expect_addresses() {
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS "$1" -o "$scratch/symbols" "$scratch/program.c" "$VERD_BUILD/libverd.a" \
        $VERD_LDFLAGS -pthread
    expect 'program+0x[0-9a-f]*' "$1" -s
    there=$(sed -n 's/.*thread 1 (program+0x\([0-9a-f]*\)).*/\1/p' "$scratch/report")
    "$VERD_NM" "$scratch/symbols" | grep -q "^0*$there [tT] wait_for_ever" ||
        { echo "report_symbols: $1: wait_for_ever is not at $there"; exit 1; }
    command -v addr2line > /dev/null || return 0
    for there in $(sed -n 's/.* at program+\(0x[0-9a-f]*\)$/\1/p' "$scratch/report"); do
        addr2line -f -i -e "$scratch/symbols" "$there" # with who was inlined there
    done > "$scratch/calls"
    grep -qx 'main' "$scratch/calls" || { echo "report_symbols: $1: no call of main"; exit 1; }
}

expect 'wait_for_ever[.a-z0-9_]*'
expect 'program+0x[0-9a-f]*' -s
# As its wrapper of the compiler has it, musl's is not to be linked in another way.
[ -z "$VERD_MUSL" ] || exit 0
expect 'wait_for_ever[.a-z0-9_]*' -pie
expect 'wait_for_ever[.a-z0-9_]*' -no-pie
expect 'program+0x[0-9a-f]*' -pie -s
expect 'program+0x[0-9a-f]*' -no-pie -s
expect_addresses -pie
expect_addresses -no-pie
case $VERD_CONFIG in
release | debug | lto) expect 'wait_for_ever[.a-z0-9_]*' -static ;;
esac
