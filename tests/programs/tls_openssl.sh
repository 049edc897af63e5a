#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example of HTTPS serves itself, curl and openssl s_client, fetches from openssl s_server, and
# trusts nobody whom it should not.
set -eu

example=$VERD_BUILD/examples/tls_openssl
[ -z "${QEMU_LD_PREFIX-}" ] || { echo "skipped: OpenSSL is that of this machine alone"; exit 77; }
[ -x "$example" ] || { echo "skipped: OpenSSL is not installed for this compiler"; exit 77; }
command -v openssl > /dev/null || { echo "skipped: there is no openssl to make a certificate"; exit 77; }

work=$(mktemp -d)
server= peer=
trap 'kill $server $peer 2> /dev/null || true; rm -rf "$work"' EXIT
cert=$work/cert.pem

fail() {
    echo "$*"
    cat "$work"/*.log
    exit 1
}

# The port that a log tells of, once it does.
port_in() {
    for _ in $(seq 100); do
        port=$(sed -nE "$2" "$1" | head -n 1)
        [ -z "$port" ] || { echo "$port"; return; }
        sleep 0.1
    done
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
    -keyout "$work/key.pem" -out "$cert" -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost > "$work/req.log" 2>&1 || fail "no certificate"

"$example" serve 0 "$cert" "$work/key.pem" > "$work/server.log" 2>&1 &
server=$!
port=$(port_in "$work/server.log" 's/.*listening on port ([0-9]+)/\1/p')
[ -n "$port" ] || fail "the example does not serve"

answer=$("$example" get "https://localhost:$port/itself" "$cert" 2>&1) || fail "itself: $answer"
[ "$answer" = "/itself over TLS" ] || fail "itself: $answer"
# $1: what must not be trusted; $2: its URL; $3: what the line says; then what else to give
refuses() {
    what=$1 url=$2 why=$3
    shift 3
    if answer=$("$example" get "$url" "$@" 2>&1); then
        fail "$what was trusted: $answer"
    fi
    echo "$answer" | grep -qiE "^tls_openssl: $url: .*$why" || fail "$what: $answer"
}
refuses "a certificate for another address" "https://127.0.0.1:$port/" "IP address mismatch" "$cert"
refuses "a certificate of nobody's" "https://localhost:$port/" "self.signed certificate"
refuses "nobody" "https://localhost:1/" "Connection refused" "$cert"

openssl req -x509 -new -key "$work/key.pem" -days 9 -out "$work/other.pem" -subj /CN=elsewhere.example \
    -addext subjectAltName=DNS:elsewhere.example > "$work/req.log" 2>&1 || fail "no certificate"
"$example" serve 0 "$work/other.pem" "$work/key.pem" > "$work/other.log" 2>&1 &
peer=$!
other=$(port_in "$work/other.log" 's/.*listening on port ([0-9]+)/\1/p')
refuses "a certificate for another name" "https://localhost:$other/" "hostname mismatch" "$work/other.pem"
kill "$peer"
"$VERD_BUILD/examples/origin" 0 > "$work/origin.log" 2>&1 &
peer=$!
plain=$(port_in "$work/origin.log" 's/.*listening on port ([0-9]+)/\1/p')
refuses "a server without TLS" "https://localhost:$plain/" "(wrong version number|packet length too long)" "$cert"
kill "$peer"
grep -q 'a client: .*alert' "$work/server.log" || fail "the server does not say who has refused it"
echo "the example serves itself"

printf 'GET /s_client HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n' |
    timeout 20 openssl s_client -quiet -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$cert" > "$work/s_client.txt" 2> "$work/s_client.log" || true
grep -q '^/s_client over TLS' "$work/s_client.txt" || fail "openssl s_client"
echo "it serves openssl s_client"

if command -v curl > /dev/null && curl --version | grep -q https; then
    head -c 300000 /dev/zero | tr '\0' x > "$work/body"
    { echo "/curl over TLS"; cat "$work/body"; } > "$work/expected"
    curl --silent --show-error --max-time 20 --cacert "$cert" --data-binary "@$work/body" \
        "https://localhost:$port/curl" > "$work/answer" 2> "$work/curl.log" || fail "curl"
    cmp "$work/expected" "$work/answer" || fail "curl"
    echo "it serves curl"
fi

openssl s_server -accept 0 -cert "$cert" -key "$work/key.pem" -www < /dev/null > "$work/s_server.log" 2>&1 &
peer=$!
port=$(port_in "$work/s_server.log" 's/^ACCEPT .*:([0-9]+)$/\1/p')
if [ -n "$port" ]; then
    "$example" get "https://localhost:$port/" "$cert" > "$work/page" 2> "$work/get.log" || fail "s_server"
    grep -q 's_server' "$work/page" || fail "s_server"
    echo "it fetches from openssl s_server"
fi

# A page that goes to the end of the connection is whole if TLS has said that this is the end.
if python3 -c 'import ssl' 2> /dev/null; then
    cat > "$work/cut.py" << 'END'
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
    kill "$peer" 2> /dev/null || true
    python3 -u "$work/cut.py" "$cert" "$work/key.pem" > "$work/cut.log" 2>&1 &
    peer=$!
    port=$(port_in "$work/cut.log" 's/^port ([0-9]+)$/\1/p')
    [ -n "$port" ] || fail "no server of python3's"
    page=$("$example" get "https://localhost:$port/whole" "$cert" 2> "$work/get.log") || fail "an end"
    [ "$page" = whole ] || fail "an end: $page"
    if "$example" get "https://localhost:$port/cut" "$cert" > "$work/page" 2> "$work/cut.txt"; then
        fail "a page that was cut off was taken for whole"
    fi
    grep -q 'Connection reset' "$work/cut.txt" || fail "cut off: $(cat "$work/cut.txt")"
    echo "it takes no page that was cut off for whole"
fi
