/* SPDX-License-Identifier: MIT */
/* WebSocket's frames (RFC 6455, 5.2): the bytes before a payload, and the mask over it. */
#ifndef VERD_HTTP_WEBSOCKET_FRAME_H
#define VERD_HTTP_WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERD__WEBSOCKET_HEAD 14 /* bytes, at most */
#define VERD__WEBSOCKET_CONTROL 125

enum verd__websocket_opcode {
    VERD__WEBSOCKET_MORE = 0, /* of the message before */
    VERD__WEBSOCKET_TEXT = 1,
    VERD__WEBSOCKET_BINARY = 2,
    VERD__WEBSOCKET_CLOSE = 8,
    VERD__WEBSOCKET_PING = 9,
    VERD__WEBSOCKET_PONG = 10,
};

struct verd__websocket_frame {
    uint64_t left;         /* bytes of the payload that are to come */
    uint8_t opcode;        /* enum verd__websocket_opcode */
    bool last;             /* of its message */
    unsigned char mask[4]; /* over the next byte that comes, first; zeros: none */
};

static inline bool verd__websocket_is_control(const struct verd__websocket_frame *frame)
{
    return frame->opcode >= VERD__WEBSOCKET_CLOSE;
}

/* Reads what stands before a payload. Returns its size; 0: there is more of it to come; -1: it is against the
 * protocol, in which clients mask, and servers do not. */
int verd__websocket_parse(struct verd__websocket_frame *frame, const char *data, size_t size,
                          bool from_client);

/* Writes what stands before a payload of this size, with a mask unless NULL. Returns its size. */
size_t verd__websocket_head(char head[VERD__WEBSOCKET_HEAD], unsigned opcode, uint64_t size,
                            const unsigned char mask[4]);

/* Puts the mask on, or takes it off; `mask` is turned to what the byte behind these is masked with. `to` may be
 * `from`. */
void verd__websocket_mask(char *to, const char *from, size_t size, unsigned char mask[4]);

/* Whether a Close may have this code (7.4, and IANA's registry). */
bool verd__websocket_is_code(int code);

#endif
