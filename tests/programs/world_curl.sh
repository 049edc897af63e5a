#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libcurl, as the system has it, is green with libverd-patch.a: a hundred easy handles in green threads of one OS thread
# ask at the same time, over http and https, whether the server has a number or a name; and one after the other, if the
# patch is off.
module='libcurl openssl'
. tests/programs/world/begin.sh
build curl
make_certificate
"$work/curl" "$work/cert.pem" "$work/key.pem" || fail "curl"
