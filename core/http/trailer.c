/* SPDX-License-Identifier: MIT */
#include "http/trailer.h"

#include <stdlib.h>
#include <string.h>

#include "http/line.h"

static size_t count_lines(const struct verd__text *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->size; i++)
        count += lines->data[i] == '\n';
    return count;
}

/* The decoder has seen to it that each line is a field, or folded behind one; what they say of the message comes too
 * late to count (RFC 9110, 6.5.1). */
static int parse(struct verd__trailers *trailers)
{
    struct verd__head head = {.response = true};
    struct verd__text *lines = &trailers->lines;
    if (trailers->fields != NULL || lines->size == 0)
        return 0;
    head.limits.fields = count_lines(lines);
    head.fields = malloc(head.limits.fields * sizeof *head.fields);
    if (head.fields == NULL)
        return -1;
    for (char *line = lines->data, *end = line + lines->size, *lf; line < end; line = lf + 1) {
        lf = memchr(line, '\n', (size_t)(end - line));
        if (*line == ' ' || *line == '\t')
            verd__line_fold(&head, line, lf - 1);
        else
            verd__line_field(&head, line, lf - 1);
    }
    trailers->fields = head.fields;
    trailers->count = head.count;
    return 0;
}

const verd_http_field *verd__trailers_fields(struct verd__trailers *trailers, bool ended,
                                             size_t *count)
{
    *count = 0;
    if (!ended || parse(trailers) != 0)
        return NULL;
    *count = trailers->count;
    return trailers->fields;
}

const char *verd__trailers_find(struct verd__trailers *trailers, bool ended, const char *name)
{
    size_t count;
    const verd_http_field *fields = verd__trailers_fields(trailers, ended, &count);
    return verd__field_find(fields, count, name);
}

bool verd__may_trail(const char *name)
{
    static const char *const never[] = {
        "Age",
        "Authorization",
        "Cache-Control",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Range",
        "Content-Type",
        "Cookie",
        "Date",
        "Expect",
        "Expires",
        "Host",
        "Keep-Alive",
        "Location",
        "Max-Forwards",
        "Pragma",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Range",
        "Retry-After",
        "Set-Cookie",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Vary",
        "WWW-Authenticate",
        NULL,
    };
    return !verd__is_one_of(name, never);
}

void verd__trailers_clear(struct verd__trailers *trailers)
{
    free(trailers->fields);
    trailers->fields = NULL;
    trailers->count = 0;
}

void verd__trailers_free(struct verd__trailers *trailers)
{
    free(trailers->fields);
    verd__text_free(&trailers->lines);
}
