/* SPDX-License-Identifier: MIT */
/* The opening handshake of a WebSocket, as RFC 6455, 1.2 and 1.3, have it, said byte by byte. */
#ifndef TESTS_HTTP_HANDSHAKE_H
#define TESTS_HTTP_HANDSHAKE_H

#define HANDSHAKE                                                              \
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"   \
    "Sec-WebSocket-Version: 13\r\n\r\n"
#define ANSWER                                                    \
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nUpgrade: websocket\r\n\r\n"

#endif
