/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "http/utf8.h"
#include "http/websocket_frame.h"

/* ---- frames ---- */

/* What a head of so many bytes is: those that are there in memory of just this size. */
static int parse(struct verd__websocket_frame *frame, const uint8_t *data, size_t size, bool client)
{
    char *copy = malloc(size > 0 ? size : 1);
    fuzz_expect(copy != NULL, "no memory");
    memcpy(copy, data, size);
    int result = verd__websocket_parse(frame, copy, size, client);
    free(copy);
    return result;
}

/* A head is what was written, if it is written anew; and takes off what masks put on. */
static void check_frame(const struct verd__websocket_frame *frame, const uint8_t *data, int size,
                        bool client)
{
    char head[VERD__WEBSOCKET_HEAD], text[] = "some bytes that are masked", other[sizeof text];
    unsigned char mask[4], again[4];
    memcpy(mask, frame->mask, 4);
    memcpy(again, frame->mask, 4);
    size_t written = verd__websocket_head(head, frame->opcode, frame->left, client ? mask : NULL);
    if (!frame->last)
        head[0] &= 0x7f;
    fuzz_expect(written == (size_t)size && memcmp(head, data, written) == 0,
                "a frame's head differs when it is written");
    verd__websocket_mask(other, text, sizeof text, mask);
    verd__websocket_mask(other, other, 5, again);
    verd__websocket_mask(other + 5, other + 5, sizeof text - 5, again);
    fuzz_expect(memcmp(text, other, sizeof text) == 0, "a mask does not take itself off");
}

void fuzz_frames(const uint8_t *data, size_t size)
{
    bool client = size == 0 || data[0] != '-';
    struct verd__websocket_frame frame = {0};
    int result = 0;
    data += !client;
    size -= !client;
    for (size_t there = 0; there <= size && result == 0; there++) {
        result = parse(&frame, data, there, client);
        fuzz_expect(result <= 0 || (size_t)result == there, "a head ends before its last byte");
    }
    fuzz_expect(result != 0 || size < VERD__WEBSOCKET_HEAD, "a head does not end");
    int whole = parse(&frame, data, size, client);
    fuzz_expect(whole == result, "a head differs in pieces");
    if (whole > 0)
        check_frame(&frame, data, whole, client);
}

/* ---- characters: the rule as RFC 3629 has it in numbers ---- */

/* Bytes of the character at `text`; 0: it is none. */
static size_t character_size(const uint8_t *text, size_t rest)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size <= 1)
        return size;
    if (first >= 0xf8 || size > rest)
        return 0;
    uint32_t code = first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool valid = code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return valid ? size : 0;
}

static bool is_utf8(const uint8_t *text, size_t size)
{
    while (size > 0) {
        size_t character = character_size(text, size);
        if (character == 0)
            return false;
        text += character;
        size -= character;
    }
    return true;
}

void fuzz_utf8(const uint8_t *data, size_t size)
{
    struct verd__utf8 utf8 = {0};
    bool valid = true;
    for (size_t i = 0, step = 1; i < size && valid; i += step, step = step % 11 + 1) {
        step = step < size - i ? step : size - i;
        valid = verd__utf8_check(&utf8, (const char *)data + i, step);
    }
    valid = valid && utf8.missing == 0;
    fuzz_expect(valid == is_utf8(data, size), "what is UTF-8 differs in pieces");
    fuzz_expect(verd__is_utf8((const char *)data, size) == valid, "what is UTF-8 differs whole");
}
