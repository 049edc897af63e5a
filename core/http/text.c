/* SPDX-License-Identifier: MIT */
#include "http/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room that a text begins with. */
#define ROOM 512

#define DELETE 0x7f
#define EACH (UINT64_MAX / 255) /* 1 in each of eight bytes */

/* Digits, letters, and !#$%&'*+-.^_`|~ */
const unsigned char verd__is_token[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
    ['-'] = 1, ['.'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1,  ['4'] = 1, ['5'] = 1,
    ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1,  ['C'] = 1, ['D'] = 1,
    ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,  ['K'] = 1, ['L'] = 1,
    ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1,  ['S'] = 1, ['T'] = 1,
    ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1,  ['^'] = 1, ['_'] = 1,
    ['`'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1,  ['f'] = 1, ['g'] = 1,
    ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1,  ['n'] = 1, ['o'] = 1,
    ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1,  ['v'] = 1, ['w'] = 1,
    ['x'] = 1, ['y'] = 1, ['z'] = 1, ['|'] = 1, ['~'] = 1,
};

#define H VERD__HOST
/* Digits, letters, and !$%&'()*+,-.;=_~ (unreserved and sub-delims, and '%'), which a host may have, too; and /:?@[] */
const unsigned char verd__is_target[256] = {
    ['!'] = H, ['$'] = H, ['%'] = H, ['&'] = H, ['\''] = H, ['('] = H, [')'] = H, ['*'] = H,
    ['+'] = H, [','] = H, ['-'] = H, ['.'] = H, ['/'] = 1,  ['0'] = H, ['1'] = H, ['2'] = H,
    ['3'] = H, ['4'] = H, ['5'] = H, ['6'] = H, ['7'] = H,  ['8'] = H, ['9'] = H, [':'] = 1,
    [';'] = H, ['='] = H, ['?'] = 1, ['@'] = 1, ['A'] = H,  ['B'] = H, ['C'] = H, ['D'] = H,
    ['E'] = H, ['F'] = H, ['G'] = H, ['H'] = H, ['I'] = H,  ['J'] = H, ['K'] = H, ['L'] = H,
    ['M'] = H, ['N'] = H, ['O'] = H, ['P'] = H, ['Q'] = H,  ['R'] = H, ['S'] = H, ['T'] = H,
    ['U'] = H, ['V'] = H, ['W'] = H, ['X'] = H, ['Y'] = H,  ['Z'] = H, ['['] = 1, [']'] = 1,
    ['_'] = H, ['a'] = H, ['b'] = H, ['c'] = H, ['d'] = H,  ['e'] = H, ['f'] = H, ['g'] = H,
    ['h'] = H, ['i'] = H, ['j'] = H, ['k'] = H, ['l'] = H,  ['m'] = H, ['n'] = H, ['o'] = H,
    ['p'] = H, ['q'] = H, ['r'] = H, ['s'] = H, ['t'] = H,  ['u'] = H, ['v'] = H, ['w'] = H,
    ['x'] = H, ['y'] = H, ['z'] = H, ['~'] = H,
};
#undef H

bool verd__is_name(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (*c == '\0')
        return false;
    while (verd__is_token[*c])
        c++;
    return *c == '\0';
}

static bool are_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == DELETE)
            return false;
    }
    return true;
}

/* Whether one of the eight bytes may be a control character: none that is, is overlooked. */
static bool is_suspect(uint64_t eight)
{
    uint64_t deleted = eight ^ (EACH * DELETE);
    uint64_t below = (eight - EACH * ' ') & ~eight;
    return ((below | ((deleted - EACH) & ~deleted)) & (EACH * 0x80)) != 0;
}

static inline bool are_eight_text(const char *text)
{
    uint64_t eight;
    memcpy(&eight, text, sizeof eight);
    return !is_suspect(eight) || are_text(text, sizeof eight);
}

/* Eight at a time; the last eight may overlap those before. */
bool verd__is_text(const char *text, size_t size)
{
    const size_t step = sizeof(uint64_t);
    if (size < step)
        return are_text(text, size);
    const char *last = text + size - step;
    for (; text < last; text += step) {
        if (!are_eight_text(text))
            return false;
    }
    return are_eight_text(last);
}

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

/* Mostly they are written alike, as the RFCs write them. */
static inline bool are_same(char one, char other)
{
    return one == other || lower(one) == lower(other);
}

bool verd__same(const char *one, const char *other)
{
    while (*one != '\0' && are_same(*one, *other)) {
        one++;
        other++;
    }
    return *one == *other;
}

bool verd__is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && !verd__same(*names, name))
        names++;
    return *names != NULL;
}

bool verd__begins(const char *text, const char *word)
{
    while (*word != '\0' && are_same(*text, *word)) {
        text++;
        word++;
    }
    return *word == '\0';
}

static bool grow(struct verd__text *text, size_t size)
{
    size_t room = text->room != 0 ? text->room : ROOM;
    while (room - text->size < size) {
        if (__builtin_mul_overflow(room, (size_t)2, &room))
            return false;
    }
    char *data = realloc(text->data, room);
    if (data == NULL)
        return false;
    text->data = data;
    text->room = room;
    return true;
}

bool verd__text_reserve(struct verd__text *text, size_t size)
{
    if (!text->failed && size > text->room - text->size)
        text->failed = !grow(text, size);
    return !text->failed;
}

void verd__text_add(struct verd__text *text, const char *data, size_t size)
{
    if (size == 0 || !verd__text_reserve(text, size))
        return;
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

void verd__text_free(struct verd__text *text)
{
    free(text->data);
    *text = (struct verd__text){0};
}

int verd__text_field(struct verd__text *text, const char *name, const char *value)
{
    if (name == NULL || value == NULL || !verd__is_name(name) ||
        !verd__is_text(value, strlen(value))) {
        errno = EINVAL;
        return -1;
    }
    verd__text_add(text, name, strlen(name));
    verd__text_add(text, ": ", 2);
    verd__text_add(text, value, strlen(value));
    verd__text_add(text, "\r\n", 2);
    if (!text->failed)
        return 0;
    errno = ENOMEM;
    return -1;
}

size_t verd__decimal(char *to, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++)
        to[i] = digits[count - 1 - i];
    return count;
}
