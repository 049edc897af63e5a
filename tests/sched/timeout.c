/* SPDX-License-Identifier: MIT */

/* Timeout scopes around calls that block. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd.h>

#include "sched/scheduler.h"

#define LONG (3600 * VERD_SEC)

static verd_timeout inner, outer;

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

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, a_timeout_ends_a_sleep)
{
    verd_timeout_begin(&outer, VERD_MS);
    cr_assert_eq(sleep_errno(), ETIMEDOUT);
}

Test(sched, a_timeout_ends_a_park)
{
    verd_timeout_begin(&outer, VERD_MS);
    cr_assert_eq(park_errno(), ETIMEDOUT);
}

Test(sched, a_timeout_ends_a_wait_for_a_thread)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_timeout_begin(&outer, VERD_MS);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == ETIMEDOUT);
}

Test(sched, a_timeout_is_never_early)
{
    verd_duration begin = verd_now();
    verd_timeout_begin(&outer, 1700 * VERD_US);
    park_errno();
    cr_assert_geq(verd_now() - begin, 1700 * VERD_US);
}

Test(sched, a_timeout_that_fired_says_so_at_its_end)
{
    verd_timeout_begin(&outer, VERD_MS);
    park_errno();
    cr_assert(verd_timeout_end(&outer));
}

Test(sched, a_timeout_that_did_not_fire_says_so_at_its_end)
{
    verd_timeout_begin(&outer, LONG);
    next_errno();
    cr_assert_not(verd_timeout_end(&outer));
}

Test(sched, a_timeout_that_ended_does_not_fire)
{
    verd_timeout_begin(&outer, VERD_MS);
    next_errno();
    verd_timeout_end(&outer);
    cr_assert_eq(verd_sleep(3 * VERD_MS), 0);
}

Test(sched, a_timeout_is_sticky_until_its_end)
{
    verd_timeout_begin(&outer, VERD_MS);
    int first = park_errno(), second = next_errno();
    cr_assert(first == ETIMEDOUT && second == ETIMEDOUT);
}

Test(sched, after_the_end_of_a_timeout_that_fired_calls_succeed)
{
    verd_timeout_begin(&outer, VERD_MS);
    park_errno();
    verd_timeout_end(&outer);
    cr_assert_eq(next_errno(), 0);
}

Test(sched, a_timeout_of_no_time_has_run_out_already)
{
    verd_timeout_begin(&outer, 0);
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

Test(sched, a_negative_timeout_has_run_out_already)
{
    verd_timeout_begin(&outer, INT64_MIN);
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

Test(sched, a_timeout_of_no_time_says_at_its_end_that_it_fired)
{
    verd_timeout_begin(&outer, 0);
    cr_assert(verd_timeout_end(&outer));
}

Test(sched, a_timeout_of_no_time_stops_even_calls_that_need_not_wait)
{
    verd_unpark(verd_self());
    verd_timeout_begin(&outer, 0);
    cr_assert_eq(park_errno(), ETIMEDOUT);
}

Test(sched, a_timeout_of_forever_does_not_fire)
{
    verd_timeout_begin(&outer, VERD_FOREVER);
    int slept = verd_sleep(2 * VERD_MS);
    cr_assert(slept == 0 && !verd_timeout_end(&outer));
}

Test(sched, timeouts_of_weeks_do_not_fire)
{
    verd_timeout_begin(&outer, 50 * 86400 * VERD_SEC);
    verd_timeout_begin(&inner, VERD_FOREVER - 1);
    cr_assert_eq(verd_sleep(2 * VERD_MS), 0);
}

Test(sched, the_inner_timeout_fires_if_it_is_the_earlier)
{
    verd_timeout_begin(&outer, LONG);
    verd_timeout_begin(&inner, VERD_MS);
    park_errno();
    cr_assert(verd_timeout_end(&inner) && !verd_timeout_end(&outer));
}

Test(sched, the_outer_timeout_fires_if_it_is_the_earlier)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_timeout_begin(&inner, LONG);
    park_errno();
    cr_assert(!verd_timeout_end(&inner) && verd_timeout_end(&outer));
}

Test(sched, an_outer_timeout_that_fired_stays_after_the_end_of_the_inner)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_timeout_begin(&inner, LONG);
    park_errno();
    verd_timeout_end(&inner);
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

Test(sched, an_inner_timeout_that_fired_is_gone_with_its_end)
{
    verd_timeout_begin(&outer, LONG);
    verd_timeout_begin(&inner, VERD_MS);
    park_errno();
    verd_timeout_end(&inner);
    cr_assert_eq(next_errno(), 0);
}

Test(sched, an_outer_timeout_fires_after_an_inner_one_was_begun_and_ended_without_a_wait)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_timeout_begin(&inner, LONG);
    verd_timeout_end(&inner);
    cr_assert_eq(park_errno(), ETIMEDOUT);
}

Test(sched, an_outer_timeout_fires_after_an_inner_one_of_no_time_has_ended)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_timeout_begin(&inner, 0);
    verd_timeout_end(&inner);
    cr_assert_eq(park_errno(), ETIMEDOUT);
}

Test(sched, the_end_of_an_outer_timeout_closes_the_inner_ones)
{
    verd_timeout_begin(&outer, LONG);
    verd_timeout_begin(&inner, VERD_MS);
    next_errno();
    verd_timeout_end(&outer);
    int slept = verd_sleep(3 * VERD_MS);
    cr_assert(slept == 0 && !verd_timeout_end(&inner));
}

Test(sched, a_timeout_ended_twice_says_nothing_the_second_time)
{
    verd_timeout_begin(&outer, 0);
    verd_timeout_end(&outer);
    cr_assert_not(verd_timeout_end(&outer));
}

Test(sched, ending_a_timeout_that_was_never_begun_does_nothing)
{
    verd_timeout never = {0};
    verd_timeout_begin(&outer, 0);
    verd_timeout_end(&never);
    verd_timeout_end(NULL);
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

Test(sched, a_timeout_begun_twice_counts_once_with_the_later_deadline)
{
    verd_timeout_begin(&outer, VERD_MS);
    next_errno(); /* arms it */
    verd_timeout_begin(&outer, LONG);
    int slept = verd_sleep(3 * VERD_MS);
    verd_timeout_end(&outer);
    cr_assert(slept == 0 && !verd_timeout_end(&outer));
}

