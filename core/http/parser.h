/* SPDX-License-Identifier: MIT */
/*
 * The head of a message: its first line and its fields, parsed in place and line by line, as they
 * come. Nothing is copied or allocated: the text is cut up where it lies, by zeros in the place of
 * what ends each part. So the bytes stay where they are as long as the head is used, unless
 * verd__head_moved is told.
 *
 * Strict as RFC 9112 asks: what is wrong is an error as soon as its line is there.
 */
#ifndef VERD_HTTP_PARSER_H
#define VERD_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/http.h>

#include "http/text.h"

enum verd__head_bit {
    VERD__HEAD_HOST = 1,        /* there is a Host */
    VERD__HEAD_LENGTH = 2,      /* there is a Content-Length */
    VERD__HEAD_TRANSFER = 4,    /* there is a Transfer-Encoding */
    VERD__HEAD_CHUNKED = 8,     /* whose last coding is chunked */
    VERD__HEAD_UNKNOWN = 16,    /* which has codings besides chunked */
    VERD__HEAD_CLOSE = 32,      /* Connection: close */
    VERD__HEAD_KEEP_ALIVE = 64, /* Connection: keep-alive */
    VERD__HEAD_CONTINUE = 128,  /* Expect: 100-continue */
    VERD__HEAD_UPGRADE = 256,   /* Connection: upgrade */
    VERD__HEAD_SWITCH = 512,    /* there is an Upgrade, which says to what */
    VERD__HEAD_ABSOLUTE = 1024, /* a request's target names the host */
    VERD__HEAD_HEAD = 2048,     /* a request's method is HEAD */
    VERD__HEAD_CONNECT = 4096,  /* or CONNECT */
    VERD__HEAD_OPTIONS = 8192,  /* or OPTIONS */
};

/* What is in a message's head; text is terminated by zeros. */
struct verd__head {
    verd_http_limits limits; /* none is 0 */
    verd_http_field *fields; /* room for limits.fields of them */
    size_t count;            /* of fields that came */
    size_t noted;            /* of them: what they say of a response has been looked at */
    size_t parsed;           /* bytes of the lines that are complete */
    size_t searched;         /* bytes behind them in which no line ends */
    bool response;           /* else it is a request */
    bool started;            /* the first line is complete */
    uint8_t minor;           /* of the version: 0 or 1 */
    uint16_t bits;           /* enum verd__head_bit */
    int status;              /* of a response */
    uint64_t length;         /* with VERD__HEAD_LENGTH; UINT64_MAX: that or more */
    char *line, *line_end;   /* the first line */
    const char *method;      /* of a request */
    const char *path;        /* of a request: its target, without host and query */
    const char *query;       /* NULL: there is none */
    const char *host;        /* of a request; "": there is none */
};

/* `fields` has room for limits->fields; NULL: to be set before the second line comes. */
void verd__head_init(struct verd__head *head, const verd_http_limits *limits,
                     verd_http_field *fields, bool response);

/*
 * Goes on with a message of which `size` bytes are there, from its first. Returns 0: more is needed;
 * 200: the head is complete, in head->parsed bytes; or what is wrong with it, as a reply's status:
 * 400, 414, 417, 431, 501 or 505.
 */
int verd__head_parse(struct verd__head *head, char *data, size_t size);

/* The message's bytes are now at `to`, no longer at `from`. */
void verd__head_moved(struct verd__head *head, const char *from, char *to);

/* Whether its sender means it to be the last of the connection. */
static inline bool verd__head_closes(const struct verd__head *head)
{
    return (head->bits & VERD__HEAD_CLOSE) ||
           (head->minor == 0 && !(head->bits & VERD__HEAD_KEEP_ALIVE));
}

/* Writes a request's first line for a log, as it came but for what is not printable, in the place of
 * what `to` has. Returns it; "": it did not come, or there is no memory. */
const char *verd__head_line(const struct verd__head *head, struct verd__text *to);

/* The value of the first field of this name, in any case, among some or in a head; NULL: there is none. */
const char *verd__field_find(const verd_http_field *fields, size_t count, const char *name);
const char *verd__head_find(const struct verd__head *head, const char *name);

/* The limits with the defaults in the place of zeros; and the same of a time. */
verd_http_limits verd__http_limits(const verd_http_limits *given);

static inline void verd__http_default(verd_duration *time, verd_duration value)
{
    if (*time == 0)
        *time = value;
}

#endif
