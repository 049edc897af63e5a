#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each name of libc's that <verd/posix.h> or libverd-patch.a takes is tried in the conformance run (posix_same): the cases
# that are compiled plainly call it by that name, and of those with <verd/posix.h> none is left that is libc's.
set -eu

: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_NM:=nm}"
cases=$VERD_BUILD/obj/tests/programs/posix_same
undefined() {
    "$VERD_NM" --undefined-only --format=posix "$1" | awk '{ print $1 }'
}
plain=$(undefined "$cases/plain.c.o")
green=$(undefined "$cases/green.c.o")
taken=$(sed -nE 's/^#pragma redefine_extname ([a-z0-9_]+) verd_posix_.*/\1/p' include/verd/posix.h)
# musl has these, but no names of their own.
echo "$plain" | grep -q '^open64$' || taken=$(echo "$taken" | grep -vE '64$|sysv_')

missing=
for name in $taken; do
    echo "$plain" | grep -qE "^(__)?${name#__}\$" || missing="$missing $name"
done
[ -z "$missing" ] || { echo "posix_names: not tried in posix_same:$missing"; exit 1; }
for name in $taken; do
    ! echo "$green" | grep -qx "$name" || { echo "posix_names: $name is libc's"; exit 1; }
done
[ "$(echo "$taken" | wc -l)" -gt 60 ] || { echo "posix_names: only $(echo "$taken" | wc -l)"; exit 1; }
