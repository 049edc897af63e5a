/* SPDX-License-Identifier: MIT */
/* Kinds of characters, and text that is written: the head of a message. */
#ifndef VERD_HTTP_TEXT_H
#define VERD_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 9110's tchar: what names and methods are made of. */
extern const unsigned char verd__is_token[256];

/* RFC 3986's characters of a path or a query, of which the '%' begins what is escaped; and '[' and ']', which
 * belong to neither, but browsers send them. Those of a host's name are VERD__HOST. */
extern const unsigned char verd__is_target[256];
#define VERD__HOST 2

/* Whether it is at least one character, and all are of tokens. */
bool verd__is_name(const char *text);

/* Whether it can be a field's value: there are no control characters but tabs. */
bool verd__is_text(const char *text, size_t size);

/* Whether they are the same but for upper and lower case, in ASCII whatever the locale is; and whether the
 * text begins with the word. */
bool verd__same(const char *one, const char *other);
bool verd__begins(const char *text, const char *word);

/* Whether it is the same as one of the names, after which comes NULL. */
bool verd__is_one_of(const char *name, const char *const *names);

/* The value of a hexadecimal digit; -1: it is none. */
static inline int verd__hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that is escaped at the beginning of the text, as "%41" is 'A'; -1: none is. */
static inline int verd__unescape(const char *text)
{
    int high = text[0] == '%' ? verd__hex_value(text[1]) : -1;
    int low = high >= 0 ? verd__hex_value(text[2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

/* Text under construction. After a failed allocation it takes nothing more. */
struct verd__text {
    char *data; /* owned; NULL: nothing yet */
    size_t size, room;
    bool failed; /* ENOMEM */
};

/* Makes room for `size` bytes more. False: it has failed. */
bool verd__text_reserve(struct verd__text *text, size_t size);
void verd__text_add(struct verd__text *text, const char *data, size_t size);
void verd__text_free(struct verd__text *text);

/* Adds "name: value\r\n". -1 with errno EINVAL (either is not what it must be) or ENOMEM. */
int verd__text_field(struct verd__text *text, const char *name, const char *value);

/* Writes a number in decimal at `to`, 20 bytes at most; its length. */
size_t verd__decimal(char *to, uint64_t number);

#endif
