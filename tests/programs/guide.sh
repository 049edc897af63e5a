#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The guide's programs compile without a warning, run and succeed; and every name that it mentions is one of
# the public headers'.
set -eu

if [ "${VERD_CONFIG-}" = lto ]; then
    echo "skipped: the same text in every build, tried in the others"
    exit 77
fi
guide=include/verd/guide.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in $(grep -oE '\b(verd|VERD)_[A-Za-z_]*[A-Za-z]\b' $guide | sort -u); do
    grep -qrw "$name" include --include='*.h' core/sched core/stack ||
        { echo "the guide mentions $name, which no header has"; exit 1; }
done

awk -v work="$work" '/^```c$/ { piece++; inside = 1; next }
    /^```$/ { inside = 0 }
    inside { print > (work "/" piece ".c") }' $guide
pieces=0
for source in "$work"/*.c; do
    # shellcheck disable=SC2086
    $VERD_CC $VERD_CFLAGS -Wall -Wextra -Werror -o "${source%.c}" "$source" "$VERD_BUILD/libverd.a" -pthread \
        $VERD_LDFLAGS
    timeout 60 "${source%.c}" > "$work/said" ||
        { echo "the guide's program ${source##*/} failed"; cat "$work/said" "$source"; exit 1; }
    pieces=$((pieces + 1))
done
echo "$pieces programs of the guide run"
[ "$pieces" -gt 5 ]
