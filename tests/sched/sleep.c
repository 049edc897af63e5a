/* SPDX-License-Identifier: MIT */

/* Sleeping: never early, in order, and without needless wake-ups. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include <verd.h>

#include "leak.h"
#include "process.h"
#include "sched/scheduler.h"

#define DAY (86400 * VERD_SEC)

static char order[64];

struct nap {
    verd_duration length;
    char *letter;
};

static void *nap(void *arg)
{
    const struct nap *nap = arg;
    if (verd_sleep(nap->length) == 0)
        strcat(order, nap->letter);
    return NULL;
}

/* How early the worst of many sleeps was: 0 if none was. */
static verd_duration earliness(verd_duration length, int count)
{
    verd_duration worst = 0;
    for (int i = 0; i < count; i++) {
        verd_duration begin = verd_now();
        verd_sleep(length);
        verd_duration early = length - (verd_now() - begin);
        if (early > worst)
            worst = early;
    }
    return worst;
}

Test(sched, a_sleep_of_300_microseconds_is_never_early)
{
    cr_assert_eq(earliness(300 * VERD_US, 50), 0);
}

Test(sched, a_sleep_of_one_nanosecond_is_never_early)
{
    cr_assert_eq(earliness(1, 50), 0);
}

Test(sched, a_sleep_of_two_and_a_half_milliseconds_is_never_early)
{
    cr_assert_eq(earliness(2500 * VERD_US, 10), 0);
}

static void *nap_between_others(void *arg)
{
    *(verd_duration *)arg = earliness(300 * VERD_US, 20);
    return NULL;
}

Test(sched, sleeps_that_overlap_are_never_early)
{
    enum { MANY = 20 };
    static verd_duration early[MANY];
    verd_thread *threads[MANY];
    verd_duration worst = 0;
    for (int i = 0; i < MANY; i++)
        threads[i] = verd_spawn(nap_between_others, &early[i]);
    for (int i = 0; i < MANY; i++) {
        verd_join(threads[i], NULL);
        worst = early[i] > worst ? early[i] : worst;
    }
    cr_assert_eq(worst, 0);
}

static void on_alarm(int signal)
{
    (void)signal;
}

Test(sched, signals_do_not_end_a_sleep)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 300}, {0, 300}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    cr_assert_eq(earliness(5 * VERD_MS, 2), 0);
}

Test(sched, sleeping_until_a_point_in_time_is_never_early)
{
    verd_duration point = verd_now() + 2 * VERD_MS;
    verd_sleep_until(point);
    cr_assert_geq(verd_now(), point);
}

Test(sched, sleeping_for_no_time_gives_way_once)
{
    struct nap zero = {0, "a"}, minus = {-1, "b"}, least = {INT64_MIN, "c"};
    verd_spawn(nap, &zero);
    verd_spawn(nap, &minus);
    verd_spawn(nap, &least);
    verd_yield();
    char before[sizeof order];
    strcpy(before, order);
    verd_yield();
    cr_assert(strcmp(before, "") == 0 && strcmp(order, "abc") == 0);
}

static void *nap_until(void *arg)
{
    const struct nap *nap = arg;
    if (verd_sleep_until(nap->length) == 0)
        strcat(order, nap->letter);
    return NULL;
}

Test(sched, sleeping_until_a_point_in_the_past_gives_way_once)
{
    struct nap zero = {0, "a"}, least = {INT64_MIN, "b"}, before = {verd_now(), "c"};
    verd_spawn(nap_until, &zero);
    verd_spawn(nap_until, &least);
    verd_spawn(nap_until, &before);
    verd_yield();
    verd_yield();
    cr_assert_str_eq(order, "abc");
}

/* Has five threads sleep until one millisecond and so much more from now. False: it took so long
 * that not all were asleep when the first deadline came. */
static bool sleep_in_time(const verd_duration more[5], char *letters[5])
{
    struct nap naps[5];
    verd_thread *threads[5];
    verd_duration first = verd_now() + VERD_MS;
    for (int i = 0; i < 5; i++) {
        naps[i] = (struct nap){first + more[i], letters[i]};
        threads[i] = verd_spawn(nap_until, &naps[i]);
    }
    order[0] = '\0';
    verd_yield();
    bool in_time = verd_now() < first;
    for (int i = 0; i < 5; i++)
        verd_join(threads[i], NULL);
    return in_time;
}

Test(sched, sleepers_wake_in_the_order_of_their_deadlines)
{
    const verd_duration more[] = {300 * VERD_US, 0, 301 * VERD_US, 1, 2};
    char *letters[] = {"d", "a", "e", "b", "c"};
    while (!sleep_in_time(more, letters))
        ;
    cr_assert_str_eq(order, "abcde");
}

