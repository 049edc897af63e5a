/* SPDX-License-Identifier: MIT */
/* What clients have escaped: the fields of queries and forms, and paths. */
#ifndef VERD_HTTP_FORM_H
#define VERD_HTTP_FORM_H

#include <stddef.h>

#include <verd/http.h>

struct verd__form {
    size_t count;
    verd_http_field fields[]; /* and their text behind them */
};

/* Takes a query or a form apart (WHATWG URL, 5.1): to be freed with free(). NULL with errno EBADMSG (a zero
 * is in it) or ENOMEM. */
struct verd__form *verd__form_parse(const char *text, size_t size);

/* Writes a path that begins with a slash at `to`, which has room for as much and a zero: unescaped, without
 * "." and "..", and with single slashes. Returns 0, or -1 with errno EBADMSG (an escape is malformed, or means
 * a slash or a zero). */
int verd__path_clean(char *to, const char *path);

#endif
