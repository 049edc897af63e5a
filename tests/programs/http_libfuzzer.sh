#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The target of http_fuzz under libFuzzer, with AddressSanitizer and UndefinedBehaviorSanitizer, from
# its seeds: ten seconds in CI, two elsewhere.
set -eu

if [ "$VERD_ARCH" != "$(uname -m)" ] || [ "${VERD_CONFIG-}" != release ] || [ "$VERD_HUB" != epoll ]; then
    echo "skipped: the same in every build, tried in the native release"
    exit 77
fi
case ${VERD_CC-} in
*clang*)
    echo "skipped: the same in every build, tried in gcc's"
    exit 77
    ;;
esac
if [ "$(ulimit -v)" != unlimited ]; then
    echo "skipped: the address space is limited"
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/corpus"

if ! clang -std=c17 -D_GNU_SOURCE -Iinclude -Icore -g -O1 \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o "$work/fuzz" \
    tests/programs/http_fuzz/target.c tests/programs/http_fuzz/url.c tests/programs/http_fuzz/form.c \
    tests/programs/http_fuzz/websocket.c tests/programs/http_fuzz/strict.c \
    tests/programs/http_fuzz/handshake.c core/http/handshake.c core/http/list.c core/http/sha1.c \
    core/http/url.c core/http/form.c \
    core/http/websocket_frame.c core/http/utf8.c \
    core/http/parser.c core/http/line.c core/http/host.c core/http/text.c core/http/chunk.c core/http/trailer.c > "$work/log" 2>&1; then
    command -v clang > /dev/null || { echo "skipped: there is no clang"; exit 77; }
    echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' > "$work/empty.c"
    clang -fsanitize=fuzzer -o "$work/empty" "$work/empty.c" 2> /dev/null ||
        { echo "skipped: there is no libFuzzer for this clang"; exit 77; }
    cat "$work/log"
    exit 1
fi

"$VERD_BUILD/programs/http_fuzz" --seeds "$work/corpus"
seconds=2
[ -z "${CI-}" ] || seconds=10
if ! (cd "$work" && ./fuzz -max_total_time=$seconds -max_len=2048 -seed=1 corpus > log 2>&1); then
    tail -n 40 "$work/log"
    for found in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do
        [ ! -f "$found" ] || od -c "$found" | head -n 40
    done
    exit 1
fi
tail -n 1 "$work/log"
