/* SPDX-License-Identifier: MIT */

/* Writers: what goes out when, and what a call that fails leaves; and vectors that are written in full. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define ROOM 8
#define LARGE ((size_t)1 << 20)

static int fds[2];
static verd_writer *writer; /* to the first */
static char text[64];

static void set_up(void)
{
    make_pair(fds);
    writer = verd_writer_new(verd_stream_of(fds[0]), ROOM);
    cr_assert_not_null(writer);
}

static void tear_down(void)
{
    verd_writer_free(writer);
}

TestSuite(writer, .init = set_up, .fini = tear_down);

static void expect_out(const char *expected)
{
    memset(text, 0, sizeof text);
    ssize_t n = recv(fds[1], text, sizeof text - 1, MSG_DONTWAIT);
    cr_expect_str_eq(text, expected);
    cr_expect_eq(n > 0 ? n : 0, (ssize_t)strlen(expected));
}

static int put(const char *what)
{
    return verd_writer_write(writer, what, strlen(what), NULL);
}

Test(writer, small_pieces_go_out_with_the_flush)
{
    put("ab");
    put("cd");
    expect_out("");
    cr_expect_eq(verd_writer_pending(writer), 4);
    cr_expect_eq(verd_writer_flush(writer), 0);
    expect_out("abcd");
    cr_expect_eq(verd_writer_pending(writer), 0);
}

Test(writer, what_has_no_room_goes_out_with_what_is_there)
{
    put("abcdefgh");
    expect_out("");
    put("i");
    expect_out("abcdefghi");
    put("0123456789");
    expect_out("0123456789");
    cr_expect_eq(verd_writer_pending(writer), 0);
}

Test(writer, the_parts_of_a_vector_are_pieces)
{
    struct iovec parts[] = {{"ab", 2}, {NULL, 0}, {"cdefgh", 6}, {"i", 1}, {"j", 1}};
    size_t done;
    cr_expect_eq(verd_writer_writev(writer, parts, 5, &done), 0);
    cr_expect_eq(done, 10);
    expect_out("abcdefghi");
    verd_writer_flush(writer);
    expect_out("j");
}

Test(writer, to_free_it_drops_what_was_not_flushed)
{
    put("ab");
    verd_writer_free(writer);
    writer = NULL;
    expect_out("");
}

/* ---- calls that fail ---- */

static size_t taken;

static ssize_t call_flush(struct call *call)
{
    (void)call;
    return outcome(verd_writer_flush(writer));
}

static ssize_t call_put(struct call *call)
{
    return outcome(verd_writer_write(writer, call->data, call->size, &taken));
}

Test(writer, a_flush_that_is_out_of_time_keeps_what_was_not_written)
{
    struct call call = {.size = 0};
    fill(fds[0]);
    put("abc");
    cr_expect_eq(call_within(VERD_MS, &call, call_flush, fds[0]), -ETIMEDOUT);
    cr_expect_eq(verd_writer_pending(writer), 3);
    drain(fds[1]);
    cr_expect_eq(verd_writer_flush(writer), 0);
    expect_out("abc");
}

Test(writer, a_write_that_is_killed_tells_how_much_it_has_taken)
{
    struct call call = {.data = "defghijk", .size = 8};
    fill(fds[0]);
    put("abc");
    call_start(&call, call_put, fds[0]);
    verd_kill(call.thread);
    cr_expect_eq(call_end(&call), -ECANCELED);
    cr_expect_eq(taken, 0);
    drain(fds[1]);
    verd_writer_flush(writer);
    expect_out("abc");
}

/* Takes so many bytes in all, and no more. */
static ssize_t take_few(void *ctx, const void *data, size_t size)
{
    ssize_t *left = ctx, n = (ssize_t)size < *left ? (ssize_t)size : *left;
    (void)data;
    *left -= n;
    errno = EPIPE;
    return n > 0 ? n : -1;
}

Test(writer, what_fails_in_the_middle_is_counted)
{
    static const verd_stream_ops few = {.write = take_few};
    ssize_t left = 5;
    verd_stream stream = {.fd = -1, .ops = &few, .ctx = &left};
    verd_writer *broken = verd_writer_new(stream, ROOM);
    cr_expect_eq(verd_writer_write(broken, "abc", 3, NULL), 0);
    cr_expect_eq(outcome(verd_writer_write(broken, "defghij", 7, &taken)), -EPIPE);
    cr_expect_eq(taken, 2);
    cr_expect_eq(verd_writer_pending(broken), 0);
    cr_expect_eq(verd_writer_write(broken, "fghij", 5, NULL), 0);
    left = 3;
    cr_expect_eq(outcome(verd_writer_flush(broken)), -EPIPE);
    cr_expect_eq(verd_writer_pending(broken), 2);
    verd_writer_free(broken);
}

Test(writer, a_second_thread_is_told_EBUSY)
{
    struct call call = {.size = 0};
    fill(fds[0]);
    put("abc");
    call_start(&call, call_flush, fds[0]);
    cr_expect_eq(outcome(put("d")), -EBUSY);
    drain(fds[1]);
    cr_expect_eq(call_end(&call), 0);
    expect_out("abc");
}

Test(writer, to_free_it_ends_a_call_that_waits)
{
    struct call call = {.size = 0};
    fill(fds[0]);
    put("abc");
    call_start(&call, call_flush, fds[0]);
    verd_writer_free(writer);
    writer = NULL;
    cr_expect_eq(call_end(&call), -EINVAL);
}

/* ---- verd_writev_full ---- */

static char letters[2][LARGE], received[4 * LARGE];

static ssize_t writev_large(struct call *call)
{
    struct iovec parts[] = {{letters[0], LARGE}, {letters[1], LARGE}, {NULL, 0}};
    return outcome(verd_writev_full(call->fd, parts, 3, &taken));
}

Test(writer, a_large_vector_is_written_whole_and_not_mixed)
{
    struct call calls[2] = {{.size = 0}};
    memset(letters[0], 'a', LARGE);
    memset(letters[1], 'b', LARGE);
    for (int i = 0; i < 2; i++)
        call_start(&calls[i], writev_large, fds[0]);
    cr_assert_eq(verd_read_full(fds[1], received, sizeof received, NULL), sizeof received);
    for (size_t i = 0; i < sizeof received; i++)
        cr_assert_eq(received[i], i / LARGE % 2 == 0 ? 'a' : 'b');
    for (int i = 0; i < 2; i++)
        cr_expect_eq(call_end(&calls[i]), (ssize_t)(2 * LARGE));
}

Test(writer, a_vector_that_is_killed_tells_how_much_was_written)
{
    struct call call = {.size = 0};
    call_start(&call, writev_large, fds[0]);
    verd_kill(call.thread);
    cr_expect_eq(call_end(&call), -ECANCELED);
    cr_expect_gt(taken, 0);
    cr_expect_eq(drain(fds[1]), taken);
}

Test(writer, a_vector_of_nothing_is_written_at_once)
{
    cr_expect_eq(verd_writev_full(-1, NULL, 0, &taken), 0);
    cr_expect_eq(taken, 0);
}
