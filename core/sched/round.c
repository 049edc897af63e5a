/* SPDX-License-Identifier: MIT */
/* The end of a round of the run queue: timers and the poller are asked, or waited for. */
#include "sched/round.h"

#include <stdlib.h>
#include <time.h>

#include "sched/carrier.h"
#include "sched/monitor.h"
#include "sched/scheduler.h"
#include "sched/shuffle.h"
#include "sched/thread.h"
#include "stack/line.h"

/* While unstarted threads lack a stack, how long nobody looks whether there is one now. */
#define STARVED_RETRY (10 * VERD_MS)

/* Whether there is something besides threads that can make one runnable. */
static bool wants_waiting(const struct verd__scheduler *scheduler)
{
    return verd__expected_events(scheduler) > scheduler->background ||
           scheduler->timers.armed != 0 || scheduler->starved != NULL;
}

/* Nobody can run, and nothing will change that, but perhaps the user's function. */
static void deadlock(struct verd__scheduler *scheduler)
{
    if (scheduler->main->state == VERD__ENDED)
        exit(0); /* the child of a fork that was not main's: its last thread has ended */
    if (scheduler->on_deadlock != NULL)
        scheduler->on_deadlock();
    if (scheduler->first != NULL || wants_waiting(scheduler))
        return;
    struct verd__line line = {0};
    verd__line_text(&line, "deadlock: no thread can run, and no timer or descriptor is waited for");
    verd__line_write(&line);
    verd__report(scheduler);
    abort();
}

/* How long the poller may be waited for: 0 if someone can run. */
static verd_duration patience(struct verd__scheduler *scheduler)
{
    if (scheduler->first != NULL)
        return 0;
    verd_duration deadline = verd__timers_next(&scheduler->timers);
    if (deadline > scheduler->upkeep.due)
        deadline = scheduler->upkeep.due;
    verd_duration wait = VERD_FOREVER;
    if (deadline != VERD_FOREVER) {
        wait = deadline - verd_now();
        if (wait < 0)
            wait = 0;
    }
    if (scheduler->starved != NULL && wait > STARVED_RETRY)
        wait = STARVED_RETRY;
    return wait;
}

/* Without a poller there is only time to wait for. */
static void wait_for_time(struct verd__poller *none, verd_duration wait)
{
    (void)none;
    struct timespec span = {(time_t)(wait / VERD_SEC), (long)(wait % VERD_SEC)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL); /* a signal ends it early: no harm */
}

/* The first of the unstarted that lack a stack gets one, if there is one by now. */
static void retry_starved(struct verd__scheduler *scheduler)
{
    struct verd__stack *stack = verd__stack_get(scheduler, scheduler->default_class);
    if (stack == NULL)
        return;
    struct verd__thread *thread = verd__starved_pop(scheduler);
    if (thread == NULL) { /* all were killed */
        verd__stack_return(scheduler, stack);
        return;
    }
    thread->stack = stack;
    verd__thread_start(scheduler, thread);
}

/* Asks the poller, or waits for it: then nobody runs. */
static void ask_poller(struct verd__scheduler *scheduler, verd_duration wait)
{
    struct verd__poller *poller = scheduler->poller;
    bool expects = verd__expected_events(scheduler) != 0;
    scheduler->tally.looks++;
    scheduler->tally.sleeps += wait > 0;
    if (wait > 0) {
        verd_idle(&scheduler->idle, expects ? poller->wait : wait_for_time, poller, wait);
        verd__monitor_tell();
    } else if (expects) {
        poller->wait(poller, 0);
    }
}

/* Asks the poller, then the clock: readiness wins over a deadline that it came before. */
static void poll_once(struct verd__scheduler *scheduler)
{
    if (scheduler->first == NULL && scheduler->starved != NULL)
        retry_starved(scheduler);
    if (scheduler->first == NULL && !wants_waiting(scheduler)) {
        deadlock(scheduler);
        return;
    }
    ask_poller(scheduler, patience(scheduler));
    scheduler->polled = verd__timestamp(&scheduler->timestamps);
    scheduler->clock = verd_now();
    verd__clock_renew(&scheduler->timestamps, scheduler->polled, scheduler->clock);
    verd__timers_advance(&scheduler->timers, scheduler->clock);
    if (scheduler->clock >= scheduler->upkeep.due)
        verd__upkeep(scheduler);
}

/* How long threads have run since the last look. */
static void note_lag(struct verd__scheduler *scheduler)
{
    const struct verd__clock *clock = &scheduler->timestamps;
    uint64_t since = scheduler->polled;
    if (since == 0 || clock->span == 0)
        return;
    uint64_t cycles = verd__cycles() - since;
    if (cycles >= UINT64_MAX / VERD__SPAN / 2) /* the counter was set back */
        return;
    verd__spans_add(&scheduler->tally.lags,
                    (verd_duration)(cycles * (uint64_t)VERD__SPAN / clock->span));
}

void verd__look_around(struct verd__scheduler *scheduler)
{
    note_lag(scheduler);
    scheduler->expecting &= ~VERD__ASKED;
    verd__upkeep_expect(scheduler);
    do {
        poll_once(scheduler);
    } while (scheduler->first == NULL);
}

void verd__round(struct verd__scheduler *scheduler)
{
    unsigned observers = verd__observers(scheduler);
    if (__builtin_expect(observers != scheduler->observed.by, 0)) {
        verd__observe(scheduler, observers);
        if (scheduler->batch != NULL) /* what was left of the round */
            return;
    }
    if (__builtin_expect(scheduler->expecting & VERD__OBSERVED, 0)) {
        verd__observed_round(scheduler);
        return;
    }
    verd__look_around(scheduler);
    if (scheduler->expecting & VERD__SEEDED) {
        scheduler->timestamps.span = 0; /* so that each round is one of its own */
        verd__shuffle(scheduler);
        return;
    }
    if (scheduler->timestamps.span == 0)
        verd__clock_renew(&scheduler->timestamps, scheduler->polled, verd_now());
    verd__turn(scheduler);
}
