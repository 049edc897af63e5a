/* SPDX-License-Identifier: MIT */
/* Readers and writers: what they had before the call is there after one that failed. */
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call.h"
#include "table.h"

static int fds[2]; /* the subject's and the main thread's end */
static verd_reader *reader;
static verd_writer *writer;

/* ---- readers ---- */

static void have_reader(void)
{
    make_pair(fds);
    reader = verd_reader_new(verd_stream_of(fds[0]), 100);
    must(reader != NULL, "verd_reader_new");
}

/* It has "ab" of something longer. */
static void have_half(void)
{
    have_reader();
    must(write(fds[1], "ab", 2) == 2, "write");
    must(verd_reader_peek(reader, 2, NULL) == 2, "verd_reader_peek");
}

static void send_rest(void)
{
    must(write(fds[1], "c\n", 2) == 2, "write");
}

static void send_byte(void)
{
    must(write(fds[1], "x", 1) == 1, "write");
}

static void await_it(void)
{
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

/* The size of the text, if it is right. */
static intptr_t text_of(int result, const char *text, size_t size)
{
    must(result != 1 || (size == 3 && strcmp(text, "abc") == 0), "the text");
    return result == 1 ? (intptr_t)size : result_of(result);
}

static intptr_t read_line(void)
{
    char *line;
    size_t size;
    int result = verd_reader_line(reader, &line, &size);
    return text_of(result, line, size);
}

static intptr_t read_until(void)
{
    char *data;
    size_t size;
    int result = verd_reader_until(reader, "\n", 1, &data, &size);
    return text_of(result, data, size);
}

static intptr_t peek(void)
{
    char *data;
    ssize_t result = verd_reader_peek(reader, 4, &data);
    must(result < 0 || memcmp(data, "abc\n", 4) == 0, "the bytes");
    return result_of(result);
}

static char byte;

static intptr_t read_some(void)
{
    ssize_t result = verd_reader_read(reader, &byte, 1);
    return result == 1 ? byte : result_of(result);
}

static intptr_t read_full(void)
{
    size_t done;
    ssize_t result = verd_reader_read_full(reader, &byte, 1, &done);
    must(done == (result == 1), "what was read, as told");
    return result == 1 ? byte : result_of(result);
}

static intptr_t skip(void)
{
    size_t done;
    ssize_t result = verd_reader_skip(reader, 1, &done);
    must(done == (result == 1), "what was skipped, as told");
    return result_of(result);
}

static bool has(ssize_t count)
{
    int there = -1;
    return ioctl(fds[0], FIONREAD, &there) == 0 && there == 0 &&
           verd_reader_peek(reader, 0, NULL) == count;
}

static bool has_half(void)
{
    return has(2);
}

static bool has_nothing(void)
{
    return has(0);
}

static bool has_all(void)
{
    return has(4);
}

static intptr_t free_reader(void)
{
    verd_reader_free(reader);
    return 0;
}

/* ---- writers ---- */

/* It has a byte, and no room for a second. */
static void have_writer(void)
{
    make_pair(fds);
    fill(fds[0]);
    writer = verd_writer_new(verd_stream_of(fds[0]), 1);
    must(writer != NULL, "verd_writer_new");
    must(verd_writer_write(writer, "a", 1, NULL) == 0, "verd_writer_write");
}

static void make_room(void)
{
    drain(fds[1]);
}

static intptr_t write_byte(void)
{
    size_t done;
    intptr_t result = result_of(verd_writer_write(writer, "b", 1, &done));
    must(done == (result == 0), "what was taken, as told");
    return result;
}

static intptr_t writev_byte(void)
{
    struct iovec vector = {"b", 1};
    size_t done;
    intptr_t result = result_of(verd_writer_writev(writer, &vector, 1, &done));
    must(done == (result == 0), "what was taken, as told");
    return result;
}

static intptr_t flush(void)
{
    return result_of(verd_writer_flush(writer));
}

static bool has_byte(void)
{
    return verd_writer_pending(writer) == 1;
}

static bool one_was_written(void)
{
    return verd_writer_pending(writer) == 0 && drain(fds[1]) == 1;
}

static bool two_were_written(void)
{
    return verd_writer_pending(writer) == 0 && drain(fds[1]) == 2;
}

static intptr_t free_writer(void)
{
    verd_writer_free(writer);
    return 0;
}

#define READS(name, what, world, call_, result, event, before, after) \
    {.call = name,                                                    \
     .when = what,                                                    \
     .setup = world,                                                  \
     .make = call_,                                                   \
     .right = result,                                                 \
     .provoke = event,                                                \
     .arrive = await_it,                                              \
     .untouched = before,                                             \
     .whole = after,                                                  \
     .traits = ALONE | BOUND,                                         \
     .discard = free_reader,                                          \
     .discarded = -EINVAL}
#define WRITES(name, what, call_, after) \
    {.call = name,                       \
     .when = what,                       \
     .setup = have_writer,               \
     .make = call_,                      \
     .provoke = make_room,               \
     .untouched = has_byte,              \
     .whole = after,                     \
     .traits = ALONE | BOUND,            \
     .discard = free_writer,             \
     .discarded = -EINVAL}

static const struct row rows[] = {
    READS("verd_reader_line", "the rest of a line", have_half, read_line, 3, send_rest, has_half,
          has_nothing),
    READS("verd_reader_until", "a delimiter", have_half, read_until, 3, send_rest, has_half,
          has_nothing),
    READS("verd_reader_peek", "the rest of a message", have_half, peek, 4, send_rest, has_half,
          has_all),
    READS("verd_reader_read", "bytes", have_reader, read_some, 'x', send_byte, has_nothing,
          has_nothing),
    READS("verd_reader_read_full", "bytes", have_reader, read_full, 'x', send_byte, has_nothing,
          has_nothing),
    READS("verd_reader_skip", "bytes", have_reader, skip, 1, send_byte, has_nothing, has_nothing),
    WRITES("verd_writer_write", "room", write_byte, two_were_written),
    WRITES("verd_writer_writev", "room", writev_byte, two_were_written),
    WRITES("verd_writer_flush", "room", flush, one_was_written),
};

const struct rows rows_of_streams = ROWS(rows);
