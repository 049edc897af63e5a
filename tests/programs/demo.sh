#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The demo, a hundred clients of the echo server example, ends without an error.
set -eu

output=$(CLIENTS=100 "$VERD_BUILD/examples/demo" 2>&1) || {
    echo "$output"
    exit 1
}
echo "$output" | tail -n 8
