#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The demo, with a hundred clients of the echo server, ends without an error and with its table. Where the
# machine sets limits, it ends all the same: with fewer clients, or with a line that says why not.
set -eu
# shellcheck disable=SC3045 # dash and bash have ulimit -H

descriptors=$(ulimit -Hn)
if [ "$descriptors" != unlimited ] && [ "$descriptors" -lt 256 ]; then
    echo "skipped: $descriptors descriptors are too few"
    exit 77
fi
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

# Sanitizers and emulators have to have address space without limit.
case $VERD_CONFIG:${QEMU_LD_PREFIX-} in release: | debug: | ubsan:) ;; *) exit ;; esac

# Limits can be lowered, and not raised.
# shellcheck disable=SC3045 # as above
if [ "$(ulimit -Hv)" != unlimited ] || { [ "$descriptors" != unlimited ] && [ "$descriptors" -lt 4096 ]; }; then
    echo "within the limits that are set here; others were not tried"
    exit
fi

# $1: ulimit's option and value; $2: the status; $3: what is said
ends() {
    status=0
    output=$(
        # shellcheck disable=SC2086
        ulimit $1 && CLIENTS=3000 "$VERD_BUILD/examples/demo" 2>&1
    ) || status=$?
    if [ "$status" -eq "$2" ] && echo "$output" | grep -qE "$3"; then
        return
    fi
    echo "ulimit $1: status $status, and no line like $3 in"
    echo "$output"
    exit 1
}

ends '-v 250000' 0 '^[0-9]+ clients instead of 3000, because of the hard limit of address space$'
ends '-v 100000' 1 '^demo: the hard limit of bytes of address space is 102400000; it takes '
ends '-n 400' 0 '^336 clients instead of 3000, because of the hard limit of descriptors$'
ends '-n 100' 1 '^demo: the hard limit of descriptors is 100; it takes '
