/* SPDX-License-Identifier: MIT */
#include "http/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS (UINT64_MAX / 255 * 0x80) /* of eight bytes */

/* The first byte of a character of several. */
static bool begin(struct verd__utf8 *utf8, unsigned char c)
{
    utf8->low = 0x80;
    utf8->high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
        utf8->missing = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        utf8->missing = 2;
        if (c == 0xe0)
            utf8->low = 0xa0; /* below, two bytes would do */
        if (c == 0xed)
            utf8->high = 0x9f; /* above are surrogates */
    } else if (c >= 0xf0 && c <= 0xf4) {
        utf8->missing = 3;
        if (c == 0xf0)
            utf8->low = 0x90; /* below, three would do */
        if (c == 0xf4)
            utf8->high = 0x8f; /* above is nothing */
    } else {
        return false;
    }
    return true;
}

static size_t skip_ascii(const char *text, size_t size)
{
    size_t i = 0;
    for (uint64_t eight; size - i >= sizeof eight; i += sizeof eight) {
        memcpy(&eight, text + i, sizeof eight);
        if (eight & HIGH_BITS)
            break;
    }
    return i;
}

bool verd__utf8_check(struct verd__utf8 *utf8, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (utf8->missing == 0) {
            i += skip_ascii(text + i, size - i);
            if (i == size)
                break;
        }
        unsigned char c = (unsigned char)text[i];
        if (utf8->missing == 0) {
            if (c >= 0x80 && !begin(utf8, c))
                return false;
            continue;
        }
        if (c < utf8->low || c > utf8->high)
            return false;
        utf8->missing--;
        utf8->low = 0x80;
        utf8->high = 0xbf;
    }
    return true;
}