Test(sched, sleepers_with_equal_deadlines_wake_in_the_order_they_went_to_sleep)
{
    const verd_duration more[5] = {0};
    char *letters[] = {"a", "b", "c", "d", "e"};
    while (!sleep_in_time(more, letters))
        ;
    cr_assert_str_eq(order, "abcde");
}

Test(sched, sleeps_of_weeks_and_for_ever_neither_end_nor_hinder_others)
{
    struct nap naps[] = {{25 * DAY, "a"},
                         {50 * DAY, "b"},
                         {100 * 365 * DAY, "c"},
                         {INT64_MAX, "d"},
                         {INT64_MAX - 1, "e"}};
    for (int i = 0; i < 5; i++)
        verd_spawn(nap, &naps[i]);
    verd_sleep(2 * VERD_MS);
    cr_assert_str_eq(order, "");
}

Test(sched, sleeping_until_the_end_of_time_does_not_end)
{
    struct nap naps[] = {{INT64_MAX, "a"}, {INT64_MAX - 1, "b"}};
    for (int i = 0; i < 2; i++)
        verd_spawn(nap_until, &naps[i]);
    verd_sleep(2 * VERD_MS);
    cr_assert_str_eq(order, "");
}

static size_t armed_timers(void)
{
    return verd__scheduler()->timers.armed;
}

Test(sched, a_sleep_that_a_timeout_ended_leaves_no_timer)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    verd_sleep(3600 * VERD_SEC);
    verd_timeout_end(&limit);
    cr_assert_eq(armed_timers(), 0);
}

Test(sched, a_sleep_that_a_kill_ended_leaves_no_timer)
{
    struct nap hour = {3600 * VERD_SEC, "a"};
    verd_thread *t = verd_spawn(nap, &hour);
    verd_yield();
    verd_kill(t);
    verd_join(t, NULL);
    cr_assert_eq(armed_timers(), 0);
}

Test(sched, a_cancelled_delay_leaves_no_timer)
{
    verd_cancel(verd_spawn_after(3600 * VERD_SEC, nap, NULL));
    cr_assert_eq(armed_timers(), 0);
}

static void *kill_soon(void *t)
{
    verd_kill(t);
    return NULL;
}

Test(sched, a_sleep_of_weeks_can_be_killed_when_nothing_else_happens)
{
    verd_spawn_after(VERD_MS, kill_soon, verd_self());
    errno = 0;
    cr_assert(verd_sleep(50 * DAY) == -1 && errno == ECANCELED);
}

Test(sched, a_process_asleep_on_one_timer_wakes_once)
{
    if (process_is_emulated())
        cr_skip_test("the emulator waits by itself");
    verd_sleep(VERD_US);
    long before = process_waits();
    verd_sleep(30 * VERD_MS);
    cr_assert_leq(process_waits() - before, 3);
}

static void sleep_for_hours(void *arg)
{
    (void)arg;
    verd_sleep(10000 * VERD_SEC);
}

Test(sched, timers_far_away_wake_a_process_at_most_once_per_level_of_the_wheel)
{
    if (process_is_emulated())
        cr_skip_test("the emulator waits by itself");
    for (int i = 0; i < 1000; i++)
        verd_spawn_n(sleep_for_hours, NULL);
    verd_yield();
    long before = process_waits();
    verd_sleep(30 * VERD_MS);
    cr_assert_leq(process_waits() - before, 3 + 11);
}

Test(sched, cancelled_delays_hold_no_memory)
{
    verd_cancel(verd_spawn_after(DAY, nap, NULL));
    size_t before = leak_allocated();
    for (int i = 0; i < 100000; i++) {
        verd_thread *t = verd_spawn_after(DAY, nap, NULL);
        verd_cancel(t);
        verd_release(t);
    }
    cr_assert_leq(leak_allocated(), before + 4096);
}

static void *time_out_often(void *arg)
{
    for (int i = 0; i < 100000; i++) {
        verd_timeout limit;
        verd_timeout_begin(&limit, DAY);
        verd_sleep(0);
        verd_timeout_end(&limit);
    }
    return arg;
}

Test(sched, a_hundred_thousand_timeouts_that_did_not_fire_hold_no_memory)
{
    verd_join(verd_spawn(time_out_often, NULL), NULL);
    size_t before = leak_allocated();
    long resident = process_kib("VmRSS");
    verd_join(verd_spawn(time_out_often, NULL), NULL);
    cr_assert(leak_allocated() <= before + 4096 && process_kib("VmRSS") - resident < 1024);
}
