/* SPDX-License-Identifier: MIT */

/* Readers: lines, messages and pieces, whatever came together, and what a call that fails leaves. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "leak.h"

#define LIMIT 16

static int fds[2];
static verd_reader *reader; /* of the first */
static char *data;
static size_t size;

static void set_up(void)
{
    make_pair(fds);
    reader = verd_reader_new(verd_stream_of(fds[0]), LIMIT);
    cr_assert_not_null(reader);
}

static void tear_down(void)
{
    verd_reader_free(reader);
}

TestSuite(reader, .init = set_up, .fini = tear_down);

static void come(const char *text)
{
    cr_assert_eq(verd_write_full(fds[1], text, strlen(text), NULL), (ssize_t)strlen(text));
}

static void expect_line(const char *expected)
{
    cr_assert_eq(verd_reader_line(reader, &data, &size), 1);
    cr_expect_str_eq(data, expected);
    cr_expect_eq(size, strlen(expected));
}

/* ---- lines ---- */

Test(reader, lines_that_came_together_come_one_by_one)
{
    come("a\nbc\n\nd\n");
    expect_line("a");
    expect_line("bc");
    expect_line("");
    expect_line("d");
}

/* Sends a text byte by byte, each when the reader waits for it. */
static void *send_apart(void *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        cr_assert_eq(verd_write(fds[1], at, 1), 1);
        settle();
    }
    return NULL;
}

static void come_apart(char *text)
{
    verd_release(verd_spawn(send_apart, text));
}

Test(reader, a_line_is_put_together)
{
    come_apart((char[]){"a line\n"});
    expect_line("a line");
}

Test(reader, a_line_may_end_in_two_bytes)
{
    come("a\r\n\r\nb\rc\n");
    expect_line("a");
    expect_line("");
    expect_line("b\rc");
}

Test(reader, the_last_line_may_lack_its_end)
{
    come("a\nb");
    verd_close(fds[1]);
    expect_line("a");
    expect_line("b");
    cr_expect_eq(verd_reader_line(reader, &data, NULL), 0);
    cr_expect_eq(verd_reader_line(reader, &data, NULL), 0);
}

Test(reader, a_line_of_the_limit_fits)
{
    come("123456789012345\n");
    expect_line("123456789012345");
}

Test(reader, a_line_beyond_the_limit_is_EMSGSIZE_and_stays)
{
    char piece[LIMIT];
    come("1234567890123456\nb\n");
    cr_expect_eq(outcome(verd_reader_line(reader, &data, NULL)), -EMSGSIZE);
    cr_expect_eq(outcome(verd_reader_line(reader, &data, NULL)), -EMSGSIZE);
    cr_expect_eq(verd_reader_read(reader, piece, 4), 4);
    cr_expect_eq(memcmp(piece, "1234", 4), 0);
    expect_line("567890123456");
    expect_line("b");
}

/* However the bytes come, the limit is the same. */
Test(reader, a_line_beyond_the_limit_is_one_even_if_its_end_is_there)
{
    verd_reader *wide = verd_reader_new(verd_stream_of(fds[0]), LIMIT + 1);
    come("a\n1234567890123456\n");
    cr_expect_eq(verd_reader_line(wide, &data, &size), 1);
    cr_expect_eq(verd_reader_line(wide, &data, &size), 1);
    cr_expect_eq(size, 16);
    verd_reader_free(wide);
    come("a\n1234567890123456\n");
    expect_line("a");
    cr_expect_eq(outcome(verd_reader_line(reader, &data, NULL)), -EMSGSIZE);
}

