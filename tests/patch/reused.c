/* SPDX-License-Identifier: MIT */

/* Numbers that were waited for once, closed behind the library's back, and became another file. No audit comes, so what
 * is noticed is noticed as a wait begins. That the calls do what their manual pages say then is programs/posix_same. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"
#include "patch/posix.h"

#define LARGE 4000000

static ssize_t read_some(struct call *call)
{
    return verd_posix_read(call->fd, call->data, sizeof call->data);
}

static ssize_t poll_one(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    return verd_posix_poll(&poller, 1, -1);
}

static ssize_t select_one(struct call *call)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(call->fd, &set);
    return verd_posix_select(call->fd + 1, &set, NULL, NULL, NULL);
}

static ssize_t write_much(struct call *call)
{
    static char much[LARGE];
    return verd_posix_write(call->fd, much, sizeof much);
}

/* A pair whose first number has been waited for, as another file. The first is the only one that is open of its file. */
static void make_reused(int fds[2])
{
    struct call reader = {0};
    int old[2], made[2];
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, old), 0);
    call_start(&reader, read_some, old[0]);
    send(old[1], "x", 1, 0);
    cr_assert_eq(call_end(&reader), 1);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, made), 0);
    dup2(made[0], old[0]);
    close(made[0]);
    fds[0] = old[0];
    fds[1] = made[1];
}

static void is_told_of_input(ssize_t (*make)(struct call *call), ssize_t expected)
{
    struct call call = {0};
    int fds[2];
    make_reused(fds);
    call_start(&call, make, fds[0]);
    cr_expect_not(call.returned);
    send(fds[1], "fresh", 5, 0);
    cr_expect_eq(call_end(&call), expected);
    close(fds[0]);
    close(fds[1]);
}

Test(patch, a_number_that_became_another_file_is_waited_for_as_that)
{
    cr_assert_not_null(verd_self());
    is_told_of_input(read_some, 5);
    is_told_of_input(poll_one, 1);
    is_told_of_input(select_one, 1);
}

Test(patch, all_is_written_to_the_file_that_a_number_became)
{
    static char room[LARGE];
    struct call writer = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    make_reused(fds);
    call_start(&writer, write_much, fds[0]);
    cr_expect_not(writer.returned);
    cr_expect_eq(verd_read_full(fds[1], room, sizeof room, NULL), LARGE);
    cr_expect_eq(call_end(&writer), LARGE);
}

/* One that waits in the same direction already makes the next one wait for another number of the file. */
Test(patch, who_waits_beside_another_is_told_although_the_number_for_that_was_another_file)
{
    struct call reader = {0}, next = {0};
    int fds[2], reused[2];
    cr_assert_not_null(verd_self());
    make_reused(reused);
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    close(reused[0]); /* the lowest that is free, unless one below is */
    call_start(&reader, read_some, fds[0]);
    call_start(&next, poll_one, fds[0]);
    send(fds[1], "x", 1, 0);
    cr_expect_eq(call_end(&next), 1);
    cr_expect_eq(call_end(&reader), 1);
}

static ssize_t read_twice(struct call *call)
{
    ssize_t got = verd_posix_read(call->fd, call->data, sizeof call->data);
    return got < 0 ? got : verd_posix_read(call->fd, call->data, sizeof call->data);
}

Test(patch, who_began_to_wait_before_a_number_became_another_file_gets_none_of_its_data)
{
    struct call reader = {0}, writer = {.size = 1};
    int fds[2], other[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
    call_start(&reader, read_twice, fds[0]);
    send(fds[1], "x", 1, 0);
    settle();
    cr_assert_not(reader.returned); /* in its second */
    dup2(other[0], fds[0]);
    send(other[1], "others", 6, 0);
    call_start(&writer, write_much, fds[0]); /* it waits, and so the change is noticed */
    cr_expect_eq(call_end(&reader), -EBADF);
    verd_kill(writer.thread);
    call_end(&writer);
}
