#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The servers of the README compile without a warning, and answer; and every name that the README
# mentions is one of the public headers'.
set -eu

if [ "${VERD_CONFIG-}" = lto ]; then
    echo "skipped: the same text in every build, tried in the others"
    exit 77
fi
command -v bash > /dev/null || { echo "skipped: there is no bash to connect with"; exit 77; }

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT

for name in $(grep -oE '\bverd_[a-z_]*[a-z]\b' README.md | sort -u); do
    grep -qrw "$name" include || { echo "the README mentions $name, which no header has"; exit 1; }
done

# The nth piece of C, made to listen at a port, becomes a program.
build() {
    awk -v wanted="$1" '/^```c$/ { piece++; inside = 1; next }
        /^```$/ { inside = 0 }
        inside && piece == wanted' README.md |
        sed -E "s/\"0\\.0\\.0\\.0\", [0-9]+/\"127.0.0.1\", $2/" > "$work/$1.c"
    grep -q "\"127.0.0.1\", $2" "$work/$1.c"
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -Wall -Wextra -Werror -o "$work/$1" "$work/$1.c" \
        "$VERD_BUILD/libverd.a" -pthread $VERD_LDFLAGS
}

# Whether a server at a port answers a question with a line; waits until it listens.
answers() {
    bash -c '
        for wait in $(seq 100); do
            if exec 3<> "/dev/tcp/127.0.0.1/$0"; then
                printf "$1" >&3
                while read -r -t 20 line <&3; do
                    [ "${line%?}" != "$2" ] && [ "$line" != "$2" ] || exit 0
                done
                exit 1
            fi
            sleep 0.1
        done 2> /dev/null
        exit 1' "$1" "$2" "$3"
}

# Started once more, the port taken, the program ends and says why.
tells_why() {
    if timeout 60 "$work/$1" 2> "$work/why" || [ $? -eq 124 ] || ! grep -q 'in use' "$work/why"; then
        echo "the README's piece $1 does not say that it cannot start"
        exit 1
    fi
}

# A port that was free a moment ago; another run of this may have it by now, so several are tried.
try_piece() {
    for try in 1 2 3 4 5; do
        port=$((20000 + ($$ * 7 + try * 1013 + $1 * 101) % 10000))
        build "$1" "$port"
        "$work/$1" > /dev/null 2>&1 &
        server=$!
        if answers "$port" "$2" "$3"; then
            tells_why "$1"
            kill "$server"
            return
        fi
        kill "$server" 2> /dev/null || true
    done
    echo "the README's piece $1 did not answer"
    exit 1
}

try_piece 1 'hello\n' hello
echo "the README's echo server has echoed"
try_piece 2 'GET / HTTP/1.1\r\nHost: h\r\n\r\n' 'Hello world'
echo "the README's HTTP server has answered"
