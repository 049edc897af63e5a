/* SPDX-License-Identifier: MIT */

/* verd_read_full, verd_write_full, and what they tell of a part that was done. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

static char buffer[64];
static char large[1024 * 1024];

struct partial {
    int fd;
    size_t done;
    ssize_t outcome;
};

static void *read_ten(void *arg)
{
    struct partial *partial = arg;
    partial->outcome = outcome(verd_read_full(partial->fd, buffer, 10, &partial->done));
    return NULL;
}

static void *write_large(void *arg)
{
    struct partial *partial = arg;
    partial->outcome = outcome(verd_write_full(partial->fd, large, sizeof large, &partial->done));
    return NULL;
}

/* Runs fn on a thread until it waits, and kills it there. */
static struct partial killed(void *(*fn)(void *), int fd)
{
    struct partial partial = {.fd = fd, .done = 12345};
    verd_thread *thread = verd_spawn(fn, &partial);
    settle();
    verd_kill(thread);
    verd_join(thread, NULL);
    return partial;
}

Test(io, read_full_waits_for_all)
{
    int fds[2];
    make_tcp_pair(fds);
    struct partial partial = {.fd = fds[0]};
    verd_thread *reader = verd_spawn(read_ten, &partial);
    for (int i = 0; i < 5; i++) {
        verd_write(fds[1], "ab", 2);
        settle();
    }
    verd_join(reader, NULL);
    cr_assert_str_eq(buffer, "ababababab");
}

Test(io, read_full_returns_less_at_the_end)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "abc", 3);
    verd_close(fds[1]);
    cr_assert_eq(verd_read_full(fds[0], buffer, 10, NULL), 3);
}

Test(io, read_full_returns_0_at_an_end_without_data)
{
    int fds[2];
    make_pair(fds);
    verd_close(fds[1]);
    cr_assert_eq(verd_read_full(fds[0], buffer, 10, NULL), 0);
}

Test(io, read_full_of_nothing_does_not_wait)
{
    int fds[2];
    size_t done = 12345;
    make_pair(fds);
    verd_read_full(fds[0], buffer, 0, &done);
    cr_assert_eq(done, 0);
}

Test(io, read_full_leaves_what_is_behind)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "abcdef", 6);
    verd_read_full(fds[0], buffer, 4, NULL);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 2);
}

Test(io, a_killed_read_full_tells_what_it_has_read)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "abc", 3);
    struct partial partial = killed(read_ten, fds[0]);
    cr_assert(partial.outcome == -ECANCELED && partial.done == 3);
}

Test(io, a_read_full_out_of_time_tells_what_it_has_read)
{
    int fds[2];
    size_t done = 12345;
    verd_timeout limit;
    make_pair(fds);
    verd_write(fds[1], "abc", 3);
    verd_timeout_begin(&limit, VERD_MS);
    ssize_t n = outcome(verd_read_full(fds[0], buffer, 10, &done));
    verd_timeout_end(&limit);
    cr_assert(n == -ETIMEDOUT && done == 3);
}

Test(io, a_read_full_that_was_given_up_is_continued)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "abc", 3);
    struct partial partial = killed(read_ten, fds[0]);
    verd_write(fds[1], "defghij", 7);
    verd_read_full(fds[0], buffer + partial.done, 10 - partial.done, NULL);
    cr_assert_str_eq(buffer, "abcdefghij");
}

Test(io, read_full_of_a_bad_descriptor_has_read_nothing)
{
    size_t done = 12345;
    cr_expect_eq(outcome(verd_read_full(-1, buffer, 10, &done)), -EBADF);
    cr_expect_eq(done, 0);
}

Test(io, a_killed_write_full_tells_what_it_has_written)
{
    int fds[2];
    make_pair(fds);
    struct partial partial = killed(write_large, fds[1]);
    cr_expect_eq(partial.outcome, -ECANCELED);
    cr_expect_gt(partial.done, 0);
    cr_expect_eq(drain(fds[0]), partial.done);
}

Test(io, a_killed_write_full_to_a_blocking_pipe_tells_what_it_has_written)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    struct partial partial = killed(write_large, fds[1]);
    cr_expect_eq(partial.outcome, -ECANCELED);
    cr_expect_eq(drain(fds[0]), partial.done);
}

Test(io, write_full_of_a_bad_descriptor_has_written_nothing)
{
    size_t done = 12345;
    cr_expect_eq(outcome(verd_write_full(-1, buffer, 10, &done)), -EBADF);
    cr_expect_eq(done, 0);
}

Test(io, write_full_returns_the_size)
{
    int fds[2];
    size_t done = 0;
    make_pair(fds);
    cr_expect_eq(verd_write_full(fds[0], buffer, 10, &done), 10);
    cr_expect_eq(done, 10);
}
