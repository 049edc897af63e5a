/* SPDX-License-Identifier: MIT */
#include "http/parser.h"

#include <string.h>

#include "http/line.h"
#include "http/text.h"

#define LINE_MAX_DEFAULT 8192
#define HEADER_MAX_DEFAULT 65536
#define FIELDS_MAX_DEFAULT 100

verd_http_limits verd__http_limits(const verd_http_limits *given)
{
    verd_http_limits limits = *given;
    if (limits.line == 0)
        limits.line = LINE_MAX_DEFAULT;
    if (limits.header == 0)
        limits.header = HEADER_MAX_DEFAULT;
    if (limits.fields == 0)
        limits.fields = FIELDS_MAX_DEFAULT;
    return limits;
}

void verd__head_init(struct verd__head *head, const verd_http_limits *limits,
                     verd_http_field *fields, bool response)
{
    *head = (struct verd__head){
        .limits = *limits,
        .fields = fields,
        .response = response,
        .host = "",
    };
}

/* A line of `size` bytes, complete or not, is longer than it may be: 414 or 431. Else 0. */
static int check_size(const struct verd__head *head, size_t size)
{
    if (size <= head->limits.line && head->parsed <= head->limits.header &&
        size <= head->limits.header - head->parsed)
        return 0;
    return head->started || head->response ? 431 : 414;
}

/* The line is not complete. A CR has to be its last byte: no other can become part of a line. */
static int wait_for_more(struct verd__head *head, const char *line, size_t size)
{
    const char *cr = memchr(line + head->searched, '\r', size - head->searched);
    if (cr != NULL && cr + 1 != line + size)
        return 400;
    head->searched = cr != NULL ? size - 1 : size;
    return check_size(head, head->searched);
}

static int take_first_line(struct verd__head *head, char *line, char *end)
{
    *end = '\0';
    head->line = line;
    head->line_end = end;
    head->started = true;
    return head->response ? verd__line_response(head) : verd__line_request(head);
}

/* What is wrong with a request's head as a whole, or 200. */
static int check_request(struct verd__head *head)
{
    unsigned bits = head->bits;
    unsigned framing = bits & (VERD__HEAD_LENGTH | VERD__HEAD_TRANSFER);
    if (head->minor == 0)
        head->bits &= (uint16_t)~(VERD__HEAD_CONTINUE | VERD__HEAD_UPGRADE | VERD__HEAD_SWITCH);
    else if (!(bits & VERD__HEAD_HOST))
        return 400;
    if (!(framing & VERD__HEAD_TRANSFER))
        return 200;
    if (framing & VERD__HEAD_LENGTH || head->minor == 0 || !(bits & VERD__HEAD_CHUNKED))
        return 400;
    return bits & VERD__HEAD_UNKNOWN ? 501 : 200;
}

/* A complete line, whose CR is at `end`. Returns 0: there is more to come. */
static int take_line(struct verd__head *head, char *line, char *end)
{
    int status;
    if (!head->started && line == end && !head->response)
        return 0; /* empty lines before a request are ignored */
    if (head->started && line != end && (*line == ' ' || *line == '\t')) {
        status = verd__line_fold(head, line, end);
        return status == 200 ? 0 : status;
    }
    status = verd__line_note(head);
    if (status != 200)
        return status;
    if (head->started && line == end)
        return head->response ? 200 : check_request(head);
    if (!head->started)
        status = take_first_line(head, line, end);
    else
        status = verd__line_field(head, line, end);
    return status == 200 ? 0 : status;
}

int verd__head_parse(struct verd__head *head, char *data, size_t size)
{
    for (;;) {
        char *line = data + head->parsed;
        size_t there = size - head->parsed;
        char *lf = memchr(line + head->searched, '\n', there - head->searched);
        if (lf == NULL)
            return wait_for_more(head, line, there);
        if (lf == line || lf[-1] != '\r')
            return 400;
        int status = check_size(head, (size_t)(lf - line) - 1);
        if (status != 0)
            return status;
        status = take_line(head, line, lf - 1);
        head->parsed += (size_t)(lf - line) + 1;
        head->searched = 0;
        if (status != 0)
            return status;
    }
}

static void move(const char **text, const char *from, size_t size, char *to)
{
    if (*text >= from && *text < from + size)
        *text = to + (*text - from);
}

void verd__head_moved(struct verd__head *head, const char *from, char *to)
{
    size_t size = head->parsed;
    for (size_t i = 0; i < head->count; i++) {
        move(&head->fields[i].name, from, size, to);
        move(&head->fields[i].value, from, size, to);
    }
    move(&head->method, from, size, to);
    move(&head->path, from, size, to);
    move(&head->query, from, size, to);
    move(&head->host, from, size, to);
    if (head->started) {
        head->line = to + (head->line - from);
        head->line_end = to + (head->line_end - from);
    }
}

/* Undoes the cuts in a copy of the first line, of `size` bytes. */
static void mend(const struct verd__head *head, char *line, size_t size)
{
    size_t host = strlen(head->host);
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\0')
            line[i] = ' ';
        else if (line[i] < ' ' || line[i] > '~')
            line[i] = '?';
    }
    if (head->query != NULL)
        line[head->query - head->line - 1] = '?';
    if (head->bits & VERD__HEAD_ABSOLUTE) {
        char *moved = line + (head->host - head->line);
        memmove(moved + 1, moved, host);
        *moved = '/';
    }
}

const char *verd__head_line(const struct verd__head *head, struct verd__text *to)
{
    size_t size = head->started ? (size_t)(head->line_end - head->line) : 0;
    to->size = 0;
    verd__text_add(to, head->line, size);
    verd__text_add(to, "", 1);
    if (to->failed)
        return "";
    if (size > 0)
        mend(head, to->data, size);
    return to->data;
}

const char *verd__field_find(const verd_http_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (verd__same(fields[i].name, name))
            return fields[i].value;
    }
    return NULL;
}

const char *verd__head_find(const struct verd__head *head, const char *name)
{
    return verd__field_find(head->fields, head->count, name);
}
