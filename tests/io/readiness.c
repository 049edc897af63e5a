/* SPDX-License-Identifier: MIT */

/* verd_poll and verd_wait_fd, for those who read and write themselves. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "hub/hub.h"
#include "process.h"
#include "shortage.h"

#define MANY 100

static char buffer[64];

Test(io, poll_with_timeout_0_finds_what_is_ready)
{
    int fds[2];
    make_pair(fds);
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    verd_write(fds[1], "x", 1);
    cr_expect_eq(verd_poll(&poller, 1, 0), 1);
    cr_expect_eq(poller.revents, POLLIN);
}

Test(io, poll_with_timeout_0_does_not_wait)
{
    int fds[2];
    make_pair(fds);
    struct pollfd poller = {.fd = fds[0], .events = POLLIN, .revents = POLLERR};
    cr_expect_eq(verd_poll(&poller, 1, 0), 0);
    cr_expect_eq(poller.revents, 0);
}

Test(io, poll_with_a_timeout_waits_so_long)
{
    int fds[2];
    make_pair(fds);
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    verd_duration begin = verd_now();
    cr_expect_eq(verd_poll(&poller, 1, 20), 0);
    cr_expect_geq(verd_now() - begin, 20 * VERD_MS);
}

static ssize_t poll_for_a_minute(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    return verd_poll(&poller, 1, 60000);
}

Test(io, poll_with_a_timeout_returns_when_something_is_ready)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_for_a_minute, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), 1);
}

Test(io, the_end_of_poll_s_time_is_not_an_enclosing_timeout)
{
    struct call poller = {0};
    int fds[2];
    make_pair(fds);
    cr_assert_eq(call_within(20 * VERD_MS, &poller, poll_for_a_minute, fds[0]), -ETIMEDOUT);
}

Test(io, poll_without_a_timeout_waits_for_readiness)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, call_poll_input, fds[0]);
    bool waited = !poller.returned;
    verd_write(fds[1], "x", 1);
    cr_assert(call_end(&poller) == POLLIN && waited);
}

Test(io, poll_of_nothing_sleeps)
{
    verd_duration begin = verd_now();
    cr_expect_eq(verd_poll(NULL, 0, 5), 0);
    cr_expect_geq(verd_now() - begin, 5 * VERD_MS);
}

Test(io, poll_tells_a_closed_number_by_POLLNVAL)
{
    struct pollfd poller = {.fd = 1000, .events = POLLIN};
    cr_expect_eq(verd_poll(&poller, 1, -1), 1);
    cr_expect_eq(poller.revents, POLLNVAL);
}

Test(io, poll_leaves_negative_numbers_out)
{
    int fds[2];
    make_pair(fds);
    struct pollfd pollers[2] = {{.fd = -5, .events = POLLIN, .revents = POLLIN},
                                {.fd = fds[0], .events = POLLOUT}};
    cr_expect_eq(verd_poll(pollers, 2, -1), 1);
    cr_expect_eq(pollers[0].revents, 0);
}

static ssize_t poll_twice_the_same(struct call *call)
{
    struct pollfd pollers[2] = {{.fd = call->fd, .events = POLLIN},
                                {.fd = call->fd, .events = POLLIN | POLLPRI}};
    return verd_poll(pollers, 2, -1);
}

Test(io, poll_takes_a_descriptor_twice)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_twice_the_same, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), 2);
}

Test(io, a_descriptor_polled_twice_can_be_waited_for_afterwards)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_twice_the_same, fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&poller);
    verd_read(fds[0], buffer, sizeof buffer);
    call_start(&poller, call_read, fds[0]);
    verd_write(fds[1], "yy", 2);
    cr_assert_eq(call_end(&poller), 2);
}

static ssize_t poll_both_ways(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN | POLLOUT};
    return verd_poll(&poller, 1, -1) < 0 ? -1 : poller.revents;
}

Test(io, poll_for_both_directions_is_woken_by_input)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    fill(fds[0]);
    call_start(&poller, poll_both_ways, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), POLLIN);
}

Test(io, poll_for_both_directions_is_woken_by_room)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    fill(fds[0]);
    call_start(&poller, poll_both_ways, fds[0]);
    drain(fds[1]);
    cr_assert_eq(call_end(&poller), POLLOUT);
}

static int ends[MANY][2];

static void make_many(void)
{
    need_descriptors(2 * MANY);
    for (int i = 0; i < MANY; i++)
        make_pair(ends[i]);
}

static ssize_t poll_many(struct call *call)
{
    struct pollfd pollers[MANY];
    for (int i = 0; i < MANY; i++)
        pollers[i] = (struct pollfd){.fd = ends[i][0], .events = POLLIN};
    int count = verd_poll(pollers, MANY, -1);
    for (int i = 0; count == 1 && i < MANY; i++) {
        if (pollers[i].revents != 0)
            return i;
    }
    call->size = (size_t)count;
    return count < 0 ? -1 : 1000 + count;
}

Test(io, poll_finds_the_one_of_many_that_is_ready)
{
    struct call poller = {0};
    make_many();
    call_start(&poller, poll_many, 0);
    verd_write(ends[77][1], "x", 1);
    cr_assert_eq(call_end(&poller), 77);
}

Test(io, poll_leaves_all_of_many_usable)
{
    struct call poller = {0}, readers[MANY] = {0};
    make_many();
    call_start(&poller, poll_many, 0);
    verd_kill(poller.thread);
    cr_expect_eq(call_end(&poller), -ECANCELED);
    for (int i = 0; i < MANY; i++)
        call_start(&readers[i], call_read, ends[i][0]);
    for (int i = 0; i < MANY; i++)
        verd_write(ends[i][1], "x", 1);
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(call_end(&readers[i]), 1);
}

Test(io, poll_of_what_someone_reads_is_EBUSY_and_leaves_the_others_free)
{
    int fds[2], others[2];
    struct call reader = {0}, next = {0};
    make_pair(fds);
    make_pair(others);
    call_start(&reader, call_read, fds[0]);
    struct pollfd pollers[2] = {{.fd = others[0], .events = POLLIN},
                                {.fd = fds[0], .events = POLLIN}};
    cr_expect_eq(outcome(verd_poll(pollers, 2, -1)), -EBUSY);
    call_start(&next, call_read, others[0]);
    verd_write(others[1], "x", 1);
    cr_expect_eq(call_end(&next), 1);
}

Test(io, poll_tells_a_hang_up_that_was_not_asked_for)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_both_ways, fds[0]);
    call_end(&poller);
    verd_close(fds[1]);
    struct pollfd quiet = {.fd = fds[0], .events = 0};
    verd_poll(&quiet, 1, -1);
    cr_assert(quiet.revents & POLLHUP);
}

static ssize_t poll_for_nothing(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = 0};
    return verd_poll(&poller, 1, -1) < 0 ? -1 : poller.revents;
}

Test(io, poll_for_nothing_waits_for_a_hang_up)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_for_nothing, fds[0]);
    bool waited = !poller.returned;
    verd_close(fds[1]);
    cr_assert(call_end(&poller) == POLLHUP && waited);
}

/* TCP has no bands: data that is there, and room, are none. */
static void wait_for_a_band(short band, int fds[2])
{
    struct pollfd poller = {.fd = fds[0], .events = band};
    verd_write(fds[1], "x", 1);
    const struct verd__loop *loop = verd__loop(verd__scheduler());
    size_t before = loop->polls;
    cr_assert_eq(verd_poll(&poller, 1, 20), 0);
    cr_assert_leq(loop->polls - before, 4);
}

