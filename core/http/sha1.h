/* SPDX-License-Identifier: MIT */
/* What WebSocket's handshake is signed with, which no secret depends on. */
#ifndef VERD_HTTP_SHA1_H
#define VERD_HTTP_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define VERD__SHA1_SIZE 20

/* SHA-1 (FIPS 180-4, 6.1) of at most 119 bytes, which is two blocks. */
void verd__sha1(const char *text, size_t size, unsigned char digest[VERD__SHA1_SIZE]);

#define VERD__BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* Base64 (RFC 4648, 4): writes VERD__BASE64_SIZE(size) characters and a zero. */
void verd__base64(char *to, const unsigned char *data, size_t size);

#endif
