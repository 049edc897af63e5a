/* SPDX-License-Identifier: MIT */
/* The handshake of a WebSocket (RFC 6455, 4): what the heads of its request and of the answer say. */
#ifndef VERD_HTTP_HANDSHAKE_H
#define VERD_HTTP_HANDSHAKE_H

#include "http/parser.h"

/* Sec-WebSocket-Key, and the Sec-WebSocket-Accept that it is answered with. */
#define VERD__KEY_SIZE 25
#define VERD__ACCEPT_SIZE 29
void verd__handshake_sign(const char *key, char accept[VERD__ACCEPT_SIZE]);

/* A request: 0 and its key, or the status that it is answered with, 426 or 400. */
int verd__handshake_judge(const struct verd__head *head, const char **key);

/* The first of these protocols that a request offers; NULL: none is. `protocols` may be NULL. */
const char *verd__handshake_choose(const struct verd__head *head, const char *const *protocols);

/* Whether it is the answer to a request with this key, and takes nothing that was not offered. *chosen is the protocol
 * that it takes, one of those offered; NULL: none. `offered` may be NULL. */
bool verd__handshake_is_answer(const struct verd__head *head, const char *key,
                               const char *const *offered, const char **chosen);

#endif