Test(io, poll_for_urgent_bands_of_input_has_its_timeout)
{
    int fds[2];
    make_tcp_pair(fds);
    wait_for_a_band(POLLRDBAND, fds);
}

Test(io, poll_for_urgent_bands_of_output_has_its_timeout)
{
    int fds[2];
    make_tcp_pair(fds);
    wait_for_a_band(POLLWRBAND, fds);
}

Test(io, poll_for_a_band_of_what_is_made_elsewhere_has_its_timeout)
{
    int fds[2], other = -1;
    make_tcp_pair(fds);
    other = dup(fds[0]);
    wait_for_a_band(POLLRDBAND, (int[]){other, fds[1]});
}

static ssize_t poll_for_what_is_normal(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLRDNORM};
    return verd_poll(&poller, 1, -1) == 1 ? poller.revents : -1;
}

Test(io, poll_for_normal_data_is_woken_by_it)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_for_what_is_normal, fds[0]);
    cr_assert_not(poller.returned);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), POLLRDNORM);
}

static ssize_t poll_twice(struct call *call)
{
    struct pollfd pollers[] = {
        {.fd = call->fd, .events = POLLPRI},
        {.fd = call->fd, .events = POLLIN},
    };
    return verd_poll(pollers, 2, -1) == 1 ? pollers[1].revents : -1;
}

