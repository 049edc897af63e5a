/* SPDX-License-Identifier: MIT */

/* Streams: over descriptors, and over callbacks. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

/* What the callbacks have been told. */
struct log {
    char text[64];
    size_t size;
    ssize_t most; /* bytes that a write takes; -1: none, with EPIPE */
    int writes;   /* calls */
    bool shut, closed;
};

static ssize_t put(void *ctx, const void *data, size_t size)
{
    struct log *log = ctx;
    log->writes++;
    errno = EPIPE;
    if (log->most >= 0 && size > (size_t)log->most)
        size = (size_t)log->most;
    if (log->most < 0)
        return -1;
    memcpy(log->text + log->size, data, size);
    log->size += size;
    return (ssize_t)size;
}

static void note_shut(void *ctx)
{
    ((struct log *)ctx)->shut = true;
}

static void note_close(void *ctx)
{
    ((struct log *)ctx)->closed = true;
}

static const verd_stream_ops ops = {.write = put, .shut = note_shut, .close = note_close};

#define PARTS {{(void *)"ab", 2}, {NULL, 0}, {(void *)"cde", 3}, {(void *)"f", 1}}

Test(io, a_descriptor_is_a_stream)
{
    int fds[2];
    char text[8] = "";
    make_pair(fds);
    verd_stream stream = verd_stream_of(fds[0]);
    struct iovec parts[] = PARTS;
    cr_expect_eq(verd_stream_writev_full(&stream, parts, 4), 0);
    cr_expect_eq(verd_stream_write_full(&stream, "g", 1), 0);
    stream.fd = fds[1];
    cr_expect_eq(verd_stream_read(&stream, text, sizeof text), 7);
    cr_expect_str_eq(text, "abcdefg");
}

Test(io, a_stream_that_is_shut_can_still_be_read)
{
    int fds[2];
    char text[8] = "";
    make_pair(fds);
    verd_stream stream = verd_stream_of(fds[0]);
    cr_expect_eq(verd_stream_shut(&stream), 0);
    cr_expect_eq(verd_read(fds[1], text, 1), 0);
    verd_write(fds[1], "x", 1);
    cr_expect_eq(verd_stream_read(&stream, text, 1), 1);
}

Test(io, callbacks_write_all_that_is_asked_for)
{
    for (ssize_t most = 1; most < 8; most++) {
        struct log log = {.most = most};
        verd_stream stream = {.fd = -1, .ops = &ops, .ctx = &log};
        struct iovec parts[] = PARTS;
        cr_expect_eq(verd_stream_writev_full(&stream, parts, 4), 0);
        cr_expect_eq(verd_stream_write_full(&stream, "ghijk", 5), 0);
        cr_expect_str_eq(log.text, "abcdefghijk");
    }
}

Test(io, a_callback_gets_the_small_parts_of_a_vector_together)
{
    struct log log = {.most = 100};
    verd_stream stream = {.fd = -1, .ops = &ops, .ctx = &log};
    struct iovec parts[] = PARTS;
    cr_expect_eq(verd_stream_writev(&stream, parts, 4), 6);
    cr_expect_eq(log.writes, 1);
}

Test(io, a_callback_that_fails_is_heard)
{
    struct log log = {.most = -1};
    verd_stream stream = {.fd = -1, .ops = &ops, .ctx = &log};
    struct iovec parts[] = PARTS;
    cr_expect_eq(outcome(verd_stream_writev(&stream, parts, 4)), -EPIPE);
    cr_expect_eq(outcome(verd_stream_writev_full(&stream, parts, 4)), -EPIPE);
}

Test(io, a_callback_that_writes_nothing_is_an_error)
{
    struct log log = {.most = 0};
    verd_stream stream = {.fd = -1, .ops = &ops, .ctx = &log};
    cr_expect_eq(outcome(verd_stream_write_full(&stream, "a", 1)), -EIO);
}

Test(io, a_callback_that_is_missing_is_EINVAL)
{
    verd_stream stream = {.fd = -1, .ops = &(verd_stream_ops){0}};
    char text[1];
    cr_expect_eq(outcome(verd_stream_read(&stream, text, 1)), -EINVAL);
    cr_expect_eq(outcome(verd_stream_write(&stream, text, 1)), -EINVAL);
}

Test(io, closing_tells_the_callbacks_and_closes_the_descriptor)
{
    int fds[2];
    struct log log = {0};
    make_pair(fds);
    verd_stream stream = {.fd = fds[0], .ops = &ops, .ctx = &log};
    verd_stream_shut(&stream);
    cr_expect(log.shut);
    verd_stream_close(&stream);
    cr_expect(log.closed);
    cr_expect_eq(outcome(verd_read(fds[0], log.text, 1)), -EBADF);
}
