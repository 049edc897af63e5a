#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Source for POSIX threads does the same with green threads: the program in tests/programs/pthread_conformance,
# compiled plainly and with <verd/posix.h> and <verd/pthread.h>, says the same lines, and what POSIX and libc want.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_CC:=cc}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -Iinclude}" "${VERD_LDFLAGS:=}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "pthread_conformance: $*"
    exit 1
}

# $1: its name. What follows are flags.
build() {
    name=$1
    shift
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -Wall -Wextra -Wno-unused-result "$@" tests/programs/pthread_conformance/*.c -o "$work/$name" \
        $VERD_LDFLAGS -pthread "$VERD_BUILD/libverd.a" || fail "$name does not build"
    "$work/$name" > "$work/$name.out" || fail "$name ends with $?: $(tail -n 3 "$work/$name.out")"
    ! grep 'expected' "$work/$name.out" || fail "$name is wrong"
}

# What libc says itself: sanitizers have functions of their own in its place, which refuse what it answers.
build plain -fno-sanitize=all
[ "$(wc -l < "$work/plain.out")" -gt 200 ] || fail "it says too little"
build green -include verd/posix.h -include verd/pthread.h
diff "$work/plain.out" "$work/green.out" || fail "they differ"
build fortified -include verd/posix.h -include verd/pthread.h -O2 -D_FORTIFY_SOURCE=2
diff "$work/plain.out" "$work/fortified.out" || fail "they differ"

# All of it is the library's.
! "${VERD_NM:-nm}" "$work/green" | grep -qw verd_pthread_mutex_lock || exit 0
fail "the library's functions are not called"