Test(io, poll_of_a_descriptor_twice_waits_for_the_events_of_both)
{
    int fds[2];
    struct call poller = {0};
    make_foreign_pair(fds);
    call_start(&poller, poll_twice, fds[0]);
    send(fds[1], "x", 1, 0);
    cr_assert_eq(call_end(&poller), POLLIN);
}

/* In ms; long enough for another thread to write before it is over. */
static int poll_time(void)
{
    return process_is_translated() ? 1000 : 20;
}

/* What was on the caller's stack is overwritten when the time would be over. */
static void overwrite(void)
{
    volatile char memory[4096];
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (char)0xa5;
    verd_sleep((poll_time() + 10) * VERD_MS);
}

static ssize_t poll_and_go_on(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    int ready = verd_poll(&poller, 1, poll_time());
    overwrite();
    return ready;
}

Test(io, the_time_of_a_poll_is_forgotten_when_it_is_woken_before)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, poll_and_go_on, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), 1);
}

Test(io, wait_fd_returns_what_is_ready)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(verd_wait_fd(fds[0], POLLIN | POLLOUT), POLLIN | POLLOUT);
}

Test(io, wait_fd_waits_for_input)
{
    int fds[2];
    struct call waiter = {0};
    make_pair(fds);
    call_start(&waiter, call_wait_input, fds[0]);
    bool waited = !waiter.returned;
    verd_write(fds[1], "x", 1);
    cr_assert(call_end(&waiter) == POLLIN && waited);
}

Test(io, wait_fd_finds_data_that_was_not_read)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_wait_fd(fds[0], POLLIN);
    cr_assert_eq(verd_wait_fd(fds[0], POLLIN), POLLIN);
}

Test(io, wait_fd_finds_data_after_a_short_read)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_write(fds[1], "y", 1);
    cr_assert_eq(verd_wait_fd(fds[0], POLLIN), POLLIN);
}

Test(io, wait_fd_tells_a_hang_up)
{
    int fds[2];
    struct call waiter = {0};
    verd_pipe(fds);
    call_start(&waiter, call_wait_input, fds[0]);
    verd_close(fds[1]);
    cr_assert_eq(call_end(&waiter), POLLHUP);
}

Test(io, wait_fd_for_output_tells_a_pipe_without_reader)
{
    int fds[2];
    verd_pipe(fds);
    verd_close(fds[0]);
    cr_assert(verd_wait_fd(fds[1], POLLOUT) & POLLERR);
}

static ssize_t wait_for(struct call *call)
{
    return verd_wait_fd(call->fd, (short)call->size);
}

Test(io, wait_fd_for_a_half_close_ignores_data)
{
    int fds[2];
    struct call waiter = {.size = POLLRDHUP};
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    call_start(&waiter, wait_for, fds[0]);
    bool waited = !waiter.returned;
    verd_shutdown(fds[1], SHUT_WR);
    cr_assert(call_end(&waiter) == POLLRDHUP && waited);
}

Test(io, wait_fd_for_urgent_data_ignores_other_data)
{
    int fds[2];
    struct call waiter = {.size = POLLPRI};
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    call_start(&waiter, wait_for, fds[0]);
    bool waited = !waiter.returned;
    send(fds[1], "!", 1, MSG_OOB);
    cr_assert(call_end(&waiter) == POLLPRI && waited);
}

Test(io, wait_fd_for_no_event_is_EINVAL)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(outcome(verd_wait_fd(fds[0], 0)), -EINVAL);
}

Test(io, wait_fd_for_an_unknown_event_is_EINVAL)
{
    int fds[2];
    make_pair(fds);
    cr_expect_eq(outcome(verd_wait_fd(fds[0], POLLIN | 0x4000)), -EINVAL);
    cr_expect_eq(outcome(verd_wait_fd(fds[0], POLLNVAL)), -EINVAL);
}
