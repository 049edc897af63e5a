#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libcurl over https, as the system has it, is green with libverd-patch.a, and so is its server of OpenSSL.
module='libcurl openssl'
. tests/programs/world/begin.sh
command -v openssl > /dev/null || skip "openssl is not installed: make deps"
build curl_https
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -keyout "$work/key.pem" \
    -out "$work/cert.pem" -subj /CN=localhost -addext subjectAltName=DNS:localhost > "$work/req.log" 2>&1 ||
    fail "no certificate"
"$work/curl_https" "$work/cert.pem" "$work/key.pem" || fail "curl_https"
