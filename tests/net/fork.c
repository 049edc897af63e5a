/* SPDX-License-Identifier: MIT */

/* A fork while a call on descriptors has ended its wait, and its thread has not run yet: the child has
 * nothing left of it. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include "call.h"
#include "process.h"

#define TIMEOUT_MS 150

static int pair[2];
static struct call poller;

static ssize_t poll_with_a_timeout(struct call *call)
{
    struct pollfd fds[] = {{.fd = call->fd, .events = POLLIN}, {.fd = -1}};
    return verd_poll(fds, 2, TIMEOUT_MS);
}

/* Writes over the stack that it gets, perhaps that of a thread that is gone. */
static void use_stack(void *arg)
{
    (void)arg;
    volatile char frame[64 * 1024];
    memset((char *)frame, 0x55, sizeof frame);
    verd_sleep(VERD_MS);
}

/* Time goes by, and stacks are used again. */
static bool lives_on(void)
{
    for (int i = 0; i < 4; i++)
        verd_spawn_n(use_stack, NULL);
    verd_duration begun = verd_now();
    verd_sleep(3 * TIMEOUT_MS * VERD_MS);
    return verd_now() - begun >= 3 * TIMEOUT_MS * VERD_MS;
}

static void start_poller(void)
{
    make_pair(pair);
    call_start(&poller, poll_with_a_timeout, pair[0]);
    cr_assert_not(poller.returned);
}

Test(fork, a_poll_that_was_killed_before_the_fork_leaves_nothing_in_the_child)
{
    start_poller();
    verd_kill(poller.thread);
    cr_assert(process_child_finds(lives_on));
    cr_assert_eq(call_end(&poller), -ECANCELED);
}

Test(fork, a_poll_whose_descriptor_was_closed_before_the_fork_leaves_nothing_in_the_child)
{
    start_poller();
    verd_close(pair[0]);
    cr_assert(process_child_finds(lives_on));
    cr_assert_eq(call_end(&poller), 1); /* POLLNVAL */
}

Test(fork, a_poll_whose_event_came_before_the_fork_leaves_nothing_in_the_child)
{
    start_poller();
    verd_write(pair[1], "x", 1);
    verd_yield(); /* comes back before the poller, which was woken after it */
    cr_assert_not(poller.returned);
    cr_assert(process_child_finds(lives_on));
    cr_assert_eq(call_end(&poller), 1);
}

static verd_timeout scope;

#define SCOPE (TIMEOUT_MS * VERD_MS / 2) /* the poller waits by then, under an emulator, too */

static ssize_t poll_in_a_scope(struct call *call)
{
    verd_timeout_begin(&scope, SCOPE);
    ssize_t n = poll_with_a_timeout(call);
    int error = errno;
    verd_timeout_end(&scope);
    errno = error;
    return n;
}

Test(fork, a_poll_whose_scope_fired_before_the_fork_leaves_nothing_in_the_child)
{
    make_pair(pair);
    call_start(&poller, poll_in_a_scope, pair[0]);
    verd_duration begun = verd_now();
    while (verd_now() < begun + SCOPE + VERD_MS)
        ;
    verd_yield(); /* comes back before the poller, whose time is over */
    cr_assert_not(poller.returned);
    cr_assert(process_child_finds(lives_on));
    cr_assert_eq(call_end(&poller), -ETIMEDOUT);
}
