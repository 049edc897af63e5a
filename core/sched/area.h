/* SPDX-License-Identifier: MIT */
/* The per-thread area: what a thread has only while it has a stack, beside which it lies. */
#ifndef VERD_SCHED_AREA_H
#define VERD_SCHED_AREA_H

#include "sched/list.h"
#include "sched/scheduler.h"
#include "sched/timer.h"

struct verd__loan;
struct verd__locals;
struct verd__pthread;
struct verd__wait;
struct verd_pthread_cleanup;
struct verd__wait_kind;

/* A place in a wait queue. */
struct verd__entry {
    struct verd__link link;
    struct verd__list *queue; /* NULL: it is in none */
    struct verd__wait *wait;  /* which it ends */
    void *value; /* what is handed over: to be given, or where it is to be stored; the kind's */
};

/* What a thread waits for. A cache line holds all that is read by who ends a wait. */
struct verd__wait {
    struct verd__entry entry;           /* where one queue is enough */
    const struct verd__wait_kind *kind; /* NULL: the thread does not wait */
    struct verd__thread *thread;        /* whose it is, for good */
    void *object;                       /* the kind's */
    struct verd__entry *taken; /* that of several by which the event has come; NULL before that */
    verd_duration since;       /* the scheduler's clock at its begin */
    struct verd__timer timer;  /* its own deadline, if the kind has one */
};

/* What a thread registers to wait for the end of another. */
struct verd__join {
    struct verd__watch watch; /* on `thread` */
    struct verd__thread *thread;
    bool release; /* its handle, too */
};

/* A timeout scope (timeout.c). */
struct verd__scope {
    const struct verd_timeout *timeout; /* whose address is its name; it is never read */
    verd_duration deadline;             /* VERD_FOREVER: none */
    uint64_t begun; /* 0, or when it began, as long as the deadline is a span from then */
    union {
        uint32_t state;     /* all of these: at its begin it is the shield, and the rest is zero */
        struct {            /* of a little-endian machine */
            uint8_t shield; /* the thread's depth of shields when it began */
            bool fired;
            uint16_t error; /* that it has of its own; 0: ETIMEDOUT */
        };
    };
};

/* Scopes that are open at once before memory is allocated for them. */
#define VERD__SCOPES_MIN 3

/* What a thread has as one of POSIX's (patch/pthread.h). */
struct verd__posix {
    struct verd__pthread *thread;          /* of pthread_create; NULL: it is none */
    struct verd_pthread_cleanup *cleanups; /* the last pushed first */
    bool is_cancelled;                     /* main, by pthread_cancel: a verd_kill alone is none */
    bool is_uncancelable;
    bool is_asynchronous;
};

/* Which handlers of signals end a thread's wait with EINTR, besides what it waits for. */
enum verd__interruptible {
    VERD__NOT_INTERRUPTIBLE,
    VERD__INTERRUPTED,      /* no more: one has */
    VERD__UNLESS_RESTARTED, /* those of signals without SA_RESTART */
    VERD__BY_ALL,
};

/* Handlers that have run for a thread. */
struct verd__handled {
    uint32_t all, ending; /* `ending`: of signals without SA_RESTART */
};

struct verd__area {
    struct verd__wait wait;
    struct verd__join join;
    struct verd__scope *scopes; /* the outermost first; NULL: `own_scopes` */
    unsigned scope_count;
    unsigned scope_room; /* of `scopes` */
    struct verd__scope own_scopes[VERD__SCOPES_MIN];
    struct verd__timer limit;    /* of the scopes: armed for the earliest deadline */
    struct verd__locals *locals; /* NULL: none set yet */
    struct verd__owner *member;  /* the owner of which it counts as a member; NULL: none */
    struct verd__loan *loan;     /* valid if that is not its own owner: in whose slot; the pool's */
    union verd__start start;     /* its function, for messages */
    const void
        *site; /* where the call that spawned it returns to; NULL: it was the library's own */
    struct verd__list obligations; /* the first is the last to have come */
    verd_duration trimmed; /* `since` of the last wait in which its stack was trimmed (upkeep.h) */
    struct verd__posix posix;
    uint8_t interruptible; /* enum verd__interruptible, of the wait that it is in or begins */
    volatile struct verd__handled handled;
    struct verd__handled seen; /* valid if interruptible: of the handlers, those before its call */
    char name[VERD_NAME_SIZE];
};

_Static_assert(sizeof(struct verd__area) <= VERD__STACK_AREA, "VERD__STACK_AREA is too small");

static inline struct verd__area *verd__area(const struct verd__thread *thread)
{
    return (struct verd__area *)(void *)thread->stack->area;
}

/* Whether a handler ends the wait that a thread is in or begins. One that runs between two waits of a call ends the second. */
static inline bool verd__is_interrupted(const struct verd__area *area)
{
    switch ((enum verd__interruptible)area->interruptible) {
    case VERD__INTERRUPTED:
        return true;
    case VERD__UNLESS_RESTARTED:
        return area->handled.ending != area->seen.ending;
    case VERD__BY_ALL:
        return area->handled.all != area->seen.all;
    default:
        return false;
    }
}

#endif
