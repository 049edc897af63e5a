/* SPDX-License-Identifier: MIT */

/* When a thread learns that the time of a timeout scope is over: an event that comes with it wins, and who does not
 * wait learns of it later. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd.h>

#define LONG (3600 * VERD_SEC)

static verd_timeout limit, inner;

/* 0, or the errno of a short sleep: what the next blocking call would give. */
static int next_errno(void)
{
    return verd_sleep(VERD_US) == 0 ? 0 : errno;
}

static int sleep_errno(void)
{
    return verd_sleep(VERD_FOREVER) == 0 ? 0 : errno;
}

static int park_errno(void)
{
    return verd_park() == 0 ? 0 : errno;
}

static void unpark(verd_thread *t, void *arg)
{
    (void)t;
    verd_unpark(arg);
}

static verd_duration computed_from;

static void *take_time(void *arg)
{
    computed_from = verd_now();
    while (verd_now() < computed_from + 2 * VERD_MS)
        ;
    return arg;
}

/* Main parks with a deadline; while the other one computes, the deadline passes and the event
 * comes. Once more if the deadline passed before the other one began. */
static int event_and_deadline_meet(void)
{
    verd_duration begin;
    int error;
    do {
        verd_timeout_end(&limit);
        verd_thread *t = verd_spawn(take_time, NULL);
        verd_link(t, unpark, verd_self());
        begin = verd_now();
        verd_timeout_begin(&limit, VERD_MS);
        error = park_errno();
        verd_shield_begin();
        verd_join(t, NULL);
        verd_unpark(verd_self()); /* uses up the permit, if one was left */
        verd_park();
        verd_shield_end();
    } while (computed_from >= begin + VERD_MS);
    return error;
}

Test(sched, an_event_wins_over_a_deadline_that_passed_in_the_same_turn)
{
    cr_assert_eq(event_and_deadline_meet(), 0);
}

Test(sched, after_an_event_that_won_the_next_call_sees_the_timeout)
{
    event_and_deadline_meet();
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

Test(sched, a_thread_that_only_yields_runs_out_of_time)
{
    verd_timeout_begin(&limit, VERD_MS);
    for (verd_duration until = verd_now() + 2 * VERD_MS; verd_now() < until;)
        verd_yield();
    verd_yield(); /* the last one may have been before the deadline, and the loop been held up */
    verd_unpark(verd_self()); /* so that park would succeed at once */
    cr_assert_eq(park_errno(), ETIMEDOUT);
}

Test(sched, a_thread_whose_calls_succeed_at_once_runs_out_of_time)
{
    int error;
    verd_timeout_begin(&limit, VERD_MS);
    do {
        verd_unpark(verd_self());
        error = park_errno();
    } while (error == 0);
    cr_assert_eq(error, ETIMEDOUT);
}

Test(sched, a_call_that_need_not_wait_may_succeed_before_a_deadline_is_noticed)
{
    verd_yield(); /* a fresh budget */
    verd_timeout_begin(&limit, VERD_MS);
    take_time(NULL);
    verd_unpark(verd_self());
    cr_assert_eq(park_errno(), 0);
}

Test(sched, a_deadline_that_has_passed_is_noticed_after_64_calls_that_need_not_wait)
{
    int calls = 0;
    verd_yield();
    verd_timeout_begin(&limit, VERD_MS);
    take_time(NULL);
    do {
        verd_unpark(verd_self());
        calls++;
    } while (park_errno() == 0);
    cr_assert_eq(calls, 65);
}

Test(sched, a_thread_that_computed_past_its_deadline_cannot_wait)
{
    verd_timeout_begin(&limit, VERD_MS);
    take_time(NULL);
    cr_assert_eq(sleep_errno(), ETIMEDOUT);
}

Test(sched, a_thread_that_computed_past_its_deadline_learns_of_it_by_a_sleep_of_no_time)
{
    verd_timeout_begin(&limit, VERD_MS);
    take_time(NULL);
    cr_assert(verd_sleep(0) == -1 && errno == ETIMEDOUT);
}

/* The outer scope has run out already, though nobody has looked. */
Test(sched, a_timeout_that_is_begun_within_another_does_not_put_that_off)
{
    verd_timeout_begin(&limit, 40 * VERD_MS);
    verd_duration end = verd_now() + 50 * VERD_MS;
    while (verd_now() < end)
        ;
    verd_timeout_begin(&inner, LONG);
    errno = 0;
    cr_expect(verd_sleep(10 * VERD_MS) == -1 && errno == ETIMEDOUT);
    cr_expect_not(verd_timeout_end(&inner));
    cr_expect(verd_timeout_end(&limit));
}
