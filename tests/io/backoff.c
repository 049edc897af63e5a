/* SPDX-License-Identifier: MIT */

/* Waits for a free descriptor, of which nobody may ever tell. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "io/backoff.h"

#define LONGEST (200 * VERD_MS)

static struct verd__backoff backoff;

static int wait_once(struct caller *self)
{
    (void)self;
    return verd__backoff_wait(&backoff, verd__scheduler());
}

Test(io, who_waits_for_a_free_descriptor_asks_ever_more_seldom_but_goes_on_asking)
{
    verd_duration begin = verd_now();
    cr_assert_eq(wait_once(NULL), 0);
    verd_duration first = verd_now() - begin;
    cr_expect_gt(backoff.pause, 0);
    begin = verd_now();
    verd_duration pause = backoff.pause;
    cr_assert_eq(wait_once(NULL), 0);
    cr_expect_geq(verd_now() - begin, pause);
    cr_expect(backoff.pause == 2 * pause && first >= pause / 2);
    backoff.pause = LONGEST * 2 / 3;
    cr_assert_eq(wait_once(NULL), 0);
    cr_expect_eq(backoff.pause, LONGEST);
}

Test(io, who_waits_for_a_free_descriptor_has_it_as_soon_as_one_is_closed)
{
    struct caller first = {0}, second = {0};
    int fds[2];
    make_pair(fds);
    cr_assert_eq(wait_once(NULL), 0);
    verd_duration shortest = backoff.pause / 2;
    backoff.pause = 3600 * VERD_SEC;
    caller_start(&first, wait_once, NULL, NULL);
    caller_start(&second, wait_once, NULL, NULL);
    cr_assert_not(first.done);
    cr_expect_eq(verd_close(fds[0]), 0);
    cr_expect_eq(caller_end(&first), 0);
    cr_expect_not(second.done, "it is one descriptor");
    cr_expect_eq(backoff.pause, shortest, "the shortage may be over");
    cr_expect_eq(verd_close(fds[1]), 0);
    cr_expect_eq(caller_end(&second), 0);
}

static int wait_twice(struct caller *self)
{
    return verd__backoff_wait(&backoff, verd__scheduler()) == 0 ? wait_once(self) : 1;
}

/* The kill ends no wait: the thread has to run yet. */
Test(io, who_is_killed_as_a_wait_for_a_descriptor_ends_begins_no_other)
{
    struct caller waiter = {0};
    int fds[2];
    make_pair(fds);
    backoff.pause = 3600 * VERD_SEC;
    caller_start(&waiter, wait_twice, NULL, NULL);
    cr_expect_eq(verd_close(fds[0]), 0);
    verd_kill(waiter.thread);
    cr_expect_eq(caller_end(&waiter), -ECANCELED);
}
