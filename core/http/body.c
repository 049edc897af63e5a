/* SPDX-License-Identifier: MIT */
#include "http/body.h"

#include <errno.h>
#include <string.h>

#include "sched/wait.h"

/* Bytes that are dropped with one read. */
#define DROP 4096

/* Memory is taken for so many bytes that a peer has announced, and for more once they come. */
#define ANNOUNCED ((size_t)1 << 20)

void verd__body_init(struct verd__body *body, const verd_stream *stream,
                     struct verd__buffer *buffer)
{
    body->stream = stream;
    body->buffer = buffer;
    body->left = 0;
    body->error = 0;
    body->kind = VERD__BODY_NONE;
    body->ended = true;
}

void verd__body_set_length(struct verd__body *body, uint64_t length)
{
    body->kind = VERD__BODY_LENGTH;
    body->left = length;
    body->ended = length == 0;
}

void verd__body_set_chunked(struct verd__body *body, const verd_http_limits *limits, uint64_t most)
{
    body->kind = VERD__BODY_CHUNKED;
    body->left = most;
    body->ended = false;
    verd__chunk_init(&body->chunk, limits);
}

void verd__body_set_until_close(struct verd__body *body, uint64_t most)
{
    body->kind = VERD__BODY_CLOSE;
    body->left = most;
    body->ended = false;
}

static ssize_t fail(struct verd__body *body, int error)
{
    if (!verd__is_interruption(error))
        body->error = error;
    errno = error;
    return -1;
}

/* The stream has ended, or failed. */
static ssize_t stop(struct verd__body *body, ssize_t got)
{
    if (got < 0)
        return fail(body, errno);
    if (body->kind != VERD__BODY_CLOSE)
        return fail(body, ECONNRESET);
    body->ended = true;
    return 0;
}

/* Fills the empty buffer. */
static ssize_t fill(struct verd__body *body)
{
    ssize_t got = verd__buffer_fill(body->buffer, body->stream);
    return got > 0 ? got : stop(body, got);
}

/* Takes at most `most` of the bytes to come, none of which frame anything. */
static ssize_t take(struct verd__body *body, void *to, size_t size, uint64_t most)
{
    struct verd__buffer *buffer = body->buffer;
    if (size > most)
        size = (size_t)most;
    size_t there = verd__buffer_size(buffer);
    /* What would fill the buffer goes past it. */
    if (there == 0 && size >= buffer->room - buffer->end) {
        ssize_t got = verd_stream_read(body->stream, to, size);
        return got > 0 ? got : stop(body, got);
    }
    if (there == 0) {
        ssize_t got = fill(body);
        if (got <= 0)
            return got;
        there = (size_t)got;
    }
    size = size < there ? size : there;
    memcpy(to, verd__buffer_at(buffer), size);
    verd__buffer_take(buffer, size);
    return (ssize_t)size;
}

static ssize_t read_length(struct verd__body *body, void *to, size_t size)
{
    ssize_t got = take(body, to, size, body->left);
    if (got > 0)
        body->left -= (uint64_t)got;
    body->ended = body->left == 0;
    return got;
}

/* Goes on to the next chunk's data. Returns 1: it is there; 0: the body has ended; -1 */
static ssize_t next_chunk(struct verd__body *body)
{
    struct verd__buffer *buffer = body->buffer;
    for (;;) {
        size_t used;
        enum verd__chunk_result result = verd__chunk_eat(&body->chunk, verd__buffer_at(buffer),
                                                         verd__buffer_size(buffer), &used);
        verd__buffer_take(buffer, used);
        switch (result) {
        case VERD__CHUNK_DATA:
            return body->chunk.left <= body->left ? 1 : fail(body, EMSGSIZE);
        case VERD__CHUNK_END:
            if (body->chunk.trailers != NULL && body->chunk.trailers->failed)
                return fail(body, ENOMEM);
            body->ended = true;
            return 0;
        case VERD__CHUNK_WRONG:
            return fail(body, EBADMSG);
        case VERD__CHUNK_LARGE:
            return fail(body, EMSGSIZE);
        case VERD__CHUNK_MORE:
            if (fill(body) <= 0)
                return -1;
        }
    }
}

static ssize_t read_chunked(struct verd__body *body, void *to, size_t size)
{
    struct verd__chunk *chunk = &body->chunk;
    if (chunk->left == 0) {
        ssize_t result = next_chunk(body);
        if (result <= 0)
            return result;
    }
    ssize_t got = take(body, to, size, chunk->left);
    if (got > 0) {
        chunk->left -= (uint64_t)got;
        if (body->left != VERD_HTTP_UNLIMITED)
            body->left -= (uint64_t)got;
    }
    return got;
}

static ssize_t read_until_close(struct verd__body *body, void *to, size_t size)
{
    char excess;
    if (body->left == 0) {
        ssize_t got = take(body, &excess, 1, 1);
        return got > 0 ? fail(body, EMSGSIZE) : got;
    }
    ssize_t got = take(body, to, size, body->left);
    if (got > 0 && body->left != VERD_HTTP_UNLIMITED)
        body->left -= (uint64_t)got;
    return got;
}

ssize_t verd__body_read(struct verd__body *body, void *to, size_t size)
{
    if (body->error != 0) {
        errno = body->error;
        return -1;
    }
    if (body->ended || size == 0)
        return 0;
    switch ((enum verd__body_kind)body->kind) {
    case VERD__BODY_LENGTH:
        return read_length(body, to, size);
    case VERD__BODY_CHUNKED:
        return read_chunked(body, to, size);
    case VERD__BODY_CLOSE:
        return read_until_close(body, to, size);
    case VERD__BODY_NONE:
        break;
    }
    return 0;
}

int verd__body_drop(struct verd__body *body, uint64_t most)
{
    char nowhere[DROP];
    while (!body->ended) {
        if (most == 0 || (body->kind == VERD__BODY_LENGTH && body->left > most))
            return 0;
        ssize_t got = verd__body_read(body, nowhere, most < DROP ? (size_t)most : DROP);
        if (got < 0)
            return -1;
        most -= (uint64_t)got;
    }
    return 1;
}

/* Room for what is to be read next, and a byte more: the zero's. */
static bool reserve(struct verd__text *all, const struct verd__body *body)
{
    uint64_t next = 1;
    if (body->kind == VERD__BODY_LENGTH)
        next = body->left < ANNOUNCED ? body->left : ANNOUNCED;
    bool there = verd__text_reserve(all, (size_t)next + 1);
    all->failed = false; /* what has been read stays, and there may be memory later */
    return there;
}

int verd__body_all(struct verd__body *body, size_t most, struct verd__text *all)
{
    bool known = body->kind == VERD__BODY_LENGTH;
    if (known && (all->size > most || body->left > most - all->size)) {
        errno = EMSGSIZE; /* nothing is lost yet: a larger bound may do */
        return -1;
    }
    for (;;) {
        if (!reserve(all, body)) {
            errno = ENOMEM;
            return -1;
        }
        ssize_t got = verd__body_read(body, all->data + all->size, all->room - all->size - 1);
        if (got < 0)
            return -1;
        all->size += (size_t)got;
        if (all->size > most) {
            errno = EMSGSIZE;
            return -1;
        }
        if (body->ended)
            break;
    }
    all->data[all->size] = '\0';
    return 0;
}
