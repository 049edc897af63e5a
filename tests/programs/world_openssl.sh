#!/bin/sh
# SPDX-License-Identifier: MIT
#
# OpenSSL, as the system has it, is green with libverd-patch.a: its blocking calls over sockets, in both roles.
module=openssl
. tests/programs/world/begin.sh
build openssl
make_certificate
"$work/openssl" "$work/cert.pem" "$work/key.pem" || fail "openssl"

# The other end is not ours: one of them at a time.
timeout --foreground --kill-after=5 110 openssl s_server -accept 0 -naccept 2 -cert "$work/cert.pem" \
    -key "$work/key.pem" -rev > "$work/server.log" 2>&1 < /dev/null &
server=$!
for _ in $(seq 100); do
    port=$(sed -nE 's/^ACCEPT .*:([0-9]+)$/\1/p' "$work/server.log" | head -n 1)
    [ -z "$port" ] || break
    sleep 0.1
done
[ -n "$port" ] || fail "no openssl s_server"
"$work/openssl" "$work/cert.pem" "$port" || fail "openssl s_server"
