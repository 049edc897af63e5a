/* SPDX-License-Identifier: MIT */
/*
 * Events of Chrome's trace format, by what the scheduler shows (sched/observe.h).
 *
 * A hub is a process of the viewer's, and each number of its threads a track: a turn is a slice on
 * it, and so is a wait, from the end of the turn before to when the thread could run again. The
 * hub's own looks have one more track.
 *
 * All are events that have an end: nothing is left open wherever the file ends. An arrow needs two
 * events; they are written together, behind the turn that it leads to, when that of its origin is
 * on the tape already.
 */
#include "debug/trace.h"

#include <string.h>

#include "debug/tape.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"

/* The track of the hub; those of threads are their numbers and one, so that none is 0. */
#define HUB_TRACK ((uint32_t)1 << 24)

/* What a green stack has to have below the frame for a search through the program's symbols. */
#define SEARCH_ROOM ((size_t)16 * 1024)

static uint32_t track_of(size_t number)
{
    return (uint32_t)number + 1;
}

/* ---- parts of events ---- */

/* Begins one, up to what is of its kind: ph, name and track. */
static void head(struct verd__tape *tape, const char *phase, uint32_t track)
{
    verd__event_text(tape, ",\n{\"ph\":\"");
    verd__event_text(tape, phase);
    verd__event_text(tape, "\",\"pid\":");
    verd__event_number(tape, (uint64_t)tape->hub);
    verd__event_text(tape, ",\"tid\":");
    verd__event_number(tape, track);
}

static void at(struct verd__tape *tape, verd_duration time)
{
    verd__event_text(tape, ",\"ts\":");
    verd__event_span(tape, time - verd__trace_begin);
}

/* What has begun before the trace has begun with it. */
static void lasting(struct verd__tape *tape, verd_duration begin, verd_duration end)
{
    if (begin < verd__trace_begin)
        begin = verd__trace_begin;
    at(tape, begin);
    verd__event_text(tape, ",\"dur\":");
    verd__event_span(tape, end - begin);
}

/* "a descriptor #" has its number. */
static void add_wait_name(struct verd__tape *tape, const struct verd__wait_kind *kind,
                          uint32_t number)
{
    size_t length = strlen(kind->name);
    verd__event_text(tape, "waits for ");
    verd__event_string(tape, kind->name);
    if (kind->name[length - 1] != '#')
        return;
    tape->length--;
    verd__event_number(tape, number);
}

/* What a thread is called: its name, or that of its function. */
static void add_name(struct verd__tape *tape, const struct verd__turn *turn, const char *function)
{
    if (turn->name[0] != '\0')
        verd__event_string(tape, turn->name);
    else
        verd__event_string(tape, function);
}

static void name_track(struct verd__tape *tape, uint32_t track, const char *what, const char *name,
                       size_t number)
{
    head(tape, "M", track);
    verd__event_text(tape, ",\"name\":\"");
    verd__event_text(tape, what);
    verd__event_text(tape, "\",\"args\":{\"name\":\"");
    verd__event_string(tape, name);
    if (number != 0)
        verd__event_number(tape, number);
    verd__event_text(tape, "\"}}");
}

/* ---- events ---- */

/* The first thing on a tape of a trace. */
static void begin_tape(struct verd__tape *tape)
{
    unsigned number = atomic_load(&verd__trace_number);
    if (number == 0 || tape->trace == number)
        return;
    pthread_mutex_lock(&tape->lock);
    tape->trace = number;
    tape->length = 0;
    tape->arrows = 0;
    tape->from = 0;
    memset(tape->functions, 0, sizeof tape->functions); /* their shared objects may have gone */
    pthread_mutex_unlock(&tape->lock);
    if (!verd__event_begin(tape))
        return;
    name_track(tape, HUB_TRACK, "process_name", "hub of OS thread ", (size_t)tape->hub);
    name_track(tape, HUB_TRACK, "thread_name", "hub", 0);
    verd__event_end(tape);
}

