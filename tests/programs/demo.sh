#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The demo, with a hundred clients of the echo server, ends without an error and with its table.
set -eu

output=$(CLIENTS=100 "$VERD_BUILD/examples/demo" 2>&1) || {
    echo "$output"
    exit 1
}
echo "$output" | tail -n 4
for row in '^client +web_crawler +1,000 pages of 50 ms +[0-9.]+ s +[0-9.]+ s$' \
    '^dispatch +feed_scraper +100 titles, [0-9]+ at a time +[0-9.]+ s +[0-9.]+ s$' \
    '^server +echo_server +100 clients, 1,000 echoes +- +[0-9.]+ s$'; do
    echo "$output" | grep -qE "$row" || { echo "no row like $row in"; echo "$output"; exit 1; }
done
