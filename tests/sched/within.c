/* SPDX-License-Identifier: MIT */
/* Scopes in a line, how much of their time is left, and other times for them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <verd.h>

#include "caller.h"

#define LONG (3600 * VERD_SEC)

/* 0, or the errno of what the next blocking call would give. */
static int next_errno(void)
{
    return verd_sleep(0) == 0 ? 0 : errno;
}

static int sleep_errno(void)
{
    return verd_sleep(LONG) == 0 ? 0 : errno;
}

/* ---- to the end of the block ---- */

static int sleep_within(verd_duration after)
{
    VERD_WITHIN(limit, after);
    return sleep_errno();
}

Test(sched, a_scope_of_a_block_bounds_what_is_in_it)
{
    cr_expect_eq(sleep_within(VERD_MS), ETIMEDOUT);
}

Test(sched, a_scope_of_a_block_ends_when_that_is_left)
{
    for (int i = 0; i < 10; i++) {
        VERD_WITHIN(limit, 0);
        if (i == 9)
            break;
        cr_assert_eq(next_errno(), ETIMEDOUT);
    }
    cr_expect_eq(next_errno(), 0);
    sleep_within(VERD_MS);
    cr_expect_eq(verd_sleep(3 * VERD_MS), 0);
}

Test(sched, the_end_of_a_block_keeps_errno)
{
    {
        VERD_WITHIN(limit, VERD_MS);
        verd_yield(); /* arms it */
        errno = EXDEV;
    }
    cr_expect_eq(errno, EXDEV);
}

Test(sched, scopes_of_blocks_nest)
{
    VERD_WITHIN(outer, LONG);
    {
        VERD_WITHIN(inner, VERD_MS);
        cr_expect_eq(sleep_errno(), ETIMEDOUT);
        cr_expect_eq(verd_timeout_left(&inner), 0);
        cr_expect_gt(verd_timeout_left(&outer), LONG / 2);
    }
    cr_expect_eq(next_errno(), 0);
}

Test(sched, a_scope_of_a_block_may_have_an_errno_of_its_own)
{
    VERD_WITHIN_AS(outer, VERD_MS, VERD_ERROR_OWN);
    VERD_WITHIN(inner, LONG);
    cr_expect_eq(sleep_errno(), VERD_ERROR_OWN);
}

/* ---- what is left ---- */

static verd_timeout scope, other;

Test(sched, what_is_left_of_a_scope_gets_less)
{
    verd_duration before = verd_now();
    verd_timeout_begin(&scope, LONG);
    verd_duration first = verd_timeout_left(&scope);
    cr_expect_leq(first, LONG);
    cr_expect_geq(first, LONG - (verd_now() - before));
    verd_sleep(2 * VERD_MS);
    cr_expect_leq(verd_timeout_left(&scope), LONG - VERD_MS);
    cr_expect_not(verd_timeout_end(&scope));
}

Test(sched, nothing_is_left_of_a_scope_that_has_run_out)
{
    verd_timeout_begin(&scope, VERD_MS);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect_eq(verd_timeout_left(&scope), 0);
    verd_timeout_begin(&other, 0);
    cr_expect_eq(verd_timeout_left(&other), 0);
}

/* That nobody has noticed it yet does not count. */
Test(sched, nothing_is_left_of_a_scope_whose_time_has_passed)
{
    verd_timeout_begin(&scope, VERD_US);
    verd_duration begun = verd_now();
    while (verd_now() < begun + 2 * VERD_US)
        ;
    cr_expect_eq(verd_timeout_left(&scope), 0);
}

Test(sched, all_is_left_of_a_scope_that_never_runs_out)
{
    verd_timeout_begin(&scope, VERD_FOREVER);
    cr_expect_eq(verd_timeout_left(&scope), VERD_FOREVER);
}

/* To look at an inner scope makes no difference to when it fires. */
Test(sched, a_scope_that_was_looked_at_fires)
{
    verd_timeout_begin(&other, LONG);
    verd_yield();
    verd_timeout_begin(&scope, VERD_MS);
    cr_expect_leq(verd_timeout_left(&scope), VERD_MS);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect(verd_timeout_end(&scope));
    cr_expect_not(verd_timeout_end(&other));
}

static bool is_not_open(const verd_timeout *timeout)
{
    errno = 0;
    return verd_timeout_left(timeout) == -1 && errno == EINVAL;
}

static void *look_at_scope(void *found)
{
    *(bool *)found = is_not_open(&scope);
    return NULL;
}

