/* SPDX-License-Identifier: MIT */
/* Whether text that comes in pieces is UTF-8 (RFC 3629): no surrogates, nothing overlong, nothing beyond
 * U+10FFFF. */
#ifndef VERD_HTTP_UTF8_H
#define VERD_HTTP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: between two characters. */
struct verd__utf8 {
    unsigned char missing;   /* bytes of the character that are to come */
    unsigned char low, high; /* what the next of them may be */
};

/* Goes on with the next piece. False: this cannot be the beginning of any such text. */
bool verd__utf8_check(struct verd__utf8 *utf8, const char *text, size_t size);

/* Whether all of it, in one piece, is such text. */
static inline bool verd__is_utf8(const char *text, size_t size)
{
    struct verd__utf8 utf8 = {0, 0, 0};
    return verd__utf8_check(&utf8, text, size) && utf8.missing == 0;
}

#endif