Test(sched, an_outer_timeout_begun_anew_closes_the_inner_one)
{
    verd_timeout_begin(&outer, LONG);
    verd_timeout_begin(&inner, 0);
    verd_timeout_begin(&outer, LONG);
    cr_assert_eq(next_errno(), 0);
}

static void *end_it(void *timeout)
{
    return (void *)(intptr_t)verd_timeout_end(timeout);
}

Test(sched, a_timeout_of_another_thread_cannot_be_ended)
{
    verd_timeout_begin(&outer, 0);
    verd_shield_begin();
    verd_join(verd_spawn(end_it, &outer), NULL);
    verd_shield_end();
    cr_assert(verd_timeout_end(&outer));
}

static void *leave_open(void *arg)
{
    static verd_timeout first, second;
    verd_timeout_begin(&first, VERD_MS);
    verd_timeout_begin(&second, VERD_MS);
    verd_sleep(VERD_US);
    return arg;
}

static void *sleep_past(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)verd_sleep(3 * VERD_MS);
}

Test(sched, a_thread_that_ends_with_open_timeouts_leaves_none_to_the_next)
{
    void *result = "";
    verd_join(verd_spawn(leave_open, NULL), NULL);
    verd_join(verd_spawn(sleep_past, NULL), &result);
    cr_assert_null(result);
}

static verd_key key;

/* Writes over the frames of the functions that have returned. */
static void scribble(void *value)
{
    volatile char frame[4096];
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (char)(value != NULL);
}

