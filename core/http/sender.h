/* SPDX-License-Identifier: MIT */
/*
 * Sends the body of a request on a green thread of its own, beside whoever reads the response: a server may answer
 * before it has read all (RFC 9112, 9.5), and one that answers while it reads would otherwise wait for a client that
 * waits for it.
 */
#ifndef VERD_HTTP_SENDER_H
#define VERD_HTTP_SENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <verd/stream.h>
#include <verd/thread.h>

#include "http/text.h"

/* Bytes of a body that are asked of its source, and written, at once. */
#define VERD__SENDER_PIECE 16384

/* A body, or what is left of it to be sent. */
struct verd__outgoing {
    const char *data;                                        /* `length` bytes; or NULL, and */
    ssize_t (*source)(void *ctx, void *buffer, size_t size); /* what gives them */
    void *ctx;
    uint64_t length; /* VERD_HTTP_CHUNKED: up to the source's end, in chunks */
    bool *asked;     /* set when the source is asked; NULL: of no interest */
};

struct verd__sender {
    verd_thread *thread;
    const verd_stream *stream;
    struct verd__outgoing body;
    char *copy;          /* owned, of what was left in memory of the caller's; NULL: none */
    verd_duration since; /* of the last progress */
    int error;           /* errno that the request fails with; 0: none */
    bool asking;         /* it is the source's turn, not the server's */
    bool last;           /* the end of the body is being written, or has been */
    bool sent;           /* all of it */
    bool done;           /* the thread ends */
    char piece[VERD__SENDER_PIECE];
};

/* Writes `size` bytes behind the head, in one system call. Returns 0; 1: the server takes no more, it may have
 * answered; or -1 with errno as verd_stream_write. */
int verd__send_head(const verd_stream *stream, const struct verd__text *head, const void *data,
                    size_t size);

/* Begins to send the body. The stream must stay until the end. NULL with errno ENOMEM */
struct verd__sender *verd__sender_start(const struct verd__outgoing *body,
                                        const verd_stream *stream);

/* Copies what is in memory of the caller's, which goes on. -1 with errno ENOMEM */
int verd__sender_keep(struct verd__sender *sender);

/* The server's silence counts from here on. */
verd_duration verd__sender_since(const struct verd__sender *sender);

/* Ends it, though it may not be ready; if it is `patient`, it waits for what only has to be noticed. Works in a killed
 * thread. Blocks while the source does not return. Returns whether all was sent; errno stays. */
bool verd__sender_end(struct verd__sender *sender, bool patient);

#endif