/* The buffer has more room than the limit, and all of it is there. */
Test(reader, a_limit_that_is_no_power_of_two_is_one)
{
    enum { MANY = 5000 };
    static char text[MANY + 1];
    verd_reader *large = verd_reader_new(verd_stream_of(fds[0]), MANY);
    memset(text, 'x', MANY);
    text[MANY] = '\n';
    cr_assert_eq(verd_write_full(fds[1], text, sizeof text, NULL), MANY + 1);
    cr_expect_eq(verd_reader_peek(large, MANY, NULL), MANY + 1);
    cr_expect_eq(outcome(verd_reader_line(large, &data, NULL)), -EMSGSIZE);
    cr_expect_eq(verd_reader_skip(large, 1, NULL), 1);
    cr_expect_eq(verd_reader_line(large, &data, &size), 1);
    cr_expect_eq(size, MANY - 1);
    verd_reader_free(large);
}

static char line[100001];

static void *send_it(void *arg)
{
    verd_write_full(fds[1], arg, sizeof line, NULL);
    return NULL;
}

Test(reader, lines_are_long_where_the_limit_is)
{
    verd_reader *large = verd_reader_new(verd_stream_of(fds[0]), sizeof line);
    for (int i = 0; i < 3; i++) {
        memset(line, 'a' + i, sizeof line - 1);
        line[sizeof line - 1] = '\n';
        verd_thread *sender = verd_spawn(send_it, line);
        cr_assert_eq(verd_reader_line(large, &data, &size), 1);
        cr_expect_eq(size, sizeof line - 1);
        cr_expect_eq(data[0], 'a' + i);
        cr_expect_eq(memcmp(data, line, size), 0);
        verd_join(sender, NULL);
    }
    verd_reader_free(large);
}

/* ---- delimiters ---- */

static int until(const char *delimiter)
{
    return verd_reader_until(reader, delimiter, strlen(delimiter), &data, &size);
}

Test(reader, a_delimiter_has_several_bytes_which_come_apart)
{
    come_apart((char[]){"a---b--c"});
    cr_assert_eq(until("--"), 1);
    cr_expect_str_eq(data, "a");
    cr_assert_eq(until("--"), 1);
    cr_expect_str_eq(data, "-b");
}

Test(reader, a_delimiter_may_be_a_zero)
{
    cr_assert_eq(verd_write(fds[1], "a\0b\0", 4), 4);
    cr_assert_eq(verd_reader_until(reader, "", 1, &data, &size), 1);
    cr_expect_str_eq(data, "a");
    cr_assert_eq(verd_reader_until(reader, "", 1, &data, &size), 1);
    cr_expect_str_eq(data, "b");
}

Test(reader, what_is_cut_off_at_the_end_is_not_taken_for_whole)
{
    come("a;b");
    verd_close(fds[1]);
    cr_assert_eq(until(";"), 1);
    cr_expect_eq(until(";"), 0);
    cr_expect_eq(verd_reader_peek(reader, 0, &data), 1);
    cr_expect_eq(*data, 'b');
}

Test(reader, no_delimiter_within_the_limit_is_EMSGSIZE)
{
    come("1234567890123456;");
    cr_expect_eq(outcome(until(";")), -EMSGSIZE);
}

/* ---- pieces ---- */

Test(reader, a_message_is_looked_at_and_taken_when_it_is_whole)
{
    come("\003abc\002de");
    cr_assert_geq(verd_reader_peek(reader, 1, &data), 1);
    cr_assert_geq(verd_reader_peek(reader, 1U + (size_t)*data, &data), 4);
    cr_expect_eq(memcmp(data, "\003abc", 4), 0);
    cr_expect_eq(verd_reader_skip(reader, 4, NULL), 4);
    cr_assert_geq(verd_reader_peek(reader, 3, &data), 3);
    cr_expect_eq(memcmp(data, "\002de", 3), 0);
}

Test(reader, to_look_further_than_the_end_gives_what_is_there)
{
    come("ab");
    verd_close(fds[1]);
    cr_expect_eq(verd_reader_peek(reader, 5, &data), 2);
    cr_expect_eq(verd_reader_peek(reader, 5, &data), 2);
}

Test(reader, to_look_for_nothing_does_not_wait)
{
    cr_expect_eq(verd_reader_peek(reader, 0, &data), 0);
}