/* The tape of a hub, if there is a trace to be written. */
static struct verd__tape *tape_of(const struct verd__scheduler *scheduler)
{
    struct verd__tape *tape = scheduler->observed.tape;
    if (tape == NULL)
        return NULL;
    begin_tape(tape);
    return verd__event_begin(tape) ? tape : NULL;
}

static void add_turn(struct verd__tape *tape, const struct verd__turn *turn, const char *function)
{
    head(tape, "X", track_of(turn->number));
    verd__event_text(tape, ",\"cat\":\"turn\",\"name\":\"");
    add_name(tape, turn, function);
    verd__event_text(tape, "\"");
    lasting(tape, turn->begin, turn->end);
}

static void add_wait(struct verd__tape *tape, size_t number, const struct verd__sight *sight,
                     verd_duration now)
{
    head(tape, "X", track_of(number));
    verd__event_text(tape, ",\"cat\":\"wait\",\"name\":\"");
    add_wait_name(tape, sight->kind, sight->number);
    verd__event_text(tape, "\"");
    lasting(tape, sight->since, now);
}

static void add_arrow_end(struct verd__tape *tape, const char *phase, uint32_t track,
                          verd_duration time)
{
    head(tape, phase, track);
    verd__event_text(tape, ",\"cat\":\"arrow\",\"name\":\"");
    verd__event_text(tape, tape->is_spawned ? "spawn" : "wake");
    verd__event_text(tape, "\",\"id\":\"");
    verd__event_number(tape, (uint64_t)tape->hub);
    verd__event_text(tape, ".");
    verd__event_number(tape, tape->arrows);
    verd__event_text(tape, "\"");
    at(tape, time);
    verd__event_text(tape, "}");
}

/* From the end of the turn, or look, by which the thread could run, to its turn. */
static void add_arrow(struct verd__tape *tape, const struct verd__turn *turn)
{
    if (tape->from == 0 || tape->woken <= verd__trace_begin)
        return;
    tape->arrows++;
    add_arrow_end(tape, "s", tape->from, tape->woken - 1);
    add_arrow_end(tape, "f\",\"bp\":\"e", track_of(turn->number), turn->begin);
}

/* ---- the tracer ---- */

/* A function's name may have to be looked for, which takes room on the stack: without it, it has
 * none. */
static const char *function_of(const struct verd__scheduler *scheduler, struct verd__tape *tape,
                               const struct verd__turn *turn)
{
    char here;
    const struct verd__thread *running = scheduler->running;
    if (turn->thread == scheduler->main)
        return "main";
    bool is_green = running != scheduler->main && running->stack != NULL;
    if (turn->name[0] != '\0' || turn->start == 0 ||
        (is_green && (uintptr_t)&here - (uintptr_t)running->stack->low < SEARCH_ROOM))
        return "thread";
    return verd__function_name(tape, turn->start);
}

static void turn_begins(struct verd__scheduler *scheduler, const struct verd__turn *turn,
                        struct verd__sight *sight)
{
    struct verd__tape *tape = tape_of(scheduler);
    if (tape == NULL)
        return;
    tape->from = sight != NULL ? sight->from : 0;
    tape->woken = sight != NULL ? sight->since : 0;
    tape->is_spawned = turn->thread->state == VERD__UNSTARTED;
    if (sight != NULL && sight->lane != tape->trace) {
        sight->lane = tape->trace;
        bool is_main = turn->thread == scheduler->main;
        name_track(tape, track_of(turn->number), "thread_name",
                   is_main                 ? "main"
                   : turn->name[0] != '\0' ? turn->name
                                           : "thread ",
                   is_main || turn->name[0] != '\0' ? 0 : turn->number);
    }
    verd__event_end(tape);
}

