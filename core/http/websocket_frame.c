/* SPDX-License-Identifier: MIT */
#include "http/websocket_frame.h"

#include <string.h>

#define LAST 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define SIZE 0x7f
#define TWO_BYTES 126 /* of size follow, */
#define EIGHT_BYTES 127

static uint64_t read_number(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* Without extensions, whose the reserved bits are. */
static bool is_frame(unsigned char first, uint64_t size)
{
    switch (first & (OPCODE | RESERVED)) {
    case VERD__WEBSOCKET_MORE:
    case VERD__WEBSOCKET_TEXT:
    case VERD__WEBSOCKET_BINARY:
        return true;
    case VERD__WEBSOCKET_CLOSE:
    case VERD__WEBSOCKET_PING:
    case VERD__WEBSOCKET_PONG:
        return (first & LAST) && size <= VERD__WEBSOCKET_CONTROL;
    default:
        return false;
    }
}

int verd__websocket_parse(struct verd__websocket_frame *frame, const char *data, size_t size,
                          bool from_client)
{
    const unsigned char *bytes = (const unsigned char *)data;
    if (size < 2)
        return size == 1 && !is_frame(bytes[0] | LAST, 0) ? -1 : 0;
    uint64_t length = bytes[1] & SIZE;
    size_t more = length == EIGHT_BYTES ? 8 : length == TWO_BYTES ? 2 : 0;
    size_t mask = from_client ? sizeof frame->mask : 0;
    if (!is_frame(bytes[0], length) || ((bytes[1] & MASKED) != 0) != from_client)
        return -1;
    if (size < 2 + more + mask)
        return 0;
    if (more > 0)
        length = read_number(bytes + 2, more);
    /* The shortest way to say it is the only one. */
    if ((more == 2 && length < TWO_BYTES) ||
        (more == 8 && (length <= UINT16_MAX || length > INT64_MAX)))
        return -1;
    frame->left = length;
    frame->opcode = bytes[0] & OPCODE;
    frame->last = (bytes[0] & LAST) != 0;
    memset(frame->mask, 0, sizeof frame->mask);
    memcpy(frame->mask, bytes + 2 + more, mask);
    return (int)(2 + more + mask);
}

size_t verd__websocket_head(char head[VERD__WEBSOCKET_HEAD], unsigned opcode, uint64_t size,
                            const unsigned char mask[4])
{
    size_t more = size > UINT16_MAX ? 8 : size >= TWO_BYTES ? 2 : 0;
    unsigned first = more == 8 ? EIGHT_BYTES : more == 2 ? TWO_BYTES : (unsigned)size;
    head[0] = (char)(LAST | opcode);
    head[1] = (char)(first | (mask != NULL ? MASKED : 0));
    for (size_t i = 0; i < more; i++)
        head[2 + i] = (char)(size >> (more - 1 - i) * 8);
    if (mask == NULL)
        return 2 + more;
    memcpy(head + 2 + more, mask, 4);
    return 2 + more + 4;
}

void verd__websocket_mask(char *to, const char *from, size_t size, unsigned char mask[4])
{
    unsigned char twice[8], turned[4];
    uint64_t eight, masks;
    size_t i = 0;
    memcpy(twice, mask, 4);
    memcpy(twice + 4, mask, 4);
    memcpy(&masks, twice, sizeof masks);
    for (; size - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, from + i, sizeof eight);
        eight ^= masks;
        memcpy(to + i, &eight, sizeof eight);
    }
    for (; i < size; i++)
        to[i] = (char)(from[i] ^ mask[i % 4]);
    for (i = 0; i < 4; i++)
        turned[i] = mask[(size + i) % 4];
    memcpy(mask, turned, 4);
}

/* 1004 to 1006 and 1015 are never sent. */
bool verd__websocket_is_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
