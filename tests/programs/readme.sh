#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The echo server of the README compiles without a warning, and echoes; and every name that the README
# mentions is one of the public headers'.
set -eu

if [ "${VERD_CONFIG-}" = lto ]; then
    echo "skipped: the same text in every build, tried in the others"
    exit 77
fi
command -v bash > /dev/null || { echo "skipped: there is no bash to connect with"; exit 77; }

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT

for name in $(grep -oE '\bverd_[a-z_]*[a-z]\b' README.md | sort -u); do
    grep -qrw "$name" include || { echo "the README mentions $name, which no header has"; exit 1; }
done

# A port that was free a moment ago; another run of this may have it by now, so several are tried.
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' > "$work/readme.c"
grep -q 'verd_listen("0.0.0.0", 6000, 0)' "$work/readme.c"

for try in 1 2 3 4 5; do
    port=$((20000 + ($$ * 7 + try * 1013) % 10000))
    sed "s/\"0.0.0.0\", 6000/\"127.0.0.1\", $port/" "$work/readme.c" > "$work/echo.c"
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -Wall -Wextra -Werror -o "$work/echo" "$work/echo.c" \
        "$VERD_BUILD/libverd.a" -pthread $VERD_LDFLAGS
    "$work/echo" > /dev/null 2>&1 &
    server=$!
    if bash -c '
        for wait in $(seq 100); do
            if exec 3<> /dev/tcp/127.0.0.1/'"$port"'; then
                echo hello >&3
                read -r answer <&3 && [ "$answer" = hello ]
                exit
            fi
            sleep 0.1
        done 2> /dev/null
        exit 1'; then
        echo "the README's echo server has echoed"
        exit 0
    fi
    kill "$server" 2> /dev/null || true
done
echo "the README's echo server did not answer"
exit 1
