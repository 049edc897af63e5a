/* SPDX-License-Identifier: MIT */
#include <verd/writer.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/buffer.h"
#include "io/exclusive.h"
#include "io/stream.h"

struct verd_writer {
    struct verd__exclusive exclusive;
    verd_stream stream;
    struct verd__buffer buffer; /* never grows */
};

static void destroy(struct verd__exclusive *exclusive)
{
    struct verd_writer *writer = VERD__CONTAINER_OF(exclusive, struct verd_writer, exclusive);
    verd__buffer_free(&writer->buffer);
    free(writer);
}

verd_writer *verd_writer_new(verd_stream stream, size_t room)
{
    if (room == 0 || room > SSIZE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    if (verd__scheduler() == NULL)
        return NULL;
    struct verd_writer *writer = malloc(sizeof *writer);
    if (writer == NULL)
        return NULL;
    if (verd__buffer_init(&writer->buffer, room) != 0) {
        free(writer);
        errno = ENOMEM;
        return NULL;
    }
    verd__exclusive_init(&writer->exclusive, destroy);
    writer->stream = stream;
    return writer;
}

void verd_writer_free(verd_writer *writer)
{
    verd__exclusive_free(writer != NULL ? &writer->exclusive : NULL);
}

static int begin(verd_writer *writer)
{
    return verd__exclusive_begin(writer != NULL ? &writer->exclusive : NULL);
}

static int end(verd_writer *writer, int result)
{
    return (int)verd__exclusive_end(&writer->exclusive, result);
}

/* Writes what is there, and `data` behind it. *taken: how much of data, whatever happens. */
static int write_out(verd_writer *writer, const void *data, size_t size, size_t *taken)
{
    union {
        const void *given;
        void *base;
    } more = {data};
    size_t there = verd__buffer_size(&writer->buffer), done;
    struct iovec vector[] = {{verd__buffer_at(&writer->buffer), there}, {more.base, size}};
    int result = verd__stream_write_all(&writer->stream, vector, 2, &done);
    size_t of_buffer = done < there ? done : there;
    verd__buffer_take(&writer->buffer, of_buffer);
    *taken = done - of_buffer;
    return result;
}

static int invalid(void)
{
    errno = EINVAL;
    return -1;
}

/* Takes all of it. *taken: how much, whatever happens. */
static int take(verd_writer *writer, const void *data, size_t size, size_t *taken)
{
    struct verd__buffer *buffer = &writer->buffer;
    *taken = 0;
    if (data == NULL && size > 0)
        return invalid();
    if (size > buffer->room - verd__buffer_size(buffer))
        return write_out(writer, data, size, taken);
    (void)verd__buffer_reserve(buffer, size); /* moves what is there, at most */
    if (size > 0)
        memcpy(buffer->data + buffer->end, data, size);
    buffer->end += size;
    *taken = size;
    return 0;
}

static int take_vector(verd_writer *writer, const struct iovec *vector, int count, size_t *taken)
{
    int result = 0;
    if (count < 0 || (vector == NULL && count > 0))
        return invalid();
    for (int i = 0; i < count && result == 0; i++) {
        size_t some;
        if (!verd__exclusive_is_there(&writer->exclusive))
            return -1;
        result = take(writer, vector[i].iov_base, vector[i].iov_len, &some);
        *taken += some;
    }
    return result;
}

int verd_writer_writev(verd_writer *writer, const struct iovec *vector, int count, size_t *done)
{
    size_t taken = 0;
    int result = begin(writer);
    if (result == 0)
        result = end(writer, take_vector(writer, vector, count, &taken));
    if (done != NULL)
        *done = taken;
    return result;
}

int verd_writer_write(verd_writer *writer, const void *data, size_t size, size_t *done)
{
    size_t taken = 0;
    int result = begin(writer);
    if (result == 0)
        result = end(writer, take(writer, data, size, &taken));
    if (done != NULL)
        *done = taken;
    return result;
}

int verd_writer_flush(verd_writer *writer)
{
    size_t none;
    int result = begin(writer);
    return result == 0 ? end(writer, write_out(writer, NULL, 0, &none)) : result;
}

size_t verd_writer_pending(const verd_writer *writer)
{
    return writer != NULL ? verd__buffer_size(&writer->buffer) : 0;
}
