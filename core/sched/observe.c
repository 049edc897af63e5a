/* SPDX-License-Identifier: MIT */
#include "sched/observe.h"

#include <stdlib.h>

#include "sched/name.h"
#include "sched/probe.h"
#include "sched/round.h"
#include "sched/shuffle.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"

_Atomic(unsigned) verd__observed_by;
_Atomic(const struct verd__tracer *) verd__tracer;

void verd__spans_add(struct verd__spans *spans, verd_duration span)
{
    uint64_t us = span > 0 ? (uint64_t)(span / VERD_US) : 0;
    unsigned bucket = us == 0 ? 0 : 64 - (unsigned)__builtin_clzll(us);
    spans->counts[bucket < VERD_STATS_BUCKETS ? bucket : VERD_STATS_BUCKETS - 1]++;
    spans->sum += span;
    if (spans->longest < span)
        spans->longest = span;
}

unsigned verd__observers(const struct verd__scheduler *scheduler)
{
    return atomic_load_explicit(&verd__observed_by, memory_order_relaxed) |
           (scheduler->observed.for_stats ? VERD__FOR_STATS : 0) |
           (verd__probed() ? VERD__FOR_PROBES : 0);
}

static const struct verd__tracer *tracer_of(const struct verd__scheduler *scheduler)
{
    return scheduler->observed.by & VERD__FOR_TRACE
               ? atomic_load_explicit(&verd__tracer, memory_order_acquire)
               : NULL;
}

/* Where what is known of a thread is kept; NULL: there is no memory for it. */
static struct verd__sight *sight_of(const struct verd__thread *thread)
{
    struct verd__slab *slab = verd__slab_of(thread);
    if (slab->sights == NULL)
        slab->sights = calloc(VERD__SLAB_BLOCKS, sizeof *slab->sights);
    if (slab->sights == NULL)
        return NULL;
    struct verd__sight *sight = &slab->sights[thread - verd__slab_blocks(slab)];
    if (sight->generation != thread->generation)
        *sight = (struct verd__sight){.generation = thread->generation, .lane = sight->lane};
    return sight;
}

/* ---- turns ---- */

static bool is_alive(const struct verd__thread *thread)
{
    return thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED;
}

static uintptr_t start_of(const struct verd__thread *thread)
{
    union verd__start start =
        thread->state == VERD__UNSTARTED ? thread->start : verd__area(thread)->start;
    return thread->flags & VERD__RESULT ? (uintptr_t)start.call : (uintptr_t)start.run;
}

static void turn_begins(struct verd__scheduler *scheduler, struct verd__thread *thread,
                        verd_duration now)
{
    struct verd__turn *turn = &scheduler->observed.turn;
    struct verd__sight *sight = sight_of(thread);
    turn->thread = thread;
    turn->generation = thread->generation;
    turn->number = verd__thread_number(thread);
    turn->begin = now;
    turn->start = 0;
    turn->name[0] = '\0';
    if (is_alive(thread)) { /* else it has ended, and the observation begins here */
        turn->start = start_of(thread);
        verd__name_write(thread, turn->name);
    }
    if (sight != NULL && sight->since != 0 && (scheduler->observed.by & VERD__FOR_STATS))
        verd__spans_add(&scheduler->tally.latencies, now - sight->since);
    verd__probe_turn_begin(turn->number, turn->name);
    const struct verd__tracer *tracer = tracer_of(scheduler);
    if (tracer != NULL)
        tracer->turn_begins(scheduler, turn, sight);
}

/* The control block of a thread that has ended may have been freed, but nobody has it again yet. */
static enum verd__turn_end how_ended(const struct verd__turn *turn)
{
    const struct verd__thread *thread = turn->thread;
    if (thread->generation != turn->generation || !is_alive(thread))
        return VERD__TURN_ENDED;
    bool waits = thread->state == VERD__STARTED && verd__area(thread)->wait.kind != NULL;
    return waits ? VERD__TURN_WAITS : VERD__TURN_YIELDED; /* unstarted: it has got no stack */
}

/* It waits from now on, or has ended. */
static void note_wait(const struct verd__turn *turn)
{
    struct verd__sight *sight = sight_of(turn->thread);
    if (sight == NULL)
        return;
    const struct verd__wait *wait =
        turn->how == VERD__TURN_WAITS ? &verd__area(turn->thread)->wait : NULL;
    sight->since = wait != NULL ? turn->end : 0;
    sight->kind = wait != NULL ? wait->kind : NULL;
    sight->number = wait != NULL ? (uint32_t)(uintptr_t)wait->entry.value : 0;
    sight->from = 0;
}

static void count_turn(struct verd__tally *tally, const struct verd__turn *turn)
{
    verd_duration span = turn->end - turn->begin;
    tally->turns++;
    if (span > tally->holds.longest) {
        tally->holder = turn->number;
        tally->holder_start = turn->start;
        verd__name_copy(tally->holder_name, turn->name);
    }
    verd__spans_add(&tally->holds, span);
}

static void turn_ends(struct verd__scheduler *scheduler, verd_duration now)
{
    struct verd__turn *turn = &scheduler->observed.turn;
    if (turn->thread == NULL)
        return;
    turn->end = now;
    turn->how = how_ended(turn);
    if (turn->how != VERD__TURN_ENDED)
        verd__name_write(turn->thread, turn->name); /* it may have got one */
    if (scheduler->observed.by & VERD__FOR_STATS)
        count_turn(&scheduler->tally, turn);
    note_wait(turn);
    verd__probe_turn_end(turn->number, turn->how,
                         turn->how == VERD__TURN_WAITS ? verd__area(turn->thread)->wait.kind->name
                                                       : "");
    const struct verd__tracer *tracer = tracer_of(scheduler);
    if (tracer != NULL)
        tracer->turn_ends(scheduler, turn);
}

