/* SPDX-License-Identifier: MIT */
/* Waits that share a descriptor: other directions, other events, and the file that had its number before. */
#include <criterion/criterion.h>
#include <poll.h>
#include <unistd.h>

#include "call.h"
#include "hub/hub.h"

static ssize_t wait_output(struct call *call)
{
    return verd_wait_fd(call->fd, POLLOUT);
}

static void write_soon(void *fd)
{
    verd_yield();
    (void)!write(*(int *)fd, "x", 1);
}

static void make_two_kinds(int pairs[2][2])
{
    make_pair(pairs[0]);
    make_foreign_pair(pairs[1]);
}

/* To others: the same thread's next wait would be taken for that one. */
Test(hub, a_poll_for_output_that_is_over_leaves_the_descriptor_to_others)
{
    int pairs[2][2];
    make_two_kinds(pairs);
    for (int i = 0; i < 2; i++) {
        struct call call = {0};
        struct pollfd poller = {.fd = pairs[i][0], .events = POLLOUT};
        fill(poller.fd);
        cr_assert_eq(verd_poll(&poller, 1, 1), 0);
        call_start(&call, wait_output, poller.fd);
        cr_assert_not(call.returned, "%zd", call.outcome);
        drain(pairs[i][1]);
        cr_assert_eq(call_end(&call), POLLOUT);
    }
}

/* POLLIN comes second, and is for what comes. */
static ssize_t poll_twice(struct call *call)
{
    struct pollfd pollers[] = {{.fd = call->fd, .events = POLLPRI},
                               {.fd = call->fd, .events = POLLIN}};
    int ready = verd_poll(pollers, 2, -1);
    return ready == 1 ? pollers[1].revents : -ready;
}

Test(hub, a_poll_that_names_a_descriptor_twice_waits_for_all_that_is_named)
{
    int pairs[2][2];
    make_two_kinds(pairs);
    for (int i = 0; i < 2; i++) {
        struct call call = {0};
        call_start(&call, poll_twice, pairs[i][0]);
        cr_assert_not(call.returned);
        cr_assert_eq(write(pairs[i][1], "x", 1), 1);
        verd_sleep(VERD_MS);
        cr_assert(call.returned && call.outcome == POLLIN);
    }
}

Test(hub, an_old_errno_is_not_taken_for_that_of_the_second_wait_for_a_descriptor)
{
    int fds[2];
    struct call call = {0};
    make_foreign_pair(fds);
    cr_assert_eq(call_within(VERD_MS, &call, call_wait_input, fds[0]), -ETIMEDOUT);
    verd_spawn_n(write_soon, &fds[1]);
    errno = ENOENT;
    cr_assert_gt(verd_wait_fd(fds[0], POLLIN), 0);
}

Test(hub, a_wait_for_another_file_of_the_number_ends_that_for_the_one_before)
{
    int fds[2], others[2];
    struct call reader = {0}, other = {0};
    make_foreign_pair(fds);
    make_foreign_pair(others);
    fill(others[0]);
    call_start(&reader, call_read, fds[0]);
    cr_assert_eq(dup2(others[0], fds[0]), fds[0]);
    call_start(&other, wait_output, fds[0]);
    settle();
    cr_assert(reader.returned);
    cr_assert_eq(reader.outcome, -EBADF);
    cr_assert_not(other.returned);
}

Test(hub, input_that_nobody_waits_for_any_more_does_not_keep_it_awake)
{
    int fds[2];
    struct call reader = {0}, writer = {0};
    make_foreign_pair(fds);
    fill(fds[0]);
    call_start(&writer, wait_output, fds[0]);
    cr_assert_eq(call_within(VERD_MS, &reader, call_wait_input, fds[0]), -ETIMEDOUT);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    verd_sleep(VERD_MS);
    size_t before = verd__loop(verd__scheduler())->polls;
    verd_sleep(20 * VERD_MS);
    cr_assert_leq(verd__loop(verd__scheduler())->polls - before, 4);
    cr_assert_not(writer.returned);
}
