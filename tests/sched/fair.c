/* SPDX-License-Identifier: MIT */

/* Fairness: nobody who can run, and no timer, is kept out. A failure shows as a hang. */
#include <criterion/criterion.h>
#include <string.h>

#include <verd.h>

static bool flag;
static char order[64];

static void *set_flag(void *arg)
{
    flag = true;
    return arg;
}

static void *yield_and_note(void *letter)
{
    for (int i = 0; i < 3; i++) {
        strcat(order, letter);
        verd_yield();
    }
    return NULL;
}

Test(sched, threads_that_yield_take_turns)
{
    verd_spawn(yield_and_note, "a");
    verd_spawn(yield_and_note, "b");
    verd_spawn(yield_and_note, "c");
    for (int i = 0; i < 5; i++)
        verd_yield();
    cr_assert_str_eq(order, "abcabcabc");
}

Test(sched, yielding_alone_returns)
{
    for (int i = 0; i < 1000; i++)
        verd_yield();
    cr_assert_not(verd_killed());
}

Test(sched, a_thread_that_only_yields_does_not_keep_timers_out)
{
    verd_spawn_after(VERD_MS, set_flag, NULL);
    while (!flag)
        verd_yield();
    cr_assert(flag);
}

static void yield_until_flag(void *arg)
{
    (void)arg;
    while (!flag)
        verd_yield();
}

Test(sched, many_threads_that_only_yield_do_not_keep_timers_out)
{
    for (int i = 0; i < 10; i++)
        verd_spawn_n(yield_until_flag, NULL);
    verd_sleep(VERD_MS);
    flag = true;
    cr_assert(flag);
}

/* Each adds one to the queue before it ends, so that it never gets empty. */
static void spawn_next(void *arg)
{
    if (!flag)
        verd_spawn_n(spawn_next, arg);
}

Test(sched, threads_that_spawn_one_another_for_ever_do_not_keep_timers_out)
{
    verd_spawn_n(spawn_next, NULL);
    verd_sleep(VERD_MS);
    flag = true;
    cr_assert(flag);
}

/* How many calls that could succeed at once a thread makes before the other one runs. */
static int calls_until_flag(int (*call)(void *), void *arg)
{
    int calls = 0;
    verd_spawn(set_flag, NULL);
    for (; !flag && calls < 10000; calls++)
        call(arg);
    return calls;
}

static int park_with_permit(void *arg)
{
    (void)arg;
    verd_unpark(verd_self());
    return verd_park();
}

Test(sched, a_thread_that_finds_a_permit_each_time_gives_way)
{
    cr_assert_lt(calls_until_flag(park_with_permit, NULL), 1000);
}

static int wait_for_ended(void *t)
{
    return verd_wait(t, NULL);
}

Test(sched, a_thread_that_waits_for_ended_ones_gives_way)
{
    verd_thread *t = verd_spawn(set_flag, NULL);
    verd_wait(t, NULL);
    flag = false;
    cr_assert_lt(calls_until_flag(wait_for_ended, t), 1000);
}

static void *count_shielded(void *arg)
{
    (void)arg;
    verd_kill(verd_self());
    return (void *)(intptr_t)calls_until_flag(park_with_permit, NULL);
}

Test(sched, a_killed_thread_that_goes_on_calling_gives_way)
{
    void *result = NULL;
    verd_join(verd_spawn(count_shielded, NULL), &result);
    cr_assert_lt((intptr_t)result, 1000);
}

Test(sched, a_budget_is_not_spent_by_those_who_ran_before)
{
    int before = calls_until_flag(park_with_permit, NULL);
    flag = false;
    verd_yield();
    cr_assert_geq(calls_until_flag(park_with_permit, NULL), before);
}

static void *wake_main(void *main)
{
    verd_unpark(main);
    verd_unpark(main);
    return NULL;
}

Test(sched, a_chain_of_wake_ups_does_not_overtake_those_who_wait_longer)
{
    verd_spawn(wake_main, verd_self());
    verd_spawn(yield_and_note, "a");
    verd_park();
    strcat(order, "m");
    cr_assert_str_eq(order, "am");
}
