#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libcurl over https, as the system has it, is green with libverd-patch.a, and so is its server of OpenSSL.
module='libcurl openssl'
. tests/programs/world/begin.sh
build curl_https
make_certificate
"$work/curl_https" "$work/cert.pem" "$work/key.pem" || fail "curl_https"