Test(sched, nothing_can_be_said_of_a_scope_that_is_not_open)
{
    bool of_another = false;
    pthread_t os_thread;
    cr_expect(is_not_open(NULL));
    cr_expect(is_not_open(&scope));
    verd_timeout_begin(&scope, LONG);
    verd_join(verd_spawn(look_at_scope, &of_another), NULL);
    cr_expect(of_another);
    of_another = false;
    pthread_create(&os_thread, NULL, look_at_scope, &of_another);
    pthread_join(os_thread, NULL);
    cr_expect(of_another);
    verd_timeout_end(&scope);
    cr_expect(is_not_open(&scope));
}

/* ---- another time ---- */

static int move(verd_duration after)
{
    return verd_timeout_move(verd_self(), &scope, after);
}

Test(sched, a_scope_may_be_given_less_time)
{
    verd_timeout_begin(&scope, LONG);
    verd_duration begun = verd_now();
    cr_expect_eq(move(VERD_MS), 0);
    cr_expect_leq(verd_timeout_left(&scope), VERD_MS);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect_geq(verd_now() - begun, VERD_MS);
    cr_expect(verd_timeout_end(&scope));
}

Test(sched, a_scope_may_be_given_more_time)
{
    verd_timeout_begin(&scope, 2 * VERD_MS);
    verd_yield();
    cr_expect_eq(move(LONG), 0);
    cr_expect_eq(verd_sleep(4 * VERD_MS), 0);
    cr_expect_eq(move(VERD_FOREVER), 0);
    cr_expect_eq(verd_timeout_left(&scope), VERD_FOREVER);
    cr_expect_eq(verd_sleep(VERD_MS), 0);
    cr_expect_not(verd_timeout_end(&scope));
}

Test(sched, a_scope_may_be_ended_at_once)
{
    static const verd_duration none[] = {0, -1, INT64_MIN};
    for (int i = 0; i < 3; i++) {
        verd_timeout_begin(&scope, LONG);
        cr_expect_eq(move(none[i]), 0);
        cr_expect_eq(next_errno(), ETIMEDOUT);
        cr_expect(verd_timeout_end(&scope));
        cr_expect_eq(next_errno(), 0);
    }
}

Test(sched, a_scope_that_has_run_out_may_be_given_time_again)
{
    verd_timeout_begin(&scope, VERD_MS);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect_eq(move(LONG), 0);
    cr_expect_eq(verd_sleep(VERD_MS), 0);
    cr_expect_eq(move(VERD_MS), 0);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect(verd_timeout_end(&scope));
}

Test(sched, an_outer_scope_is_not_moved_with_an_inner_one)
{
    verd_timeout_begin(&other, 2 * VERD_MS);
    verd_timeout_begin(&scope, VERD_MS);
    cr_expect_eq(move(LONG), 0);
    cr_expect_eq(sleep_errno(), ETIMEDOUT);
    cr_expect_not(verd_timeout_end(&scope));
    cr_expect(verd_timeout_end(&other));
}

/* As who sees to the connection of another has it. */
static int wait_within(struct caller *self)
{
    verd_timeout_begin(&scope, *(verd_duration *)self->object);
    int result = verd_park();
    int error = errno;
    if (self->item != NULL)
        *(bool *)self->item = verd_timeout_end(&scope);
    errno = error;
    return result;
}

static struct caller waiter;

static void start_waiter(verd_duration after, bool *fired)
{
    static verd_duration time;
    time = after;
    caller_start(&waiter, wait_within, &time, fired);
}

Test(sched, another_thread_may_have_a_scope_run_out)
{
    bool fired = false;
    start_waiter(LONG, &fired);
    cr_expect_eq(verd_timeout_move(waiter.thread, &scope, 0), 0);
    cr_expect_eq(caller_end(&waiter), -ETIMEDOUT);
    cr_expect(fired);
}

Test(sched, another_thread_may_have_a_scope_run_out_soon)
{
    bool fired = false;
    start_waiter(VERD_FOREVER, &fired);
    cr_expect_eq(verd_timeout_move(waiter.thread, &scope, VERD_MS), 0);
    cr_expect_eq(caller_end(&waiter), -ETIMEDOUT);
    cr_expect(fired);
}

Test(sched, another_thread_may_put_a_scope_off)
{
    bool fired = true;
    start_waiter(LONG, &fired);
    cr_expect_eq(verd_timeout_move(waiter.thread, &scope, VERD_US), 0);
    cr_expect_eq(verd_timeout_move(waiter.thread, &scope, LONG), 0); /* nobody has looked since */
    verd_sleep(3 * VERD_MS);
    cr_assert_not(waiter.done);
    verd_unpark(waiter.thread);
    cr_expect_eq(caller_end(&waiter), 0);
    cr_expect_not(fired);
}

