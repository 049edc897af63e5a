/* SPDX-License-Identifier: MIT */
/*
 * What the floor of debugging sees of who runs, and all that the floors below keep for it.
 *
 * Counted always is what costs nothing: at a look at timers and the poller (verd__tally), where a
 * slab or the cache of stacks grows (slab.h, stack.h), and in the hub at its events.
 *
 * Each turn of a thread is seen only while somebody observes. Nothing is asked for that on the way
 * of a switch: rounds are of one thread then (VERD__OBSERVED). So there is never a next one at
 * hand, whoever leaves comes to verd__round, and there it is seen who has run, whom that has made
 * ready (the run queue is longer), and who is next:
 *
 *     run queue   batch       rest                first .................. last
 *                 (empty)     of this round       (the next round)   ^ seen
 *
 * The order is the one that it would be without, and the poller is asked as often. A scheduler
 * notices at its next look that it is to be observed by what is asked for all of them.
 */
#ifndef VERD_SCHED_OBSERVE_H
#define VERD_SCHED_OBSERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <verd/stats.h>
#include <verd/thread.h>
#include <verd/time.h>

struct verd__scheduler;
struct verd__thread;
struct verd__wait_kind;

/* Who observes. */
enum verd__observer {
    VERD__FOR_STATS = 1,  /* asked of each scheduler by itself */
    VERD__FOR_TRACE = 2,  /* of all */
    VERD__FOR_PROBES = 4, /* of all, by a tool from outside */
};

/* Spans of time: how many of which length, and their sum. */
struct verd__spans {
    uint64_t counts[VERD_STATS_BUCKETS];
    verd_duration sum, longest;
};

void verd__spans_add(struct verd__spans *spans, verd_duration span);

/* What a scheduler counts. */
struct verd__tally {
    uint64_t looks;          /* at timers and the poller */
    uint64_t sleeps;         /* of them, those that might wait */
    struct verd__spans lags; /* between two looks, while threads ran */
    /* While VERD__FOR_STATS: */
    uint64_t turns;
    struct verd__spans holds;     /* how long each has lasted */
    struct verd__spans latencies; /* from when a thread could run to its turn */
    size_t holder;                /* the number of who held longest, its name and its function */
    char holder_name[VERD_NAME_SIZE];
    uintptr_t holder_start;
};

/* What is known of a thread while it is observed; beside its control block (slab.h). */
struct verd__sight {
    verd_duration since;                /* when it could run, or began to wait; 0: not seen */
    const struct verd__wait_kind *kind; /* what it waits for; NULL: it does not */
    uint32_t number;                    /* of the kind's, if there is one */
    uint32_t generation;                /* of the control block; another one: of a thread before */
    uint32_t lane;                      /* the tracer's; stays for who has the block next */
    uint32_t from; /* the tracer's, of one that can run: who has seen to that; 0: nobody */
};

/* How a turn has ended. */
enum verd__turn_end { VERD__TURN_YIELDED, VERD__TURN_WAITS, VERD__TURN_ENDED };

/* A turn: what a thread does from a switch to it until the next switch. */
struct verd__turn {
    struct verd__thread *thread;
    uint32_t generation; /* its */
    size_t number;       /* its, for messages */
    verd_duration begin, end;
    enum verd__turn_end how;
    uintptr_t start;           /* its function; 0: main's is not known */
    char name[VERD_NAME_SIZE]; /* "": none */
};

/* Who writes a trace. All is called between two turns, on the stack of whoever had the last one,
 * and must not switch; `now` is verd_now. */
struct verd__tracer {
    void (*begin)(struct verd__scheduler *scheduler);
    /* From now on nothing is called; at the end of the OS thread, too. */
    void (*end)(struct verd__scheduler *scheduler);
    void (*turn_begins)(struct verd__scheduler *scheduler, const struct verd__turn *turn,
                        struct verd__sight *sight);
    /* `sight` is as of before: of a thread that waits now, it has what for. NULL: there was no
     * memory for one. */
    void (*turn_ends)(struct verd__scheduler *scheduler, const struct verd__turn *turn);
    /* A thread can run. `by`: who has seen to that; NULL: the hub, or time. `sight` is that of its
     * wait, of which there was none if it has just been made. */
    void (*ready)(struct verd__scheduler *scheduler, const struct verd__thread *thread,
                  struct verd__sight *sight, const struct verd__turn *by, verd_duration now);
    void (*looks)(struct verd__scheduler *scheduler);
    void (*looked)(struct verd__scheduler *scheduler, verd_duration begin, verd_duration now);
};

struct verd__observed {
    unsigned by;    /* enum verd__observer; 0: nobody observes, and the rest is not valid */
    bool for_stats; /* asked for; valid always */
    struct verd__thread *rest;  /* of the round */
    struct verd__thread **seen; /* where the first that has not been seen is to be linked */
    uint64_t span;              /* that of the timestamps, which have none meanwhile */
    struct verd__turn turn;     /* the running thread's */
    void *tape;                 /* the tracer's */
    void *backdoor;             /* debug/backdoor.h; NULL: there is none; valid always */
};

/* What the floor of debugging does before the first scheduler of the process begins. A variable,
 * and its home is up there: so the archive brings that floor along, which the environment may ask
 * for something. */
extern void (*const verd__debug_begin)(void);

/* What is asked of all schedulers, enum verd__observer. */
extern _Atomic(unsigned) verd__observed_by;

/* Who is to write the trace, while VERD__FOR_TRACE is asked for, and ever after. */
extern _Atomic(const struct verd__tracer *) verd__tracer;

/* Who is to observe a scheduler now. */
unsigned verd__observers(const struct verd__scheduler *scheduler);

/* Has the running scheduler be observed by those, from now on. */
void verd__observe(struct verd__scheduler *scheduler, unsigned by);

/* verd__round, for one that is observed: the batch is the next thread alone. */
void verd__observed_round(struct verd__scheduler *scheduler);

/* A thread without a stack has got that of one that has ended, and is next without a round. */
void verd__observed_next(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* All threads but the running one are gone. */
void verd__observed_clear(struct verd__scheduler *scheduler);

#endif
