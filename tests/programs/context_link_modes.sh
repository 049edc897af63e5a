#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Contexts work however the library and the program are compiled and linked. context_links.c is
# built together with the sources of contexts in each way, and run.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

program=tests/programs/context_links.c
sources="arch/$VERD_ARCH/switch.S core/context/context.c core/stack/line.c core/stack/quiet.c"
includes="-Iinclude -Icore -Iarch/$VERD_ARCH"
built=0 failed=0

# Builds with the flags given and runs. The variables are lists of words.
try() {
    built=$((built + 1))
    if $VERD_CC -std=c17 -D_GNU_SOURCE $includes "$@" -o "$scratch/program" $program $sources \
        2> "$scratch/errors" && "$scratch/program"; then
        return
    fi
    echo "context_link_modes: failed with $*"
    cat "$scratch/errors"
    failed=$((failed + 1))
}

# The library as an archive of its own, and the program linked with the flags given.
try_archive() {
    rm -f "$scratch"/*.o "$scratch/libcontext.a"
    for source in $sources; do
        $VERD_CC -std=c17 -D_GNU_SOURCE $includes -O2 -fPIE -c \
            -o "$scratch/${source##*/}.o" "$source"
    done
    ar rc "$scratch/libcontext.a" "$scratch"/*.o
    built=$((built + 1))
    if ! $VERD_CC -std=c17 -D_GNU_SOURCE $includes -O2 -fPIE "$@" -o "$scratch/program" $program \
        "$scratch/libcontext.a" || ! "$scratch/program"; then
        echo "context_link_modes: failed against an archive with $*"
        failed=$((failed + 1))
    fi
}

try -O0
try -O0 -static
try -O2 -flto
try -O2 -flto -static
try -O2 -fstack-protector-all
try -O2 -fomit-frame-pointer -fno-pie -no-pie
try -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-all
try -O2 -fPIE -pie -Wl,-z,text -Wl,-z,now -Wl,--fatal-warnings
try -O2 -fPIE -static-pie
try -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections
try_archive -pie -Wl,--gc-sections -Wl,-z,text
try_archive -static -Wl,--gc-sections

case $VERD_ARCH in
x86_64)
    try -O2 -fcf-protection=none
    try -O2 -fcf-protection=full
    ;;
aarch64)
    for protection in none bti pac-ret+leaf pac-ret+b-key standard; do
        try -O2 -mbranch-protection=$protection
    done
    ;;
esac

echo "context_link_modes: $built builds, $failed failed"
[ "$failed" -eq 0 ]
