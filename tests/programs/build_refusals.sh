#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a build cannot be is told in one line and with status 2, before anything is done.
set -eu
. tests/support/small-tree

# $1: what the line has to say. Make's own line, of which target it was, may follow.
expect_refusal() {
    say=$1
    shift
    before=$(find . "$work/root" 2> /dev/null | sort)
    status=0
    make -j2 "$@" > "$work/out" 2>&1 < /dev/null || status=$?
    [ "$status" -eq 2 ] || fail "make $*: status $status: $(cat "$work/out")"
    grep -v '^make: \*\*\* \[\|Waiting for unfinished jobs' "$work/out" > "$work/lines" || true
    [ "$(wc -l < "$work/lines")" -eq 1 ] || fail "make $*: more than a line: $(cat "$work/out")"
    grep -q "$say" "$work/lines" || fail "make $*: says $(cat "$work/lines"), not $say"
    after=$(find . "$work/root" 2> /dev/null | grep -v '^\./build' | sort)
    [ "$(echo "$before" | grep -v '^\./build')" = "$after" ] || fail "make $* has left something"
    ! find build -name '*.o' 2> /dev/null | grep . || fail "make $* has built something"
}

expect_refusal 'ARCH=z80: expected one of' ARCH=z80
expect_refusal 'ARCH=: expected one of' ARCH=
expect_refusal 'CONFIG=fast: expected one of release debug' CONFIG=fast
expect_refusal 'CONFIG=release debug: expected' CONFIG='release debug'
expect_refusal 'CONFIG=%: expected' CONFIG=%
expect_refusal 'HUB=selct: expected one of epoll poll' HUB=selct
expect_refusal 'HUB=: expected one of' HUB= test
expect_refusal 'PROGRAM=none: ' test PROGRAM=none
expect_refusal 'CC is empty' CC=
expect_refusal 'CC=no_compiler cannot build libverd: there is no such program' CC=no_compiler
expect_refusal 'CC=true cannot build libverd: it is no C compiler' CC=true
expect_refusal 'CC=cat cannot build libverd: ' CC=cat
expect_refusal 'cannot build libverd: .*-fno-such-flag' CFLAGS=-fno-such-flag
[ "$(uname -m)" != x86_64 ] || expect_refusal 'libverd needs a 64-bit program' CFLAGS=-m32
[ "$(uname -m)" != x86_64 ] || expect_refusal 'libverd needs a 64-bit program' CC='cc -m32'
! command -v tcc > /dev/null || expect_refusal 'CC=tcc cannot build libverd' CC=tcc

# Older tools than these, each by what the headers or make know it by.
expect_refusal 'libverd needs gcc 10' CPPFLAGS='-U__clang__ -U__GNUC__ -D__GNUC__=9'
expect_refusal 'libverd needs clang 11' CPPFLAGS='-U__clang__ -U__clang_major__ -D__clang__ -D__clang_major__=10'
expect_refusal 'libverd needs gcc or clang' CPPFLAGS=-U__GNUC__
expect_refusal 'libverd needs Linux"' CPPFLAGS=-U__linux__
expect_refusal 'libverd needs GNU make 4.3' .FEATURES=undefine

# $1: the line. $2: a header of the system, after which stands what comes on stdin
expect_refusal_of() {
    rm -rf "$work/old"
    mkdir -p "$work/old/${2%/*}"
    { echo "#include_next <$2>" && cat; } > "$work/old/$2"
    expect_refusal "$1" CPPFLAGS="-isystem $work/old"
}

expect_refusal_of 'libverd needs the headers of Linux 5.10' linux/version.h << 'END'
#undef LINUX_VERSION_CODE
#define LINUX_VERSION_CODE 0x0509ff
END
expect_refusal_of 'libverd needs glibc 2.31' sys/random.h << 'END'
#undef __GLIBC_MINOR__
#define __GLIBC_MINOR__ 30
END
expect_refusal_of 'libverd needs musl 1.2.2' sys/random.h << 'END'
#undef __GLIBC__
#undef GRND_INSECURE
END

# Each header by itself says it.
for header in include/verd.h include/verd/*.h; do
    cc -D_GNU_SOURCE -U__linux__ -Iinclude -E "$header" 2>&1 > /dev/null |
        grep -q 'libverd needs Linux' || fail "$header does not look at the platform"
done

for target in install uninstall; do
    expect_refusal 'PREFIX is empty' $target DESTDIR="$work/root" PREFIX=
    expect_refusal 'LIBDIR is empty' $target DESTDIR="$work/root" LIBDIR=
done

# A compiler of which there is no Criterion.
mkdir tests/pool
echo '#include <criterion/criterion.h>' > tests/pool/none.c
mkdir "$work/none" "$work/none/criterion"
echo '#error "not here"' > "$work/none/criterion/criterion.h"
expect_refusal 'no Criterion.*make deps' test CPPFLAGS=-I"$work/none"
rm -r build

# A tree that nobody may write to, root included.
touch build
expect_refusal 'cannot build here'

# A file of assembly that is compiled by hand says it, too.
if [ "$(uname -m)" = x86_64 ]; then
    cc -m32 -Iinclude -Iarch/x86_64 -c -o "$work/object.o" arch/x86_64/switch.S 2> "$work/out" &&
        fail "assembly was built with -m32"
    [ "$(grep -c 'error: ' "$work/out")" -eq 1 ] || fail "assembly with -m32: $(cat "$work/out")"
fi
