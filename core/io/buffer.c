/* SPDX-License-Identifier: MIT */
#include "io/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int verd__buffer_init(struct verd__buffer *buffer, size_t room)
{
    *buffer = (struct verd__buffer){.data = malloc(room + 1), .room = room};
    return buffer->data != NULL ? 0 : -1;
}

void verd__buffer_free(struct verd__buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct verd__buffer){0};
}

int verd__buffer_reserve(struct verd__buffer *buffer, size_t size)
{
    if (buffer->room - buffer->end >= size)
        return 0;
    size_t there = verd__buffer_size(buffer);
    if (buffer->start > buffer->kept) {
        memmove(buffer->data + buffer->kept, verd__buffer_at(buffer), there);
        buffer->start = buffer->kept;
        buffer->end = buffer->kept + there;
    }
    size_t room = buffer->room;
    while (room - buffer->end < size)
        room *= 2;
    if (room == buffer->room)
        return 0;
    char *data = realloc(buffer->data, room + 1);
    if (data == NULL)
        return -1;
    buffer->data = data;
    buffer->room = room;
    return 0;
}

void verd__buffer_shrink(struct verd__buffer *buffer, size_t most, size_t room)
{
    if (buffer->room <= most || buffer->end != 0)
        return;
    char *data = realloc(buffer->data, room + 1);
    if (data == NULL)
        return;
    buffer->data = data;
    buffer->room = room;
}

ssize_t verd__buffer_fill(struct verd__buffer *buffer, const verd_stream *stream)
{
    ssize_t n = verd_stream_read(stream, buffer->data + buffer->end, buffer->room - buffer->end);
    if (n > 0)
        buffer->end += (size_t)n;
    return n;
}
