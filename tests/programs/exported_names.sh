#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every name that libverd.a puts into the programs that link it starts with verd_.
set -eu

: "${VERD_BUILD:=.}" "${VERD_NM:=nm}"

# AddressSanitizer adds an indicator of its own to each variable, and <sys/sdt.h> a hidden mark.
names=$("$VERD_NM" --extern-only --defined-only --format=posix "$VERD_BUILD/libverd.a" |
    awk 'NF > 1 && $1 !~ /^(__odr_asan|_\.stapsdt\.base$)/ { print $1 }')

if ! echo "$names" | grep -q '^verd_context_switch$'; then
    echo "exported_names: $VERD_NM finds no verd_context_switch in $VERD_BUILD/libverd.a"
    exit 1
fi
if foreign=$(echo "$names" | grep -v '^verd_'); then
    echo "exported_names: these do not start with verd_:" $foreign
    exit 1
fi

# The hooks of libverd-patch.a take these names, and lead back to the library: its own calls have others.
taken=$(sed -nE 's/.*CALL\([a-z_ *]+, ([a-z0-9_]+),.*/\1/p' core/kernel/calls.h)
past=$("$VERD_NM" --undefined-only --format=posix -A "$VERD_BUILD/libverd.a" |
    sed -nE 's/.*[:[]([a-z0-9_]+\.[cS])\.o]?: ([a-z0-9_]+) U.*/\1 \2/p' |
    grep -vE '^(kernel|resolver|shell)\.c ')
for name in $taken open openat fcntl; do
    ! echo "$past" | grep " $name\$" || { echo "exported_names: this one calls $name itself"; exit 1; }
done
[ "$(echo "$taken" | wc -l)" -gt 50 ] && echo "$past" | grep -q ' malloc$' || exit 1
