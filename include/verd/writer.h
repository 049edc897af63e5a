/* SPDX-License-Identifier: MIT */
/*
 * A writer: small pieces go into its buffer, and out to a stream together.
 *
 *     verd_writer *writer = verd_writer_new(verd_stream_of(fd), 4096);
 *     for (size_t i = 0; i < count; i++)
 *         verd_writer_write(writer, lines[i].text, lines[i].size, NULL);
 *     verd_writer_flush(writer);
 *     verd_writer_free(writer);
 *
 * Nothing goes out of itself: whoever is to be heard flushes. Whatever a call fails with, what it has
 * taken and not written is still there, and the next flush goes on with it.
 *
 * A writer belongs to the OS thread that made it, and one thread at a time may use it. Calls return -1
 * with errno, besides those of the stream (<verd/stream.h>):
 *
 *   ECANCELED  the thread was killed            ETIMEDOUT  an enclosing timeout ran out
 *   EINVAL     an argument is NULL, or the writer was freed while the call waited
 *   EPERM      used by another OS thread        EBUSY      another thread is in a call for it
 */
#ifndef VERD_WRITER_H
#define VERD_WRITER_H

#include <stddef.h>
#include <sys/types.h>

#include <verd/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_writer verd_writer;

/* Makes a writer over a stream, which stays the caller's to close, with a buffer of `room` bytes. Never
 * blocks. Returns the writer, or NULL with errno ENOMEM, or EINVAL (room is 0 or above SSIZE_MAX). */
verd_writer *verd_writer_new(verd_stream stream, size_t room);

/* Frees the writer, and drops what was not flushed; NULL is ignored, and so is a writer of another OS
 * thread. A call that waits ends with EINVAL. Never blocks. */
void verd_writer_free(verd_writer *writer);

/* Take it all: into the buffer, or, where that has no room for it, out to the stream together with what is in
 * there. May block, as verd_write_full. Return 0, or -1 with errno as above, or others of the stream. *done
 * (unless NULL) is always how many bytes were taken. */
int verd_writer_write(verd_writer *writer, const void *data, size_t size, size_t *done);
int verd_writer_writev(verd_writer *writer, const struct iovec *vector, int count, size_t *done);

/* Writes what is in the buffer. Blocks until it is out, as verd_write_full. Returns 0, or -1 with errno as
 * above, or others of the stream; what was not written stays. */
int verd_writer_flush(verd_writer *writer);

/* How many bytes wait for a flush; 0 for NULL. Never blocks. */
size_t verd_writer_pending(const verd_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