/* For whoever has been cancelled, it is the turn to be let go of. */
static void next_turn(struct verd__scheduler *scheduler, struct verd__thread *thread,
                      verd_duration now)
{
    scheduler->observed.turn.thread = NULL;
    if (is_alive(thread))
        turn_begins(scheduler, thread, now);
}

/* ---- who can run ---- */

static void ready(struct verd__scheduler *scheduler, const struct verd__thread *thread,
                  const struct verd__turn *by, verd_duration now)
{
    struct verd__sight *sight = sight_of(thread);
    const struct verd__tracer *tracer = tracer_of(scheduler);
    verd__probe_ready(verd__thread_number(thread), by != NULL ? by->number : SIZE_MAX);
    if (tracer != NULL && (by == NULL || by->thread != thread))
        tracer->ready(scheduler, thread, sight, by, now);
    if (sight == NULL)
        return;
    sight->since = now;
    sight->kind = NULL;
}

/* Looks at those who have come to the run queue since the last time; `by` as the tracer's. One that
 * was cancelled meanwhile has ended. */
static void see_ready(struct verd__scheduler *scheduler, const struct verd__turn *by,
                      verd_duration now)
{
    const struct verd__thread *thread;
    while ((thread = *scheduler->observed.seen) != NULL) {
        if (thread->state != VERD__ENDED)
            ready(scheduler, thread, by, now);
        scheduler->observed.seen = (struct verd__thread **)(uintptr_t)&thread->next;
    }
}

/* ---- rounds ---- */

/* Asks timers and the poller, which may take its time. Returns when it is over. */
static verd_duration look(struct verd__scheduler *scheduler, verd_duration begin)
{
    const struct verd__tracer *tracer = tracer_of(scheduler);
    verd__probe_look_begin(scheduler->first != NULL);
    if (tracer != NULL)
        tracer->looks(scheduler);
    verd__look_around(scheduler);
    verd_duration now = verd_now();
    see_ready(scheduler, NULL, now);
    verd__probe_look_end();
    if (tracer != NULL)
        tracer->looked(scheduler, begin, now);
    return now;
}

/* Ends the round, whose rest is empty. Returns the time. */
static verd_duration next_round(struct verd__scheduler *scheduler, verd_duration now)
{
    struct verd__observed *observed = &scheduler->observed;
    scheduler->timestamps.span = observed->span;
    if (scheduler->first == NULL || (scheduler->expecting & VERD__SEEDED) ||
        verd__wants_poll(scheduler))
        now = look(scheduler, now);
    observed->span = scheduler->timestamps.span;
    scheduler->timestamps.span = 0; /* so that each round is noticed */
    if (scheduler->expecting & VERD__SEEDED)
        verd__shuffle(scheduler);
    else
        verd__turn(scheduler);
    observed->rest = scheduler->batch;
    observed->seen = scheduler->last;
    return now;
}

void verd__observed_round(struct verd__scheduler *scheduler)
{
    struct verd__observed *observed = &scheduler->observed;
    verd_duration now = verd_now();
    turn_ends(scheduler, now);
    see_ready(scheduler, &observed->turn, now);
    if (observed->rest == NULL)
        now = next_round(scheduler, now);
    struct verd__thread *next = observed->rest;
    observed->rest = next->next;
    next->next = NULL;
    scheduler->batch = next;
    next_turn(scheduler, next, now);
}

void verd__observed_next(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    verd_duration now = verd_now();
    turn_ends(scheduler, now);
    see_ready(scheduler, &scheduler->observed.turn, now);
    next_turn(scheduler, thread, now);
}

void verd__observed_clear(struct verd__scheduler *scheduler)
{
    scheduler->observed.rest = NULL;
    scheduler->observed.seen = &scheduler->first;
}

/* ---- on and off ---- */

static void begin(struct verd__scheduler *scheduler)
{
    struct verd__observed *observed = &scheduler->observed;
    scheduler->expecting |= VERD__OBSERVED;
    observed->span = scheduler->timestamps.span;
    scheduler->timestamps.span = 0;
    observed->rest = scheduler->batch;
    scheduler->batch = NULL;
    observed->seen = scheduler->last;
}

static void end(struct verd__scheduler *scheduler)
{
    struct verd__observed *observed = &scheduler->observed;
    scheduler->expecting &= ~VERD__OBSERVED;
    scheduler->timestamps.span = observed->span;
    scheduler->batch = observed->rest;
    observed->rest = NULL;
}

void verd__observe(struct verd__scheduler *scheduler, unsigned by)
{
    struct verd__observed *observed = &scheduler->observed;
    unsigned before = observed->by;
    const struct verd__tracer *tracer = atomic_load_explicit(&verd__tracer, memory_order_acquire);
    if (before & ~by & VERD__FOR_TRACE)
        tracer->end(scheduler);
    if (before == 0 && by != 0)
        begin(scheduler);
    observed->by = by;
    if (by & ~before & VERD__FOR_TRACE)
        tracer->begin(scheduler);
    if (before == 0 && by != 0)
        turn_begins(scheduler, scheduler->running, verd_now());
    if (before != 0 && by == 0)
        end(scheduler);
}
