/* SPDX-License-Identifier: MIT */
/*
 * A reader: a stream that is read in lines, messages or pieces, whatever came together.
 *
 *     verd_reader *reader = verd_reader_new(verd_stream_of(fd), 4096);
 *     char *line;
 *     while (verd_reader_line(reader, &line, NULL) == 1)
 *         answer(fd, line);
 *     verd_reader_free(reader);
 *
 * What has come and was not taken yet is in the reader's buffer. Whatever a call fails with, it is still
 * there: a call that is out of time in the middle of a line has lost nothing, and the next one goes on
 * with it. Where a call gives a pointer, it is into the buffer: good, to be written to as well, until the
 * next call for this reader.
 *
 *     verd_reader_peek(reader, 4, &head);                      // a message with its size before it
 *     verd_reader_peek(reader, 4 + size_of(head), &message);   // until all of it is there
 *     verd_reader_skip(reader, 4 + size, NULL);                // and take it
 *
 * What is in its buffer nobody sees who asks for the descriptor: before verd_serve_next, verd_wait_fd or a select,
 * ask whether something is there already.
 *
 *     while ((verd_reader_pending(reader) > 0 || verd_serve_next(client) == 1) && answer(reader) == 0) {}
 *
 * A reader belongs to the OS thread that made it, and one thread at a time may use it. Calls return -1
 * with errno, besides those of the stream (<verd/stream.h>), whose end and errors pass:
 *
 *   ECANCELED  the thread was killed            ETIMEDOUT  an enclosing timeout ran out
 *   EINVAL     an argument is NULL, or the reader was freed while the call waited
 *   EPERM      used by another OS thread        EBUSY      another thread is in a call for it
 */
#ifndef VERD_READER_H
#define VERD_READER_H

#include <stddef.h>
#include <sys/types.h>

#include <verd/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_reader verd_reader;

/* Makes a reader over a stream, which stays the caller's to close. What is peeked at has at most `limit` bytes, and so
 * has a line with its end; the buffer at most twice as many. It begins with 4 KiB, or less, and has 64 KiB at most
 * while it is empty and waits. Never blocks. Returns the reader, or NULL with errno ENOMEM, or EINVAL (limit is 0 or above SSIZE_MAX / 2). */
verd_reader *verd_reader_new(verd_stream stream, size_t limit);

/* Frees the reader, and what it has read that was not taken; NULL is ignored, and so is a reader of another
 * OS thread. A call that waits ends with EINVAL. Never blocks. */
void verd_reader_free(verd_reader *reader);

/*
 * The next line, without its end, which is "\n" or "\r\n", and with a zero behind it. What is behind the
 * last end is a line, too, unless it is empty: where it matters that the peer may be gone in the middle
 * of a line, use verd_reader_until. Blocks until all of it is there.
 * Returns 1, *line and *size (unless NULL), 0 at the end, or -1 with errno as above, ENOMEM, EMSGSIZE (no
 * end within the limit: take what is there by verd_reader_read or verd_reader_skip), or others of the stream.
 */
int verd_reader_line(verd_reader *reader, char **line, size_t *size);

/*
 * What comes before the next delimiter of `length` bytes, without it, and with a zero behind. Blocks until
 * the delimiter is there.
 * Returns 1, *data and *size (unless NULL), 0 at the end, where what is left has no delimiter (see
 * verd_reader_peek for 0 bytes), or -1 with errno as above, ENOMEM, EMSGSIZE (no delimiter within the
 * limit), EINVAL (length is 0 or above the limit), or others of the stream.
 */
int verd_reader_until(verd_reader *reader, const void *delimiter, size_t length, char **data,
                      size_t *size);

/*
 * Looks at what is next, and takes nothing. Blocks until `size` bytes are there; does not wait for 0.
 * Returns how many are there, and *data: `size` at least, unless the end is behind them; or -1 with errno as
 * above, ENOMEM, EMSGSIZE (size is above the limit), or others of the stream.
 */
ssize_t verd_reader_peek(verd_reader *reader, size_t size, char **data);

/* How many bytes have come and were not taken; 0 for NULL. Never blocks. */
size_t verd_reader_pending(const verd_reader *reader);

/* Takes what is there, at most `size` bytes. Blocks while there is nothing. Returns how many, 0 at the end
 * (or for a size of 0), or -1 with errno as above, or others of the stream. */
ssize_t verd_reader_read(verd_reader *reader, void *buffer, size_t size);

/* Takes `size` bytes, as many as they are; and drops them. Block until all have come. Return how many;
 * fewer mean the end; or -1 with errno as above, or others of the stream. *done (unless NULL) is always how
 * many were taken, so that a timeout or kill loses none. */
ssize_t verd_reader_read_full(verd_reader *reader, void *buffer, size_t size, size_t *done);
ssize_t verd_reader_skip(verd_reader *reader, size_t size, size_t *done);

#ifdef __cplusplus
}
#endif
#endif
