/* SPDX-License-Identifier: MIT */
/* <verd/stream.h>, <verd/reader.h> and <verd/writer.h> */
#include "table.h"

#include <limits.h>
#include <string.h>

static char byte;

/* ---- streams ---- */

static ssize_t write_nothing(void *ctx, const void *data, size_t size)
{
    (void)ctx, (void)data, (void)size;
    return 0;
}

static const verd_stream_ops mute = {.write = write_nothing}, empty = {.write = NULL};
static const verd_stream mute_stream = {.fd = -1, .ops = &mute};
static const verd_stream empty_stream = {.fd = -1, .ops = &empty};

static struct iovec part = {&byte, 1};

CALL(stream_read, verd_stream_read(&empty_stream, &byte, 1))
CALL(stream_write, verd_stream_write(&empty_stream, &byte, 1))
CALL(stream_write_nothing, verd_stream_write(&mute_stream, &byte, 1))
CALL(stream_writev, verd_stream_writev(&empty_stream, &part, 1))
CALL(stream_writev_nothing, verd_stream_writev(&mute_stream, &part, 1))
CALL(stream_write_full, verd_stream_write_full(&empty_stream, &byte, 1))
CALL(stream_write_full_nothing, verd_stream_write_full(&mute_stream, &byte, 1))
CALL(stream_writev_full, verd_stream_writev_full(&empty_stream, &part, 1))
CALL(stream_writev_full_nothing, verd_stream_writev_full(&mute_stream, &part, 1))

/* ---- readers ---- */

#define LIMIT 10000

static verd_reader *reader;

static ssize_t read_on(void *ctx, void *buffer, size_t size)
{
    (void)ctx;
    memset(buffer, 'x', size);
    return (ssize_t)size;
}

static ssize_t wait_to_read(void *ctx, void *buffer, size_t size)
{
    (void)ctx, (void)buffer, (void)size;
    return verd_sleep(VERD_FOREVER);
}

static const verd_stream_ops endless = {.read = read_on}, silent = {.read = wait_to_read};

static void make_reader(void)
{
    reader = verd_reader_new((verd_stream){.fd = -1, .ops = &endless}, LIMIT);
    must(reader != NULL);
}

static void make_silent(void)
{
    reader = verd_reader_new((verd_stream){.fd = -1, .ops = &silent}, LIMIT);
    must(reader != NULL);
}

static void use_reader(void *arg)
{
    (void)arg;
    verd_reader_line(reader, NULL, NULL);
}

/* Another thread waits in a call. */
static void have_it_in_use(void)
{
    make_silent();
    must(verd_spawn_n(use_reader, NULL) == 0);
    verd_yield();
}

CALL_FOR_POINTER(new_reader, verd_reader_new(mute_stream, LIMIT))
CALL_FOR_POINTER(new_reader_of_nothing, verd_reader_new(mute_stream, 0))
CALL(line, verd_reader_line(reader, NULL, NULL))
CALL(line_of_none, verd_reader_line(NULL, NULL, NULL))
CALL(until, verd_reader_until(reader, "\n", 1, NULL, NULL))
CALL(until_nothing, verd_reader_until(reader, "", 0, NULL, NULL))
CALL(peek, verd_reader_peek(reader, LIMIT, NULL))
CALL(peek_far, verd_reader_peek(reader, LIMIT + 1, NULL))
CALL(peek_at_none, verd_reader_peek(NULL, 1, NULL))
CALL(read_some, verd_reader_read(reader, &byte, 1))
CALL(read_nowhere, verd_reader_read(reader, NULL, 1))
CALL(read_full, verd_reader_read_full(reader, &byte, 1, NULL))
CALL(read_full_nowhere, verd_reader_read_full(reader, NULL, 1, NULL))
CALL(skip, verd_reader_skip(reader, 1, NULL))
CALL(skip_none, verd_reader_skip(NULL, 1, NULL))

/* ---- writers ---- */

static verd_writer *writer;

static ssize_t wait_to_write(void *ctx, const void *data, size_t size)
{
    (void)ctx, (void)data, (void)size;
    return verd_sleep(VERD_FOREVER);
}

