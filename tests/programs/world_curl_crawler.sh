#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The crawler with libcurl has many pages on their way at a time, over http and https, and tells of them in order.
module=libcurl
. tests/programs/world/begin.sh
crawler=$VERD_BUILD/examples/curl_crawler
[ -x "$crawler" ] || skip "libcurl's headers are not installed: make deps-world"

# $1: the log in which a server tells of its port.
port_in() {
    for _ in $(seq 100); do
        port=$(sed -nE 's/.*listening on port ([0-9]+).*|.*port ([0-9]+).*/\1\2/p' "$1" | head -n 1)
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    fail "no server"
}

# $1: URLs' beginning. $2: how many.
crawl() {
    seq -f "$1%g" "$2" | "$crawler" > "$work/pages" 2> "$work/crawl.log" ||
        fail "$1: $(grep -v '^200' "$work/pages" | head -n 3)"
    awk '{print $3}' "$work/pages" > "$work/got"
    seq -f "$1%g" "$2" | cmp - "$work/got" || fail "$1: not in order"
}

serve "$VERD_BUILD/examples/origin" 0
port_in "$work/server.log"
crawl "http://localhost:$port/page/" 400
"$crawler" "http://127.0.0.1:$port/nothing" http://127.0.0.1:1/ "http://localhost:$port/page/1" > "$work/pages" &&
    fail "it does not tell by its status what has failed"
grep -q '^404' "$work/pages" || fail "what fails: $(cat "$work/pages")"
grep -qE '^  - .*(refused|connect)' "$work/pages" || fail "what fails: $(cat "$work/pages")"
build ask
at_once=$("$work/ask" "http://127.0.0.1:$port/most")
echo "curl_crawler: 400 pages, $at_once at a time"
{ [ "$at_once" -gt 1 ] && [ "$at_once" -le 200 ]; } || fail "$at_once at a time"

# What the feed scraper does, by libcurl and expat.
if pkg-config --exists expat; then
    module='libcurl expat'
    build feed_titles
    "$work/feed_titles" "http://localhost:$port/feed/" 60 > "$work/titles" || fail "feed_titles: $(cat "$work/titles")"
    seq -f 'Feed %g' 60 | cut -d ' ' -f 1,2 > "$work/expected"
    cut -d ' ' -f 1,2 "$work/titles" | cmp - "$work/expected" || fail "feed_titles: $(cat "$work/titles")"
    echo "feed_titles: 60 titles by expat, $("$work/ask" "http://127.0.0.1:$port/most") feeds at a time"
fi
