#!/bin/sh
# SPDX-License-Identifier: MIT
#
# zlib's gzFile, as the system has it, is green with libverd-patch.a: of files, and of pipes, for which it waits.
module=zlib
. tests/programs/world/begin.sh
build zlib
"$work/zlib" "$work" || fail "zlib"
! command -v gzip > /dev/null || gzip --test "$work"/*.gz || fail "gzip finds a file broken"
