#!/bin/sh
# SPDX-License-Identifier: MIT
#
# SQLite, as the system has it, is green with libverd-patch.a if it gets mutexes that are green, too; and what
# <verd/patch.h> says of those of libc holds for it.
module=sqlite3
. tests/programs/world/begin.sh
build sqlite3
for journal in delete wal; do
    "$work/sqlite3" "$work/$journal.db" $journal || fail "sqlite3"
done
if timeout --foreground --kill-after=5 3 "$work/sqlite3" "$work/plain.db" delete plain > "$work/plain.log" 2>&1; then
    echo "sqlite3: with libc's mutexes it got to the end, this time"
else
    [ $? -eq 124 ] || fail "sqlite3 with libc's mutexes"
    echo "sqlite3: with libc's mutexes it stands still for ever"
fi
