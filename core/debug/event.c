/* SPDX-License-Identifier: MIT */
/* The text of events. */
#include <string.h>

#include "debug/tape.h"
#include "http/utf8.h"

/* An event that is longer than all may be is a mistake of the library's, and cut. */
static void add(struct verd__tape *tape, const char *text, size_t size)
{
    size_t room = VERD__TAPE_SIZE - tape->length;
    if (size > room)
        size = room;
    memcpy(tape->text + tape->length, text, size);
    tape->length += size;
}

void verd__event_text(struct verd__tape *tape, const char *text)
{
    add(tape, text, strlen(text));
}

static void add_digits(struct verd__tape *tape, uint64_t number, unsigned least)
{
    char digits[24], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0 || (size_t)(digits + sizeof digits - at) < least);
    add(tape, at, (size_t)(digits + sizeof digits - at));
}

void verd__event_number(struct verd__tape *tape, uint64_t number)
{
    add_digits(tape, number, 1);
}

void verd__event_span(struct verd__tape *tape, verd_duration span)
{
    uint64_t ns = span > 0 ? (uint64_t)span : 0;
    add_digits(tape, ns / 1000, 1);
    add(tape, ".", 1);
    add_digits(tape, ns % 1000, 3);
}

/* What a name has of bytes that are no text comes as question marks. */
void verd__event_string(struct verd__tape *tape, const char *text)
{
    bool is_text = verd__is_utf8(text, strlen(text));
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            add(tape, "\\", 1);
        bool is_plain = byte >= ' ' && (byte < 0x7f || (is_text && byte != 0x7f));
        add(tape, is_plain ? text : "?", 1);
    }
}
