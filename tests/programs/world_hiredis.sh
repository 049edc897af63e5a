#!/bin/sh
# SPDX-License-Identifier: MIT
#
# hiredis, as the system has it, is green with libverd-patch.a: its blocking calls in 200 connections of one OS thread.
module=hiredis
. tests/programs/world/begin.sh
command -v redis-server > /dev/null || skip "redis-server is not installed: make deps-world"
build hiredis

# It takes no port 0; another process may have the one that is tried.
for _ in 1 2 3 4 5; do
    port=$(shuf -i 20000-32000 -n 1)
    serve redis-server --bind 127.0.0.1 --port "$port" --unixsocket "$work/socket" --dir "$work" --save '' \
        --appendonly no --maxclients 500
    for _ in $(seq 100); do
        [ ! -S "$work/socket" ] || break 2
        kill -0 "$server" 2> /dev/null || break
        sleep 0.1
    done
done
[ -S "$work/socket" ] || fail "no redis-server"
"$work/hiredis" "$work/socket" "$port" || fail "hiredis"