/* As an early return does. */
static void *leave_open_in_frame(void *is_armed)
{
    verd_timeout first, second;
    verd_set(key, "");
    verd_timeout_begin(&first, LONG);
    verd_timeout_begin(&second, VERD_MS);
    if (is_armed != NULL)
        verd_sleep(VERD_US);
    return NULL;
}

Test(sched, a_thread_may_end_with_timeouts_open_in_a_frame_that_is_gone)
{
    verd_key_create(&key, scribble);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(verd_join(verd_spawn(leave_open_in_frame, i % 2 == 0 ? "" : NULL), NULL), 0);
    cr_assert_eq(verd__current->timers.armed, 0);
    cr_assert_eq(verd_sleep(2 * VERD_MS), 0);
}

static void *sleep_beside(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)next_errno();
}

Test(sched, a_timeout_is_its_own_threads_alone)
{
    void *result = "";
    verd_thread *t = verd_spawn(sleep_beside, NULL);
    verd_timeout_begin(&outer, 0);
    verd_yield();
    verd_timeout_end(&outer);
    verd_join(t, &result);
    cr_assert_null(result);
}

Test(sched, a_shield_hides_a_timeout)
{
    verd_timeout_begin(&outer, 0);
    verd_shield_begin();
    cr_assert_eq(next_errno(), 0);
}

Test(sched, a_timeout_that_fires_under_a_shield_does_not_end_the_wait)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_shield_begin();
    cr_assert_eq(verd_sleep(3 * VERD_MS), 0);
}

Test(sched, a_timeout_under_a_shield_shows_after_it)
{
    verd_timeout_begin(&outer, VERD_MS);
    verd_shield_begin();
    verd_sleep(3 * VERD_MS);
    verd_shield_end();
    cr_assert_eq(next_errno(), ETIMEDOUT);
}

static void *killed_in_time(void *arg)
{
    static verd_timeout limit;
    (void)arg;
    verd_timeout_begin(&limit, 0);
    verd_kill(verd_self());
    return (void *)(intptr_t)next_errno();
}

Test(sched, a_kill_shows_before_a_timeout)
{
    void *result = NULL;
    verd_join(verd_spawn(killed_in_time, NULL), &result);
    cr_assert_eq((intptr_t)result, ECANCELED);
}

static void *park_in_vain(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, with_timeout_gives_ETIMEDOUT_when_it_fired)
{
    errno = 0;
    cr_assert(verd_with_timeout(VERD_MS, park_in_vain, NULL, NULL) == -1 && errno == ETIMEDOUT);
}

Test(sched, with_timeout_stores_the_result_even_when_it_fired)
{
    void *result = NULL;
    verd_with_timeout(VERD_MS, park_in_vain, "result", &result);
    cr_assert_str_eq(result, "result");
}

static void *at_once(void *arg)
{
    return arg;
}

Test(sched, with_timeout_gives_the_result_in_time)
{
    void *result = NULL;
    int returned = verd_with_timeout(LONG, at_once, "result", &result);
    cr_assert(returned == 0 && result != NULL);
}

Test(sched, with_timeout_without_a_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_with_timeout(VERD_MS, NULL, NULL, NULL) == -1 && errno == EINVAL);
}

static void *within(void *arg)
{
    return verd_with_timeout(LONG, park_in_vain, arg, NULL) == 0 ? "inner ended well" : NULL;
}

Test(sched, with_timeout_leaves_an_outer_one_to_whoever_set_it)
{
    void *result = NULL;
    int returned = verd_with_timeout(VERD_MS, within, NULL, &result);
    cr_assert(returned == -1 && result != NULL);
}

Test(sched, a_thousand_nested_timeouts_fire_by_the_earliest)
{
    enum { DEPTH = 1000 };
    static verd_timeout scopes[DEPTH];
    for (int i = 0; i < DEPTH; i++)
        verd_timeout_begin(&scopes[i], i == 500 ? VERD_MS : LONG + i);
    park_errno();
    size_t said = 0;
    for (int i = DEPTH - 1; i >= 0; i--)
        said += verd_timeout_end(&scopes[i]) == (i == 500);
    cr_assert_eq(said, DEPTH);
}
