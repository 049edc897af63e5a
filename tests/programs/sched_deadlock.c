/* SPDX-License-Identifier: MIT */

/* When no thread can ever run again, the process prints each of them and aborts; it never hangs. */
#include <errno.h>

#include <verd.h>

#include "child.h"

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *wait_for(void *t)
{
    verd_wait(t, NULL);
    return NULL;
}

static void *give_back(void *arg)
{
    return arg;
}

static void park_main(void)
{
    verd_park();
}

static void wait_in_a_circle(void)
{
    verd_attr attr = {.name = "waiter"};
    verd_thread *t = verd_spawn_with(&attr, wait_for, verd_self());
    verd_spawn(park, NULL);
    verd_wait(t, NULL);
}

static void last_one_ends(void)
{
    verd_spawn(give_back, NULL);
    verd_park();
}

static void sleep_and_end(void *arg)
{
    (void)arg;
    verd_sleep(VERD_MS);
}

static void deadlock_after_the_last_timer(void)
{
    verd_spawn_n(sleep_and_end, NULL);
    verd_park();
}

static void *unpark(void *t)
{
    verd_unpark(t);
    return NULL;
}

static void not_while_a_thread_is_delayed(void)
{
    verd_spawn_after(VERD_MS, unpark, verd_self());
    verd_park();
}

static void not_while_a_timeout_runs(void)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    verd_park();
    _exit(verd_timeout_end(&limit) ? 0 : 1);
}

static void not_when_the_cancelled_are_all_that_is_queued(void)
{
    for (int i = 0; i < 100; i++)
        verd_cancel(verd_spawn(give_back, NULL));
    verd_yield();
}

int main(void)
{
    static const char first[] = "libverd: deadlock: ";
    static const char main_parked[] = "libverd: thread 0 (main) waits for verd_unpark";
    static const struct scene scenes[] = {
        {"parked", park_main, SIGABRT, 0, {first, main_parked}, NULL, 0},
        {"circle",
         wait_in_a_circle,
         SIGABRT,
         0,
         {first, "libverd: thread 0 (main) waits for the end of a thread",
          "libverd: thread 1 \"waiter\" waits for the end of a thread", "libverd: thread 2 (park"},
         NULL,
         0},
        {"ended", last_one_ends, SIGABRT, 0, {first, main_parked}, NULL, 0},
        {"after a timer", deadlock_after_the_last_timer, SIGABRT, 0, {first, main_parked}, NULL, 0},
        {"delayed", not_while_a_thread_is_delayed, 0, 0, {NULL}, "libverd", 0},
        {"timeout", not_while_a_timeout_runs, 0, 0, {NULL}, "libverd", 0},
        {"cancelled", not_when_the_cancelled_are_all_that_is_queued, 0, 0, {NULL}, "libverd", 0},
    };
    return play_all(scenes, sizeof scenes / sizeof *scenes);
}