Test(sched, a_shield_keeps_a_scope_that_another_thread_ends_waiting)
{
    verd_timeout_begin(&scope, LONG);
    verd_shield_begin();
    cr_expect_eq(move(0), 0);
    cr_expect_eq(next_errno(), 0);
    verd_shield_end();
    cr_expect_eq(next_errno(), ETIMEDOUT);
}

static bool refuses(verd_thread *t, int error)
{
    errno = 0;
    return verd_timeout_move(t, &scope, LONG) == -1 && errno == error;
}

static void *move_from_elsewhere(void *found)
{
    *(bool *)found = refuses(waiter.thread, EPERM);
    return NULL;
}

Test(sched, what_is_not_open_cannot_be_moved)
{
    bool refused = false, fired;
    pthread_t os_thread;
    cr_expect(refuses(NULL, EINVAL));
    cr_expect(refuses(verd_self(), EINVAL));
    start_waiter(LONG, &fired);
    cr_expect(refuses(verd_self(), EINVAL));
    errno = 0;
    cr_expect(verd_timeout_move(waiter.thread, NULL, 0) == -1 && errno == EINVAL);
    pthread_create(&os_thread, NULL, move_from_elsewhere, &refused);
    pthread_join(os_thread, NULL);
    cr_expect(refused);
    verd_unpark(waiter.thread);
    verd_wait(waiter.thread, NULL);
    cr_expect(refuses(waiter.thread, EINVAL));
    cr_expect_eq(caller_end(&waiter), 0);
    cr_expect(refuses(waiter.thread, EINVAL));
}

/* ---- an errno of its own ---- */

#define FIRST VERD_ERROR_OWN
#define LAST VERD_FAILURE_MAX

Test(sched, a_scope_may_have_an_errno_of_its_own)
{
    cr_assert_eq(verd_timeout_begin_as(&scope, VERD_MS, FIRST), 0);
    cr_expect_eq(sleep_errno(), FIRST);
    cr_expect_eq(next_errno(), FIRST);
    cr_expect(verd_timeout_end(&scope));
    cr_expect_eq(next_errno(), 0);
    cr_assert_eq(verd_timeout_begin_as(&scope, 0, LAST), 0);
    cr_expect_eq(next_errno(), LAST);
    verd_timeout_end(&scope);
    cr_assert_eq(verd_timeout_begin(&scope, 0), 0);
    cr_expect_eq(next_errno(), ETIMEDOUT);
}

Test(sched, nested_scopes_are_told_apart)
{
    verd_timeout_begin_as(&other, LONG, FIRST);
    verd_timeout_begin_as(&scope, VERD_MS, LAST);
    cr_expect_eq(sleep_errno(), LAST);
    verd_timeout_end(&scope);
    cr_expect_eq(next_errno(), 0);
    verd_timeout_begin_as(&scope, LONG, LAST);
    cr_expect_eq(verd_timeout_move(verd_self(), &other, VERD_MS), 0);
    cr_expect_eq(sleep_errno(), FIRST);
}

Test(sched, of_nested_scopes_that_have_run_out_the_outermost_is_told)
{
    verd_timeout_begin_as(&other, 0, FIRST);
    verd_timeout_begin_as(&scope, 0, LAST);
    cr_expect_eq(next_errno(), FIRST);
    verd_timeout_end(&scope);
    cr_expect_eq(next_errno(), FIRST);
}

/* The outer one does not reach into the shield. */
Test(sched, in_a_shield_its_own_scope_is_told)
{
    verd_timeout_begin_as(&other, 0, FIRST);
    verd_shield_begin();
    verd_timeout_begin_as(&scope, VERD_MS, LAST);
    cr_expect_eq(sleep_errno(), LAST);
    verd_timeout_end(&scope);
    verd_shield_end();
    cr_expect_eq(next_errno(), FIRST);
}

Test(sched, a_scope_with_another_errno_than_ones_own_is_refused)
{
    static const int others[] = {0, -1, ETIMEDOUT, EIO, FIRST - 1, LAST + 1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        errno = 0;
        cr_expect(verd_timeout_begin_as(&scope, 0, others[i]) == -1 && errno == EINVAL);
    }
    cr_expect_eq(next_errno(), 0);
}

static void *fail_when_late(void *arg)
{
    verd_timeout limit;
    (void)arg;
    verd_timeout_begin_as(&limit, VERD_MS, FIRST);
    return verd_sleep(LONG) == 0 ? NULL : verd_fail(errno);
}

Test(sched, a_function_may_fail_with_the_errno_of_its_scope)
{
    errno = 0;
    cr_expect(verd_join(verd_spawn(fail_when_late, NULL), NULL) == -1 && errno == FIRST);
}