static const verd_stream_ops deaf = {.write = wait_to_write};

static void make_writer(void)
{
    writer = verd_writer_new((verd_stream){.fd = -1, .ops = &deaf}, LIMIT);
    must(writer != NULL);
}

static void use_writer(void *arg)
{
    (void)arg;
    verd_writer_write(writer, "x", 1, NULL);
    verd_writer_flush(writer);
}

static void have_writer_in_use(void)
{
    make_writer();
    must(verd_spawn_n(use_writer, NULL) == 0);
    verd_yield();
}

CALL_FOR_POINTER(new_writer, verd_writer_new(mute_stream, LIMIT))
CALL_FOR_POINTER(new_writer_without_room, verd_writer_new(mute_stream, 0))
CALL(write_some, verd_writer_write(writer, &byte, 1, NULL))
CALL(write_from_nowhere, verd_writer_write(writer, NULL, 1, NULL))
CALL(write_parts, verd_writer_writev(writer, &part, 1, NULL))
CALL(write_parts_of_none, verd_writer_writev(writer, &part, -1, NULL))
CALL(flush, verd_writer_flush(writer))
CALL(flush_none, verd_writer_flush(NULL))

/* What the calls for a reader, and those for a writer, have in common. */
#define READS(function, call, call_of_none)                                                    \
    BLOCKS(function, make_reader, call), PLAINLY(function, EINVAL, make_reader, call_of_none), \
        ELSEWHERE(function, make_reader, call), PLAINLY(function, EBUSY, have_it_in_use, call)
#define WRITES(function, call, call_of_none)                                                   \
    BLOCKS(function, make_writer, call), PLAINLY(function, EINVAL, make_writer, call_of_none), \
        ELSEWHERE(function, make_writer, call), PLAINLY(function, EBUSY, have_writer_in_use, call)

const struct row stream_rows[] = {
    PLAINLY("verd_stream_read", EINVAL, NULL, stream_read),
    PLAINLY("verd_stream_write", EINVAL, NULL, stream_write),
    PLAINLY("verd_stream_write", EIO, NULL, stream_write_nothing),
    PLAINLY("verd_stream_writev", EINVAL, NULL, stream_writev),
    PLAINLY("verd_stream_writev", EIO, NULL, stream_writev_nothing),
    PLAINLY("verd_stream_write_full", EINVAL, NULL, stream_write_full),
    PLAINLY("verd_stream_write_full", EIO, NULL, stream_write_full_nothing),
    PLAINLY("verd_stream_writev_full", EINVAL, NULL, stream_writev_full),
    PLAINLY("verd_stream_writev_full", EIO, NULL, stream_writev_full_nothing),

    AT_FIRST("verd_reader_new", new_reader),
    PLAINLY("verd_reader_new", EINVAL, NULL, new_reader_of_nothing),
    READS("verd_reader_line", line, line_of_none),
    PLAINLY("verd_reader_line", EMSGSIZE, make_reader, line),
    WITHOUT("verd_reader_line", ENOMEM, make_reader, line, "realloc"),
    READS("verd_reader_until", until, until_nothing),
    PLAINLY("verd_reader_until", EMSGSIZE, make_reader, until),
    WITHOUT("verd_reader_until", ENOMEM, make_reader, until, "realloc"),
    READS("verd_reader_peek", peek, peek_at_none),
    PLAINLY("verd_reader_peek", EMSGSIZE, make_reader, peek_far),
    WITHOUT("verd_reader_peek", ENOMEM, make_reader, peek, "realloc"),
    READS("verd_reader_read", read_some, read_nowhere),
    READS("verd_reader_read_full", read_full, read_full_nowhere),
    READS("verd_reader_skip", skip, skip_none),

    AT_FIRST("verd_writer_new", new_writer),
    PLAINLY("verd_writer_new", EINVAL, NULL, new_writer_without_room),
    WRITES("verd_writer_write", write_some, write_from_nowhere),
    WRITES("verd_writer_writev", write_parts, write_parts_of_none),
    WRITES("verd_writer_flush", flush, flush_none),
    {0},
};
