#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The TLS example serves curl and openssl s_client, and fetches from itself and from openssl s_server;
# it trusts no certificate but the right one, and takes no page that was cut off for a whole one.
set -eu

example=$VERD_BUILD/examples/tls_openssl
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2> /dev/null || true; done; rm -rf "$work"' EXIT

skip() { echo "skipped: $1"; exit 77; }
fail() { echo "$1"; cat "$work"/*.log 2> /dev/null; exit 1; }

status=0
"$example" > "$work/said" 2>&1 || status=$?
[ $status -ne 77 ] || skip "$(cat "$work/said")"
command -v openssl > /dev/null || skip "there is no openssl to make a certificate with"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 1 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2> /dev/null ||
    fail "openssl makes no certificate"

# Starts a server, and waits until it says its port in the file: "port N", or as s_server "ACCEPT ...:N".
start() {
    said=$work/$1.log
    shift
    "$@" > "$said" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 600); do
        port=$(sed -nE 's/.*(port |ACCEPT .*:)([0-9]+).*/\2/p' "$said" | head -n 1)
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    fail "no port: $*"
}

start serve "$example" serve 0 "$work/cert.pem" "$work/key.pem"
own=$port

# ---- as a client ----

for host in localhost 127.0.0.1; do
    "$example" get "https://$host:$own/" "$work/cert.pem" | grep -q '^TLSv1' ||
        fail "nothing from itself as $host"
done
! "$example" get "https://localhost:$own/" 2> "$work/refusal" || fail "it trusts everyone"
grep -q 'self.signed certificate' "$work/refusal" || fail "another reason: $(cat "$work/refusal")"
! "$example" get "https://127.0.0.2:$own/" "$work/cert.pem" 2> "$work/refusal" ||
    fail "it takes a certificate of another host's"
grep -q 'IP address mismatch' "$work/refusal" || fail "another reason: $(cat "$work/refusal")"

start s_server openssl s_server -www -accept 127.0.0.1:0 -cert "$work/cert.pem" -key "$work/key.pem"
"$example" get "https://localhost:$port/" "$work/cert.pem" | grep -q 's_server' ||
    fail "nothing from openssl s_server"

# ---- as a server ----

printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
    openssl s_client -quiet -CAfile "$work/cert.pem" -verify_return_error \
        -connect "127.0.0.1:$own" 2> "$work/s_client.log" > "$work/page" || true
grep -q '^TLSv1' "$work/page" || fail "openssl s_client got no page"

if command -v curl > /dev/null; then
    dd if=/dev/urandom of="$work/sent" bs=1024 count=2000 2> /dev/null
    for version in --tlsv1.2 --tlsv1.3; do
        curl --silent --show-error --max-time 60 $version --cacert "$work/cert.pem" \
            --data-binary "@$work/sent" "https://localhost:$own/" -o "$work/got" \
            --next --silent --cacert "$work/cert.pem" "https://localhost:$own/" -o "$work/page" ||
            fail "curl $version failed"
        cmp "$work/sent" "$work/got" || fail "curl $version got something else"
        grep -q '^TLSv1' "$work/page" || fail "curl $version got no page"
    done
else
    echo "without curl, which is not installed"
fi

# ---- a page without its end ----

if python3 -c 'import ssl' 2> /dev/null; then
    cat > "$work/cut.py" <<'END'
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(('127.0.0.1', 0))
print('port %d' % listener.getsockname()[1], flush=True)
while True:
    client = context.wrap_socket(listener.accept()[0], server_side=True)
    path = client.recv(4096).split()[1]
    client.sendall(b'HTTP/1.1 200 OK\r\n\r\nwhole')
    if path == b'/whole':
        client = client.unwrap()
    client.close()
END
    start cut python3 -u "$work/cut.py" "$work/cert.pem" "$work/key.pem"
    whole=$("$example" get "https://localhost:$port/whole" "$work/cert.pem")
    [ "$whole" = whole ] || fail "a page to the end of the connection is not read"
    ! "$example" get "https://localhost:$port/cut" "$work/cert.pem" 2> "$work/refusal" ||
        fail "half a page was taken for the whole"
    grep -q 'reset' "$work/refusal" || fail "another reason: $(cat "$work/refusal")"
else
    echo "without python3, which is not installed"
fi
echo "served, fetched and refused"
