#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libmariadb, as the system has it, is green with libverd-patch.a: its blocking calls in a hundred connections of one
# OS thread to a MariaDB of this test alone.
module=libmariadb
. tests/programs/world/begin.sh
PATH=$PATH:/usr/sbin
command -v mariadbd > /dev/null || skip "mariadb-server-core is not installed: make deps-world"

# MariaDB does not run as root.
as_other=
mkdir "$work/database"
if [ "$(id -u)" -eq 0 ]; then
    as_other='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    chmod 755 "$work"
    chown nobody:nogroup "$work/database"
fi
build mariadb
# Without privileges it needs no tables of its own.
# shellcheck disable=SC2086
serve $as_other mariadbd --no-defaults --datadir="$work/database" --socket="$work/database/socket" --skip-networking \
    --skip-grant-tables --max-connections=120 --innodb-buffer-pool-size=8M --innodb-flush-log-at-trx-commit=0
for _ in $(seq 300); do
    ! grep -q 'ready for connections' "$work/server.log" || break
    kill -0 "$server" 2> /dev/null || fail "no mariadbd"
    sleep 0.1
done
"$work/mariadb" "$work/database/socket" || fail "mariadb"
