/* SPDX-License-Identifier: MIT */
#include "http/host.h"

#include "http/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3986's unreserved, sub-delims, and the '%' of what is escaped. */
static bool is_name(char c)
{
    return verd__is_target[(unsigned char)c] == VERD__HOST;
}

static size_t address_size(const char *text, size_t size)
{
    size_t i = 1;
    while (i < size && (is_name(text[i]) || text[i] == ':'))
        i++;
    return i > 1 && i < size && text[i] == ']' ? i + 1 : 0;
}

bool verd__is_host(const char *text, size_t size)
{
    size_t i = 0;
    if (size > 0 && text[0] == '[')
        i = address_size(text, size);
    else {
        while (i < size && is_name(text[i]))
            i++;
    }
    if (i > 0 && i < size && text[i] == ':') {
        i++;
        while (i < size && is_digit(text[i]))
            i++;
    }
    return i == size;
}
