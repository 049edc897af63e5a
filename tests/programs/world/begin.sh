# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2046,SC2086,SC2154
#
# What the programs of unmodified libraries begin with: `module=NAME; . tests/programs/world/begin.sh`. Skips
# where the library, as pkg-config calls it, or one of the servers is not there; makes $work; and ends $server, the
# process, however the script ends.
set -eu

name=$(basename "$0" .sh)
: "${VERD_BUILD:=build/$(uname -m)-release}" "${VERD_CC:=cc}" "${VERD_CONFIG:=release}"
: "${VERD_CFLAGS:=-std=c17 -D_GNU_SOURCE -Iinclude}" "${VERD_LDFLAGS:=}"

skip() {
    echo "$name: skipped: $*"
    exit 77
}
fail() {
    echo "$name: $*"
    cat "$work"/*.log
    exit 1
}

[ -z "${QEMU_LD_PREFIX-}" ] || skip "the libraries are those of this machine alone"
case " $VERD_CC $VERD_LDFLAGS " in
*' -static'* | *musl*) skip "the libraries are shared objects of glibc's" ;;
esac
case $VERD_CONFIG in
release | asan) ;;
*) skip "a release and one with AddressSanitizer are enough" ;;
esac
pkg-config --exists $module 2> /dev/null || skip "$module is not installed: make deps-world"

work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2> /dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
: > "$work/server.log"

# Starts a server that ends by itself after a while, and has nothing of the caller's.
serve() {
    timeout --foreground --kill-after=5 110 "$@" > "$work/server.log" 2>&1 < /dev/null &
    server=$!
}

# Waits until the server has said so.
await_server() {
    for _ in $(seq 300); do
        ! grep -q "$1" "$work/server.log" || return 0
        kill -0 "$server" 2> /dev/null || break
        sleep 0.1
    done
    fail 'no server'
}

# Makes $work/database, and $as_other to run what it is for: servers of databases do not run as root.
make_database() {
    as_other=
    mkdir "$work/database"
    [ "$(id -u)" -eq 0 ] || return 0
    as_other='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    chmod 755 "$work"
    chown nobody:nogroup "$work/database"
}

# Builds a program of this directory, patched, as $work/$1.
build() {
    $VERD_CC $VERD_CFLAGS -Wall -Wextra $(pkg-config --cflags $module) -o "$work/$1" \
        "tests/programs/world/$1.c" -L"$VERD_BUILD" -Wl,--whole-archive,-lverd-patch,--no-whole-archive \
        -l:libverd.a -pthread $(pkg-config --libs $module) $VERD_LDFLAGS > "$work/build.log" 2>&1 ||
        fail "cannot build $1"
}

# Makes cert.pem of localhost and its key.pem, in $work.
make_certificate() {
    command -v openssl > /dev/null || skip "openssl is not installed: make deps"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -keyout "$work/key.pem" \
        -out "$work/cert.pem" -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 > "$work/req.log" 2>&1 ||
        fail "no certificate"
}

# What libraries keep until a process ends is not ours to mend.
ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
export ASAN_OPTIONS