Test(reader, to_look_beyond_the_limit_is_EMSGSIZE)
{
    cr_expect_eq(outcome(verd_reader_peek(reader, LIMIT + 1, NULL)), -EMSGSIZE);
}

Test(reader, exactly_so_many_bytes_may_be_more_than_the_limit)
{
    char text[64] = "";
    come("a\n0123456789");
    expect_line("a");
    come("0123456789012345678901234567890123456789");
    cr_expect_eq(verd_reader_read_full(reader, text, 40, NULL), 40);
    cr_expect_str_eq(text, "0123456789012345678901234567890123456789");
    cr_expect_eq(verd_reader_skip(reader, 9, NULL), 9);
    come("b\n");
    expect_line("9b");
}

Test(reader, fewer_than_exactly_so_many_bytes_mean_the_end)
{
    char text[8];
    size_t done;
    come("abcde");
    verd_close(fds[1]);
    cr_expect_eq(verd_reader_skip(reader, 1, NULL), 1);
    cr_expect_eq(verd_reader_read_full(reader, text, 8, &done), 4);
    cr_expect_eq(done, 4);
    cr_expect_eq(verd_reader_skip(reader, 8, &done), 0);
}

Test(reader, a_piece_is_what_is_there)
{
    char text[64];
    come("a\nbcd");
    expect_line("a");
    cr_expect_eq(verd_reader_read(reader, text, sizeof text), 3);
    come("0123456789012345678901234567890123456789");
    cr_expect_eq(verd_reader_read(reader, text, sizeof text), 40); /* past the buffer */
    cr_expect_eq(verd_reader_read(reader, text, 0), 0);
}

static ssize_t call_line(struct call *call)
{
    (void)call;
    return outcome(verd_reader_line(reader, &data, &size));
}

static void *send_large(void *text)
{
    verd_write_full(fds[1], text, 1 << 20, NULL);
    return NULL;
}

Test(reader, memory_that_a_long_line_needed_goes_back_when_the_reader_waits_again)
{
    static char text[1 << 20];
    struct call call = {.size = 0};
    verd_reader_free(reader);
    if (!leak_is_told())
        cr_skip_test("malloc does not tell");
    ssize_t before = (ssize_t)leak_in_use();
    reader = verd_reader_new(verd_stream_of(fds[0]), sizeof text);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\n';
    verd_thread *sender = verd_spawn(send_large, text);
    cr_assert_eq(verd_reader_line(reader, &data, NULL), 1);
    cr_assert_eq(verd_join(sender, NULL), 0);
    cr_expect_gt((ssize_t)leak_in_use() - before, (ssize_t)sizeof text);
    call_start(&call, call_line, fds[0]);
    cr_expect_lt((ssize_t)leak_in_use() - before, 16 * 1024);
    come("a\n");
    cr_expect_eq(call_end(&call), 1);
}

Test(reader, what_has_come_and_was_not_taken_is_pending)
{
    cr_expect_eq(verd_reader_pending(reader), 0);
    come("a\nbc\n");
    expect_line("a");
    cr_expect_eq(verd_reader_pending(reader), 3);
    expect_line("bc");
    cr_expect_eq(verd_reader_pending(reader), 0);
    cr_expect_eq(verd_reader_pending(NULL), 0);
}

/* ---- calls that fail ---- */

Test(reader, a_timeout_in_the_middle_of_a_line_keeps_what_came)
{
    struct call call = {.size = 0};
    come("half a ");
    cr_expect_eq(call_within(VERD_MS, &call, call_line, fds[0]), -ETIMEDOUT);
    come("line\n");
    expect_line("half a line");
}

Test(reader, a_kill_in_the_middle_of_a_line_keeps_what_came)
{
    struct call call = {.size = 0};
    come("half a ");
    call_start(&call, call_line, fds[0]);
    verd_kill(call.thread);
    cr_expect_eq(call_end(&call), -ECANCELED);
    come("line\n");
    expect_line("half a line");
}

