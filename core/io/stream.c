/* SPDX-License-Identifier: MIT */
#include <verd/stream.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <verd/net.h>

#include "io/stream.h"
#include "io/vector.h"

/* A callback gets the small parts of a vector in pieces of so many bytes. */
#define PIECE 4096

static ssize_t fail(int error)
{
    errno = error;
    return -1;
}

/* A callback that writes nothing would be called for ever. */
static ssize_t some(ssize_t written)
{
    return written != 0 ? written : fail(EIO);
}

ssize_t verd_stream_read(const verd_stream *stream, void *buffer, size_t size)
{
    if (stream->ops == NULL)
        return verd_read(stream->fd, buffer, size);
    if (stream->ops->read == NULL)
        return fail(EINVAL);
    return size != 0 ? stream->ops->read(stream->ctx, buffer, size) : 0;
}

ssize_t verd_stream_write(const verd_stream *stream, const void *data, size_t size)
{
    if (stream->ops == NULL)
        return verd_write(stream->fd, data, size);
    if (stream->ops->write == NULL)
        return fail(EINVAL);
    return size != 0 ? some(stream->ops->write(stream->ctx, data, size)) : 0;
}

/* Copies what fits of the vector; how much that is. */
static size_t gather(char *to, size_t room, const struct iovec *vector, int count)
{
    size_t size = 0;
    for (int i = 0; i < count && size < room; i++) {
        size_t some = vector[i].iov_len < room - size ? vector[i].iov_len : room - size;
        if (some > 0)
            memcpy(to + size, vector[i].iov_base, some);
        size += some;
    }
    return size;
}

/* Apart from its caller, whose frame stays small where there are no callbacks: threads that wait in a
 * write would have a page more each. */
static __attribute__((noinline)) ssize_t write_piece(const verd_stream *stream,
                                                     const struct iovec *vector, int count)
{
    char piece[PIECE];
    return verd_stream_write(stream, piece, gather(piece, sizeof piece, vector, count));
}

ssize_t verd_stream_writev(const verd_stream *stream, const struct iovec *vector, int count)
{
    if (stream->ops == NULL)
        return verd_writev(stream->fd, vector, count);
    for (; count > 0 && vector->iov_len == 0; count--)
        vector++;
    if (count > 0 && vector->iov_len >= PIECE)
        return verd_stream_write(stream, vector->iov_base, vector->iov_len);
    return write_piece(stream, vector, count);
}

int verd_stream_write_full(const verd_stream *stream, const void *data, size_t size)
{
    const char *rest = data;
    if (stream->ops == NULL)
        return verd_write_full(stream->fd, data, size, NULL) < 0 ? -1 : 0;
    while (size > 0) {
        ssize_t n = verd_stream_write(stream, rest, size);
        if (n < 0)
            return -1;
        rest += n;
        size -= (size_t)n;
    }
    return 0;
}

int verd__stream_write_all(const verd_stream *stream, struct iovec *vector, int count, size_t *done)
{
    if (stream->ops == NULL)
        return verd_writev_full(stream->fd, vector, count, done) < 0 ? -1 : 0;
    *done = 0;
    verd__vector_advance(&vector, &count, 0);
    while (count > 0) {
        ssize_t written = verd_stream_writev(stream, vector, count);
        if (written < 0)
            return -1;
        *done += (size_t)written;
        verd__vector_advance(&vector, &count, (size_t)written);
    }
    return 0;
}

int verd_stream_writev_full(const verd_stream *stream, struct iovec *vector, int count)
{
    size_t done;
    return verd__stream_write_all(stream, vector, count, &done);
}

int verd_stream_shut(const verd_stream *stream)
{
    if (stream->ops != NULL && stream->ops->shut != NULL)
        stream->ops->shut(stream->ctx);
    return stream->fd >= 0 ? verd_shutdown(stream->fd, SHUT_WR) : 0;
}

void verd_stream_close(const verd_stream *stream)
{
    if (stream->ops != NULL && stream->ops->close != NULL)
        stream->ops->close(stream->ctx);
    if (stream->fd >= 0)
        verd_close(stream->fd);
}
