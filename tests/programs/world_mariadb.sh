#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libmariadb, as the system has it, is green with libverd-patch.a: its blocking calls in a hundred connections of one
# OS thread to a MariaDB of this test alone.
module=libmariadb
. tests/programs/world/begin.sh
PATH=$PATH:/usr/sbin
command -v mariadbd > /dev/null || skip "mariadb-server-core is not installed: make deps-world"

make_database
build mariadb
# Without privileges it needs no tables of its own.
# shellcheck disable=SC2086
serve $as_other mariadbd --no-defaults --datadir="$work/database" --socket="$work/database/socket" --skip-networking \
    --skip-grant-tables --max-connections=120 --innodb-buffer-pool-size=8M --innodb-flush-log-at-trx-commit=0
await_server 'ready for connections'
"$work/mariadb" "$work/database/socket" || fail "mariadb"
