#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the library tells valgrind does not hang on whether its headers were there when it was built: none of them is
# included. (sched_valgrind runs what was built.)
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/valgrind"
for header in valgrind memcheck helgrind drd; do
    echo '#error "a header of valgrind is included"' > "$work/valgrind/$header.h"
done

grep -l 'valgrind' core/*/*.c > "$work/sources"
while read -r source; do
    # shellcheck disable=SC2086
    $VERD_CC ${VERD_CFLAGS-} -I"$work" -Iinclude -Icore -Iarch/"$VERD_ARCH" -E -o /dev/null "$source"
done < "$work/sources"
