#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libpq, as the system has it, is green with libverd-patch.a: its blocking calls in a hundred connections of one OS
# thread to a PostgreSQL of this test alone.
module=libpq
. tests/programs/world/begin.sh
programs=
for initdb in "$(command -v initdb)" /usr/lib/postgresql/*/bin/initdb; do
    [ ! -x "$initdb" ] || programs=$(dirname "$initdb")
done
[ -n "$programs" ] || skip "postgresql is not installed: make deps-world"

make_database
build libpq
# shellcheck disable=SC2086
(cd "$work/database" && LC_ALL=C timeout --kill-after=5 60 $as_other "$programs/initdb" --no-sync --auth=trust \
    --username=verd --pgdata="$work/database/data") > "$work/initdb.log" 2>&1 < /dev/null || fail "initdb"
# shellcheck disable=SC2086
serve $as_other "$programs/postgres" -D "$work/database/data" -F -k "$work/database" -c listen_addresses= \
    -c max_connections=120 -c shared_buffers=8MB
await_server 'ready to accept'
"$work/libpq" "host=$work/database user=verd dbname=postgres" || fail "libpq"
