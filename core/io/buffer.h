/* SPDX-License-Identifier: MIT */
/* The bytes that were read from a stream and not taken yet, behind those that are to stay. */
#ifndef VERD_IO_BUFFER_H
#define VERD_IO_BUFFER_H

#include <stddef.h>
#include <sys/types.h>

#include <verd/stream.h>

struct verd__buffer {
    char *data;
    size_t room;       /* bytes at data, besides one for a terminating zero */
    size_t kept;       /* bytes at its beginning that stay: the head of a message being served */
    size_t start, end; /* what is there: data[start] .. data[end - 1] */
};

static inline char *verd__buffer_at(const struct verd__buffer *buffer)
{
    return buffer->data + buffer->start;
}

static inline size_t verd__buffer_size(const struct verd__buffer *buffer)
{
    return buffer->end - buffer->start;
}

static inline void verd__buffer_take(struct verd__buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = buffer->kept;
}

/* 0, or -1 with errno ENOMEM. */
int verd__buffer_init(struct verd__buffer *buffer, size_t room);
void verd__buffer_free(struct verd__buffer *buffer);

/* Makes room for `size` bytes behind what is there. What is kept, and what is there, may move: the
 * former to the same place of other memory, the latter right behind it. -1 with errno ENOMEM. */
int verd__buffer_reserve(struct verd__buffer *buffer, size_t size);

/* Gives memory back where nothing is there, nor kept, and the room is above `most`: `room` is left. */
void verd__buffer_shrink(struct verd__buffer *buffer, size_t most, size_t room);

/* Reads what fits behind what is there; there must be room. As verd_stream_read. */
ssize_t verd__buffer_fill(struct verd__buffer *buffer, const verd_stream *stream);

#endif
