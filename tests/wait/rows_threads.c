/* SPDX-License-Identifier: MIT */
/* Sleeping, parking, and the end of a thread. */
#include "table.h"

/* ---- time ---- */

static verd_duration nap;

/* What is to end by itself, ends soon, but not before whoever watches it is ready. */
static void set_nap(void)
{
    bool by_itself = column_played == EVENT_FIRST || column_played == BOTH_AT_ONCE ||
                     column_played == TIMEOUT_UNDER_SHIELD || column_played == KILL_UNDER_SHIELD ||
                     column_played == FORKS_CHILD;
    nap = by_itself ? patience / 4 : 3600 * VERD_SEC;
}

/* The first call's; whoever calls after that, to see that nothing is lost, has not so much time. */
static verd_duration take_nap(void)
{
    verd_duration mine = nap;
    nap = VERD_MS;
    return mine;
}

static intptr_t sleep_for(void)
{
    return result_of(verd_sleep(take_nap()));
}

static intptr_t sleep_until(void)
{
    return result_of(verd_sleep_until(verd_now() + take_nap()));
}

static void nothing(void)
{
}

/* ---- parking ---- */

static intptr_t park(void)
{
    return result_of(verd_park());
}

static void unpark(void)
{
    verd_unpark(recipient);
}

/* ---- threads ---- */

static verd_thread *thread;

static void *pass_and_return(void *result)
{
    pass_gate();
    return result;
}

static void spawn_at_gate(void)
{
    thread = verd_spawn(pass_and_return, (void *)7);
}

static intptr_t wait_for_thread(void)
{
    void *result = NULL;
    return verd_wait(thread, &result) == 0 ? (intptr_t)result : -errno;
}

static intptr_t release_thread(void)
{
    verd_release(thread);
    return 0;
}

static intptr_t join_thread(void)
{
    void *result = NULL;
    return verd_join(thread, &result) == 0 ? (intptr_t)result : -errno;
}

static const struct row rows[] = {
    {.call = "verd_sleep",
     .when = "time to pass",
     .setup = set_nap,
     .make = sleep_for,
     .provoke = nothing,
     .traits = TIMED | ALONE},
    {.call = "verd_sleep_until",
     .when = "a point in time",
     .setup = set_nap,
     .make = sleep_until,
     .provoke = nothing,
     .traits = TIMED | ALONE},
    {.call = "verd_park",
     .when = "an unpark",
     .setup = nothing,
     .make = park,
     .provoke = unpark,
     .traits = FLEETING},
    {.call = "verd_wait",
     .when = "the end of a thread",
     .setup = spawn_at_gate,
     .make = wait_for_thread,
     .right = 7,
     .provoke = open_gate,
     .traits = SHARED | INDIRECT | ORPHANED | BOUND | BY_HANDLE | GOES_ON,
     .orphaned = -ESRCH,
     .discard = release_thread},
    {.call = "verd_join",
     .when = "the end of a thread",
     .setup = spawn_at_gate,
     .make = join_thread,
     .right = 7,
     .provoke = open_gate,
     .traits = ALONE | INDIRECT | ORPHANED | BOUND | BY_HANDLE | GOES_ON,
     .orphaned = -ESRCH,
     .discard = release_thread},
};

const struct rows rows_of_threads = ROWS(rows);
