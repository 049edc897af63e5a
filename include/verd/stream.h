/* SPDX-License-Identifier: MIT */
/*
 * A stream: what HTTP reads and writes through, and readers (<verd/reader.h>) and writers
 * (<verd/writer.h>) do. A descriptor by default; with callbacks, whatever lies between the caller and
 * the descriptor, such as TLS of the caller's choice.
 *
 *     verd_stream plain = verd_stream_of(fd);
 *
 *     static const verd_stream_ops tls = {.read = tls_read, .write = tls_write, .close = tls_end};
 *     verd_stream secret = {.fd = fd, .ops = &tls, .ctx = session};
 *
 *     verd_stream_write_full(&secret, "hello", 5);
 *     verd_stream_close(&secret);                             // tls_end, then verd_close(fd)
 *
 * A stream is a plain value without memory of its own. One thread may read and one may write at a
 * time. The callbacks run on the caller's thread; they use verd_read and verd_write, or verd_wait_fd,
 * where they would block, and pass on what those say of a kill (ECANCELED) or timeout (ETIMEDOUT).
 */
#ifndef VERD_STREAM_H
#define VERD_STREAM_H

#include <verd/platform.h>

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_stream_ops {
    /* Reads at most `size` bytes, at least one: returns how many, 0 at the end, or -1 and errno. */
    ssize_t (*read)(void *ctx, void *buffer, size_t size);
    /* Writes some of the `size` bytes, at least one: returns how many, or -1 and errno (EPIPE or
     * ECONNRESET where the peer is gone). What it returns is on its way: nothing is kept back. */
    ssize_t (*write)(void *ctx, const void *data, size_t size);
    /* Nothing more will be written: says so to the peer, which may still send. NULL: nothing to do.
     * The descriptor is shut down afterwards, if there is one. */
    void (*shut)(void *ctx);
    /* Frees ctx; the descriptor is closed afterwards, if there is one. NULL: nothing to do. Runs in
     * killed threads too, where calls that would block fail at once. */
    void (*close)(void *ctx);
} verd_stream_ops;

typedef struct verd_stream {
    int fd;                     /* -1: there is none, and `ops` are all there is */
    const verd_stream_ops *ops; /* NULL: the descriptor itself is read and written */
    void *ctx;                  /* of ops */
} verd_stream;

/* The descriptor as a stream. */
static inline verd_stream verd_stream_of(int fd)
{
    verd_stream stream;
    stream.fd = fd;
    stream.ops = NULL;
    stream.ctx = NULL;
    return stream;
}

/* Reads some bytes, as verd_read does of a descriptor (<verd/net.h>). Blocks. Returns how many, 0
 * at the end, or -1 with errno EINVAL (the callback is NULL), or others as verd_read, or the
 * callback's. */
ssize_t verd_stream_read(const verd_stream *stream, void *buffer, size_t size);

/* Write some bytes, as verd_write and verd_writev do; of a vector, a callback gets the small parts
 * together. Block. Return how many, or -1 with errno EINVAL (the callback is NULL), EIO (it has
 * written nothing), or others as verd_write, or the callback's. */
ssize_t verd_stream_write(const verd_stream *stream, const void *data, size_t size);
ssize_t verd_stream_writev(const verd_stream *stream, const struct iovec *vector, int count);

/* Write all of it; the elements of the vector are changed. Block. Return 0, or -1 with errno as
 * verd_stream_write: then some may have been written. */
int verd_stream_write_full(const verd_stream *stream, const void *data, size_t size);
int verd_stream_writev_full(const verd_stream *stream, struct iovec *vector, int count);

/* Ends what is written; the peer may still send. Blocks in the callback only. Returns 0, or -1 with
 * errno as shutdown(2). */
int verd_stream_shut(const verd_stream *stream);

/* Closes the stream and its descriptor. Works in a killed thread. Blocks in the callback only. */
void verd_stream_close(const verd_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