Test(reader, an_error_in_the_middle_of_a_line_keeps_what_came)
{
    char text[8];
    come("half");
    cr_expect_eq(verd_reader_peek(reader, 4, NULL), 4);
    verd_close(fds[0]);
    cr_expect_eq(outcome(verd_reader_line(reader, &data, NULL)), -EBADF);
    cr_expect_eq(verd_reader_read(reader, text, sizeof text), 4);
}

static size_t done;

static ssize_t call_read_full(struct call *call)
{
    return outcome(verd_reader_read_full(reader, call->data, 8, &done));
}

static ssize_t call_skip(struct call *call)
{
    (void)call;
    return outcome(verd_reader_skip(reader, 8, &done));
}

Test(reader, a_timeout_in_the_middle_of_a_piece_tells_how_much_was_taken)
{
    struct call call = {.size = 0};
    come("abc");
    cr_expect_eq(call_within(VERD_MS, &call, call_read_full, fds[0]), -ETIMEDOUT);
    cr_expect_eq(done, 3);
    cr_expect_eq(memcmp(call.data, "abc", 3), 0);
    come("de");
    call_start(&call, call_skip, fds[0]);
    verd_kill(call.thread);
    cr_expect_eq(call_end(&call), -ECANCELED);
    cr_expect_eq(done, 2);
    come("f\n");
    expect_line("f");
}

Test(reader, a_second_thread_is_told_EBUSY)
{
    struct call call = {.size = 0};
    call_start(&call, call_line, fds[0]);
    cr_expect_eq(outcome(verd_reader_line(reader, &data, NULL)), -EBUSY);
    cr_expect_eq(outcome(verd_reader_peek(reader, 0, NULL)), -EBUSY);
    come("a\n");
    cr_expect_eq(call_end(&call), 1);
}

Test(reader, to_free_it_ends_a_call_that_waits)
{
    struct call call = {.size = 0};
    come("half");
    call_start(&call, call_line, fds[0]);
    verd_reader_free(reader);
    reader = NULL;
    cr_expect_eq(call_end(&call), -EINVAL);
    come("a");
    cr_expect_eq(verd_read(fds[0], call.data, 1), 1);
}

/* A layer in between, which reads a second time in one call. */
static ssize_t read_twice(void *ctx, void *buffer, size_t room)
{
    char one;
    (void)room;
    if (verd_read(*(int *)ctx, &one, 1) != 1 || verd_read(*(int *)ctx, buffer, 1) != 1)
        return -1;
    return 1;
}

Test(reader, any_stream_is_read)
{
    static const verd_stream_ops every_second = {.read = read_twice};
    verd_stream stream = {.fd = -1, .ops = &every_second, .ctx = &fds[0]};
    verd_reader *layered = verd_reader_new(stream, LIMIT);
    come(".a.b.\n.c");
    cr_assert_eq(verd_reader_line(layered, &data, NULL), 1);
    cr_expect_str_eq(data, "ab");
    verd_reader_free(layered);
}

static void *count_others(void *arg)
{
    size_t *count = arg;
    while (verd_sleep(0) == 0)
        ++*count;
    return NULL;
}

Test(reader, lines_that_are_there_leave_others_their_turn)
{
    static char many[20000];
    size_t count = 0;
    memset(many, '\n', sizeof many);
    verd_thread *other = verd_spawn(count_others, &count);
    verd_reader *large = verd_reader_new(verd_stream_of(fds[0]), sizeof many);
    for (size_t i = 0; i < sizeof many / 1000; i++) {
        cr_assert_eq(verd_write_full(fds[1], many, 1000, NULL), 1000);
        cr_assert_geq(verd_reader_peek(large, 1000, NULL), 1000);
        for (size_t j = 0; j < 1000; j++)
            cr_assert_eq(verd_reader_line(large, NULL, NULL), 1);
    }
    cr_expect_gt(count, 10);
    verd_kill(other);
    verd_join(other, NULL);
    verd_reader_free(large);
}
