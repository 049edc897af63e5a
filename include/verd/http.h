/* SPDX-License-Identifier: MIT */
/* HTTP/1.1: what its peers have in common. */
#ifndef VERD_HTTP_H
#define VERD_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include <verd/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A header field, its name as the peer wrote it. */
typedef struct verd_http_field {
    const char *name;
    const char *value; /* without the white space around it */
} verd_http_field;

/* Limits of what a peer may send; 0: the default in parentheses. */
typedef struct verd_http_limits {
    size_t line;   /* bytes of the first line, and of each field's line (8 KiB) */
    size_t header; /* bytes of all lines before the body, and of those behind it (64 KiB) */
    size_t fields; /* fields before the body, and behind it (100) */
} verd_http_limits;

/* Where a number of bytes is asked for: there is no limit. */
#define VERD_HTTP_UNLIMITED UINT64_MAX

#ifdef __cplusplus
}
#endif
#endif