static void turn_ends(struct verd__scheduler *scheduler, const struct verd__turn *turn)
{
    struct verd__tape *tape = tape_of(scheduler);
    if (tape == NULL)
        return;
    add_turn(tape, turn, function_of(scheduler, tape, turn));
    verd__event_text(tape, ",\"args\":{\"then\":\"");
    if (turn->how == VERD__TURN_WAITS) {
        const struct verd__wait *wait = &verd__area(turn->thread)->wait;
        add_wait_name(tape, wait->kind, (uint32_t)(uintptr_t)wait->entry.value);
    } else {
        verd__event_text(tape, turn->how == VERD__TURN_ENDED ? "ends" : "can run");
    }
    verd__event_text(tape, "\"}}");
    add_arrow(tape, turn);
    tape->from = 0;
    verd__event_end(tape);
}

static void ready(struct verd__scheduler *scheduler, const struct verd__thread *thread,
                  struct verd__sight *sight, const struct verd__turn *by, verd_duration now)
{
    struct verd__tape *tape = tape_of(scheduler);
    if (tape == NULL)
        return;
    if (sight != NULL) {
        if (sight->kind != NULL && sight->since != 0) {
            add_wait(tape, verd__thread_number(thread), sight, now);
            verd__event_text(tape, "}");
        }
        sight->from = by != NULL ? track_of(by->number) : HUB_TRACK;
    }
    verd__event_end(tape);
}

/* Whoever sleeps has time to write. */
static void looks(struct verd__scheduler *scheduler)
{
    struct verd__tape *tape = scheduler->observed.tape;
    if (tape == NULL)
        return;
    tape->is_idle = scheduler->first == NULL;
    if (tape->is_idle)
        verd__tape_flush(tape);
}

static void looked(struct verd__scheduler *scheduler, verd_duration begin, verd_duration now)
{
    struct verd__tape *tape = tape_of(scheduler);
    if (tape == NULL)
        return;
    head(tape, "X", HUB_TRACK);
    verd__event_text(tape, ",\"cat\":\"hub\",\"name\":\"");
    verd__event_text(tape, tape->is_idle ? "idle" : "look");
    verd__event_text(tape, "\"");
    lasting(tape, begin, now);
    verd__event_text(tape, "}");
    verd__event_end(tape);
}

/* ---- begin and end ---- */

static void trace_begins(struct verd__scheduler *scheduler)
{
    scheduler->observed.tape = verd__tape_new();
}

/* What waits still, has waited until now. */
static void end_wait(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    const struct verd__slab *slab = verd__slab_of(thread);
    if (slab->sights == NULL)
        return;
    const struct verd__sight *sight = &slab->sights[thread - verd__slab_blocks(slab)];
    if (sight->generation != thread->generation || sight->kind == NULL || sight->since == 0)
        return;
    struct verd__tape *tape = tape_of(scheduler);
    if (tape == NULL)
        return;
    add_wait(tape, verd__thread_number(thread), sight, verd_now());
    verd__event_text(tape, ",\"args\":{\"then\":\"the trace ends\"}}");
    verd__event_end(tape);
}

static void trace_ends(struct verd__scheduler *scheduler)
{
    struct verd__turn turn = scheduler->observed.turn;
    struct verd__tape *tape = tape_of(scheduler);
    if (tape != NULL && turn.thread != NULL) {
        turn.end = verd_now();
        add_turn(tape, &turn, function_of(scheduler, tape, &turn));
        verd__event_text(tape, ",\"args\":{\"then\":\"the trace ends\"}}");
        add_arrow(tape, &turn);
    }
    if (tape != NULL)
        verd__event_end(tape);
    verd__slabs_each(scheduler, scheduler->running, end_wait);
    if (scheduler->observed.tape != NULL)
        verd__tape_free(scheduler->observed.tape);
    scheduler->observed.tape = NULL;
}

const struct verd__tracer verd__trace_writer = {
    .begin = trace_begins,
    .end = trace_ends,
    .turn_begins = turn_begins,
    .turn_ends = turn_ends,
    .ready = ready,
    .looks = looks,
    .looked = looked,
};
