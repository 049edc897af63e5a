/* SPDX-License-Identifier: MIT */

/* What a person reads who has a server that hangs. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

#include "process.h"

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *sleep_long(void *arg)
{
    verd_sleep(3600 * VERD_SEC);
    return arg;
}

static void *wait_for(void *t)
{
    verd_wait(t, NULL);
    return NULL;
}

static void *yield(void *arg)
{
    verd_yield();
    return arg;
}

static void report(void *arg)
{
    verd_attr attr = {.name = "parker"};
    (void)arg;
    verd_thread *parker = verd_spawn_with(&attr, park, NULL);
    verd_spawn(sleep_long, NULL);
    verd_spawn(wait_for, parker);
    verd_spawn(yield, NULL);
    verd_yield();
    verd_spawn(park, NULL);
    verd_spawn_after(VERD_SEC, park, NULL);
    verd_report();
}

static bool reported(const char *line)
{
    struct process_end end = process_run(report, NULL);
    return strstr(end.text, line) != NULL;
}

Test(sched, the_report_has_a_line_for_each_thread)
{
    struct process_end end = process_run(report, NULL);
    cr_assert_eq(process_count(end.text, "libverd: thread "), 7);
}

Test(sched, the_report_says_who_runs)
{
    cr_assert(reported("libverd: thread 0 (main) runs\n"));
}

Test(sched, the_report_says_who_is_parked_with_its_name)
{
    cr_assert(reported("libverd: thread 1 \"parker\" waits for verd_unpark, for 0."));
}

Test(sched, the_report_says_who_sleeps)
{
    cr_assert(reported("libverd: thread 2 waits for a point in time, for 0."));
}

Test(sched, the_report_says_who_waits_for_a_thread)
{
    cr_assert(reported("libverd: thread 3 waits for the end of a thread, for 0."));
}

Test(sched, the_report_says_who_can_run)
{
    cr_assert(reported("libverd: thread 4 can run\n"));
}

Test(sched, the_report_says_who_has_not_started)
{
    cr_assert(reported("libverd: thread 5 has not started\n"));
}

Test(sched, the_report_says_who_is_not_due)
{
    cr_assert(reported("libverd: thread 6 is not due to start yet\n"));
}

static void *shielded(void *arg)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, 0);
    verd_shield_begin();
    verd_kill(verd_self());
    verd_park();
    return arg;
}

static void report_interrupted(void *arg)
{
    (void)arg;
    verd_spawn(shielded, NULL);
    verd_yield();
    verd_report();
}

Test(sched, the_report_says_who_is_killed_and_out_of_time_and_shielded)
{
    struct process_end end = process_run(report_interrupted, NULL);
    cr_assert(strstr(end.text, " s, killed, out of time, shielded\n"));
}

static void report_ended(void *arg)
{
    (void)arg;
    verd_wait(verd_spawn(yield, NULL), NULL);
    verd_report();
}

Test(sched, the_report_leaves_out_who_has_ended)
{
    struct process_end end = process_run(report_ended, NULL);
    cr_assert_str_eq(end.text, "libverd: thread 0 (main) runs\n");
}

static void report_before_any_call(void *arg)
{
    (void)arg;
    verd_report();
}

Test(sched, the_report_of_an_os_thread_without_green_threads_is_empty)
{
    struct process_end end = process_run(report_before_any_call, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0');
}
