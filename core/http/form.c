/* SPDX-License-Identifier: MIT */
#include "http/form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/text.h"

/* The byte that the three characters at `text` are an escape of; -1: they are not. */
static int unescape(const char *text, const char *end)
{
    return end - text >= 3 ? verd__unescape(text) : -1;
}

/* ---- queries and forms ---- */

static size_t count_fields(const char *text, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '&';
    return count;
}

/* Copies a name or a value, and a zero. Returns what is behind it, or NULL: there is a zero in it. What is no
 * escape stays as it is, as browsers have it. */
static char *decode(char *to, const char *text, const char *end)
{
    while (text < end) {
        int byte = unescape(text, end);
        char c = *text == '+' ? ' ' : *text;
        if (byte >= 0)
            c = (char)byte;
        if (c == '\0')
            return NULL;
        *to++ = c;
        text += byte >= 0 ? 3 : 1;
    }
    *to = '\0';
    return to + 1;
}

static const char *find(const char *text, const char *end, char c)
{
    const char *found = memchr(text, c, (size_t)(end - text));
    return found != NULL ? found : end;
}

/* Adds the field at `text`. Returns what is behind its own text, or NULL, as decode. */
static char *add_field(struct verd__form *form, char *to, const char *text, const char *end)
{
    verd_http_field *field = &form->fields[form->count++];
    const char *equals = find(text, end, '=');
    field->name = to;
    to = decode(to, text, equals);
    if (to == NULL || equals == end) { /* without a value: the name's zero is one */
        field->value = to != NULL ? to - 1 : to;
        return to;
    }
    field->value = to;
    return decode(to, equals + 1, end);
}

struct verd__form *verd__form_parse(const char *text, size_t size)
{
    const char *end = text + size;
    size_t room = count_fields(text, size);
    /* Each field's text takes no more than it took, its '=' and its '&' being zeros. */
    struct verd__form *form = malloc(sizeof *form + room * sizeof *form->fields + size + 1);
    if (form == NULL)
        return NULL;
    char *to = (char *)&form->fields[room];
    form->count = 0;
    for (const char *next; text < end; text = next + 1) {
        next = find(text, end, '&');
        if (next == text)
            continue;
        to = add_field(form, to, text, next);
        if (to == NULL) {
            free(form);
            errno = EBADMSG;
            return NULL;
        }
    }
    return form;
}

/* ---- paths ---- */

/* Copies a segment, unescaped. Returns its end, or NULL: it has what no segment can have. */
static char *copy_segment(char *to, const char *text, const char *end)
{
    while (text < end) {
        int byte = unescape(text, end);
        if (byte == '\0' || byte == '/' || (byte < 0 && *text == '%'))
            return NULL;
        *to++ = byte >= 0 ? (char)byte : *text;
        text += byte >= 0 ? 3 : 1;
    }
    return to;
}

/* Where the segment before begins; `start` is where this one does, and `to` the root. */
static char *parent(const char *to, char *start)
{
    if (start > to + 1) {
        do
            start--;
        while (start[-1] != '/');
    }
    return start;
}

/* RFC 3986, 5.2.4, once escapes are gone: so "%2e%2e" climbs no higher than "..". */
int verd__path_clean(char *to, const char *path)
{
    const char *end = path + strlen(path);
    char *out = to;
    *out++ = '/';
    for (const char *next; path < end; path = next) {
        path += strspn(path, "/");
        next = find(path, end, '/');
        char *segment = out;
        out = copy_segment(segment, path, next);
        if (out == NULL) {
            errno = EBADMSG;
            return -1;
        }
        size_t size = (size_t)(out - segment);
        if (size == 1 && segment[0] == '.')
            out = segment;
        else if (size == 2 && segment[0] == '.' && segment[1] == '.')
            out = parent(to, segment);
        else if (next < end)
            *out++ = '/';
    }
    *out = '\0';
    return 0;
}
