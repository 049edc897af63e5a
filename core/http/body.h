/* SPDX-License-Identifier: MIT */
/* The body of a message as it comes from a stream, through the buffer that has its beginning. */
#ifndef VERD_HTTP_BODY_H
#define VERD_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <verd/stream.h>

#include "io/buffer.h"
#include "http/chunk.h"
#include "http/text.h"

enum verd__body_kind {
    VERD__BODY_NONE,
    VERD__BODY_LENGTH,  /* `left` bytes */
    VERD__BODY_CHUNKED, /* up to the last chunk */
    VERD__BODY_CLOSE,   /* up to the stream's end */
};

struct verd__body {
    const verd_stream *stream;
    struct verd__buffer *buffer;
    uint64_t left; /* LENGTH: bytes to come; others: bytes that may come, or VERD_HTTP_UNLIMITED */
    int error;     /* errno that ended it; 0: none */
    uint8_t kind;  /* enum verd__body_kind */
    bool ended;    /* it was read to its end */
    struct verd__chunk chunk;
};

/* A body of nothing, to be made one of the others. */
void verd__body_init(struct verd__body *body, const verd_stream *stream,
                     struct verd__buffer *buffer);
void verd__body_set_length(struct verd__body *body, uint64_t length);
/* `most`: bytes that it may have. */
void verd__body_set_chunked(struct verd__body *body, const verd_http_limits *limits, uint64_t most);
void verd__body_set_until_close(struct verd__body *body, uint64_t most);

/* As verd_http_read: bytes, 0 at the end, or -1 with errno EBADMSG, EMSGSIZE, ECONNRESET, or the
 * stream's. All but ECANCELED and ETIMEDOUT end it. */
ssize_t verd__body_read(struct verd__body *body, void *to, size_t size);

/* Reads and drops at most `most` bytes. Returns 1: it has ended; 0: there is more; -1 and errno. */
int verd__body_drop(struct verd__body *body, uint64_t most);

/* Adds what is left, until there are `most` bytes in all, and a zero that is not counted. After an
 * error it can go on. Returns 0, or -1 with errno as verd__body_read, EMSGSIZE or ENOMEM. */
int verd__body_all(struct verd__body *body, size_t most, struct verd__text *all);

#endif
