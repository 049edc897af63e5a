/* SPDX-License-Identifier: MIT */
#include <verd/reader.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/buffer.h"
#include "io/exclusive.h"

#define ROOM 4096        /* that a buffer begins with, at most */
#define KEPT (16 * ROOM) /* that it has while it is empty, at most */

struct verd_reader {
    struct verd__exclusive exclusive;
    verd_stream stream;
    struct verd__buffer buffer;
    size_t limit;
};

static ssize_t fail(int error)
{
    errno = error;
    return -1;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void destroy(struct verd__exclusive *exclusive)
{
    struct verd_reader *reader = VERD__CONTAINER_OF(exclusive, struct verd_reader, exclusive);
    verd__buffer_free(&reader->buffer);
    free(reader);
}

verd_reader *verd_reader_new(verd_stream stream, size_t limit)
{
    if (limit == 0 || limit > SSIZE_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    if (verd__scheduler() == NULL)
        return NULL;
    struct verd_reader *reader = malloc(sizeof *reader);
    if (reader == NULL)
        return NULL;
    if (verd__buffer_init(&reader->buffer, least(limit, ROOM)) != 0) {
        free(reader);
        errno = ENOMEM;
        return NULL;
    }
    verd__exclusive_init(&reader->exclusive, destroy);
    reader->stream = stream;
    reader->limit = limit;
    return reader;
}

void verd_reader_free(verd_reader *reader)
{
    verd__exclusive_free(reader != NULL ? &reader->exclusive : NULL);
}

static int begin(verd_reader *reader)
{
    return verd__exclusive_begin(reader != NULL ? &reader->exclusive : NULL);
}

/* What the stream gives, once there is something. Nothing more is read for a reader that was freed. */
static ssize_t outcome_of(const verd_reader *reader, ssize_t got)
{
    return verd__exclusive_is_there(&reader->exclusive) ? got : -1;
}

/* Reads what comes behind what is there, where there is to be room for `wanted` bytes. */
static ssize_t fill(verd_reader *reader, size_t wanted)
{
    verd__buffer_shrink(&reader->buffer, KEPT, ROOM);
    if (verd__buffer_reserve(&reader->buffer, wanted) != 0)
        return -1;
    return outcome_of(reader, verd__buffer_fill(&reader->buffer, &reader->stream));
}

/* ---- without taking ---- */

/* Waits until so many bytes are there. 0, also where the end comes before; or -1 and errno. */
static int await(verd_reader *reader, size_t size)
{
    size_t there;
    while ((there = verd__buffer_size(&reader->buffer)) < size) {
        ssize_t got = fill(reader, size - there);
        if (got <= 0)
            return (int)got;
    }
    return 0;
}

/* Waits for the delimiter. Returns 1 and where it is, 0 at the end, or -1 and errno. */
static int await_delimiter(verd_reader *reader, const void *delimiter, size_t length, size_t *at)
{
    size_t seen = 0; /* so many begin no delimiter */
    for (;;) {
        const char *data = verd__buffer_at(&reader->buffer);
        size_t there = least(verd__buffer_size(&reader->buffer), reader->limit);
        const char *found = memmem(data + seen, there - seen, delimiter, length);
        if (found != NULL) {
            *at = (size_t)(found - data);
            return 1;
        }
        if (there == reader->limit)
            return (int)fail(EMSGSIZE);
        seen = there < length ? 0 : there - length + 1;
        ssize_t got = fill(reader, 1);
        if (got <= 0)
            return (int)got;
    }
}

ssize_t verd_reader_peek(verd_reader *reader, size_t size, char **data)
{
    if (begin(reader) != 0)
        return -1;
    ssize_t result = size > reader->limit ? fail(EMSGSIZE) : await(reader, size);
    if (result == 0) {
        result = (ssize_t)verd__buffer_size(&reader->buffer);
        if (data != NULL)
            *data = verd__buffer_at(&reader->buffer);
    }
    return verd__exclusive_end(&reader->exclusive, result);
}

size_t verd_reader_pending(const verd_reader *reader)
{
    return reader != NULL ? verd__buffer_size(&reader->buffer) : 0;
}

/* ---- up to a delimiter ---- */

/* Gives the next `size` bytes, and takes `more` behind them, too. A zero takes the place of what is behind; a
 * buffer has room for one at its end. */
static int give(verd_reader *reader, size_t size, size_t more, char **data, size_t *given)
{
    char *start = verd__buffer_at(&reader->buffer);
    start[size] = '\0';
    verd__buffer_take(&reader->buffer, size + more);
    if (data != NULL)
        *data = start;
    if (given != NULL)
        *given = size;
    return 1;
}

static int give_line(verd_reader *reader, size_t size, char **line, size_t *given)
{
    bool pair = size > 0 && verd__buffer_at(&reader->buffer)[size - 1] == '\r';
    return give(reader, size - pair, 1U + pair, line, given);
}

int verd_reader_line(verd_reader *reader, char **line, size_t *size)
{
    size_t at;
    if (begin(reader) != 0)
        return -1;
    int result = await_delimiter(reader, "\n", 1, &at);
    size_t left = verd__buffer_size(&reader->buffer);
    if (result == 1)
        give_line(reader, at, line, size);
    else if (result == 0 && left > 0)
        result = give(reader, left, 0, line, size);
    return (int)verd__exclusive_end(&reader->exclusive, result);
}

int verd_reader_until(verd_reader *reader, const void *delimiter, size_t length, char **data,
                      size_t *size)
{
    size_t at;
    int result;
    if (begin(reader) != 0)
        return -1;
    if (delimiter == NULL || length == 0 || length > reader->limit)
        result = (int)fail(EINVAL);
    else
        result = await_delimiter(reader, delimiter, length, &at);
    if (result == 1)
        give(reader, at, length, data, size);
    return (int)verd__exclusive_end(&reader->exclusive, result);
}

/* ---- pieces ---- */

/* Takes some bytes, at least one, into the buffer or, if that is NULL, nowhere: what is there; else what
 * comes, which goes by the reader's own buffer where that has no more room. 0 at the end, -1 and errno. */
static ssize_t take_some(verd_reader *reader, char *to, size_t size)
{
    struct verd__buffer *buffer = &reader->buffer;
    if (verd__buffer_size(buffer) == 0) {
        if (to != NULL && size >= buffer->room)
            return outcome_of(reader, verd_stream_read(&reader->stream, to, size));
        ssize_t got = fill(reader, 1);
        if (got <= 0)
            return got;
    }
    size = least(size, verd__buffer_size(buffer));
    if (to != NULL)
        memcpy(to, verd__buffer_at(buffer), size);
    verd__buffer_take(buffer, size);
    return (ssize_t)size;
}

/* Takes all of it; *done is how much that was. As verd_reader_read_full. */
static ssize_t take_all(verd_reader *reader, char *to, size_t size, size_t *done)
{
    ssize_t got = 1;
    while (*done < size && got > 0) {
        got = take_some(reader, to != NULL ? to + *done : NULL, size - *done);
        *done += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? -1 : (ssize_t)*done;
}

static ssize_t take(verd_reader *reader, char *to, size_t size, size_t *done)
{
    size_t count = 0;
    ssize_t result = begin(reader);
    if (result == 0)
        result = verd__exclusive_end(&reader->exclusive, take_all(reader, to, size, &count));
    if (done != NULL)
        *done = count;
    return result;
}

ssize_t verd_reader_read(verd_reader *reader, void *buffer, size_t size)
{
    ssize_t result = 0;
    if (begin(reader) != 0)
        return -1;
    if (size > 0)
        result = buffer != NULL ? take_some(reader, buffer, size) : fail(EINVAL);
    return verd__exclusive_end(&reader->exclusive, result);
}

ssize_t verd_reader_read_full(verd_reader *reader, void *buffer, size_t size, size_t *done)
{
    return take(buffer != NULL || size == 0 ? reader : NULL, buffer, size, done);
}

ssize_t verd_reader_skip(verd_reader *reader, size_t size, size_t *done)
{
    return take(reader, NULL, size, done);
}
