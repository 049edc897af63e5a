/* SPDX-License-Identifier: MIT */
/*
 * Waiting: the one mechanism under every call that blocks.
 *
 * A wait lives in the frame of the call that waits, linked into what it waits for. It ends in one
 * place, verd__wait_end, whoever ends it: the event (verd__wake, after unlinking it), or a kill or
 * timeout (after its kind's `cancel` has unlinked it). What the event hands over, an item, a slot, a
 * unit, is written into the wait before it ends: so a wait has either got it or given up, and nothing
 * is lost in between.
 */
#ifndef VERD_SCHED_WAIT_H
#define VERD_SCHED_WAIT_H

#include <errno.h>
#include <stddef.h>

#include <verd/thread.h>

#include "sched/scheduler.h"

struct verd__wait;

struct verd__wait_kind {
    const char *name; /* for messages: "waits for ..."; '#' at its end stands for the value */
    /* Takes the wait out of what it waits for, as it ends without the event. NULL: nothing to do */
    void (*cancel)(struct verd__wait *wait);
};

struct verd__wait {
    const struct verd__wait_kind *kind;
    struct verd_thread *thread; /* who waits; set by verd__wait */
    struct verd__wait *next;    /* in the verd__waiters of what is waited for */
    struct verd__wait *prev;
    struct verd__waiters *line; /* that list, for verd__leave_line */
    verd_duration since;        /* the scheduler's clock at its begin, for messages */
    int error;                  /* 0: the event came; set when it has ended */
    void *value;                /* the event's, where it hands one over */
};

static inline void verd__waiters_append(struct verd__waiters *list, struct verd__wait *wait)
{
    wait->next = NULL;
    wait->prev = list->last;
    if (list->last != NULL)
        list->last->next = wait;
    else
        list->first = wait;
    list->last = wait;
}

static inline void verd__waiters_remove(struct verd__waiters *list, struct verd__wait *wait)
{
    if (wait->prev != NULL)
        wait->prev->next = wait->next;
    else
        list->first = wait->next;
    if (wait->next != NULL)
        wait->next->prev = wait->prev;
    else
        list->last = wait->prev;
}

/* A kind's `cancel` where there is nothing to do but to leave the line. */
void verd__leave_line(struct verd__wait *wait);

/* Takes the first out of the list; NULL if there is none. */
static inline struct verd__wait *verd__waiters_pop(struct verd__waiters *list)
{
    struct verd__wait *wait = list->first;
    if (wait != NULL)
        verd__waiters_remove(list, wait);
    return wait;
}

/*
 * The head of each call that may block: spends a unit of the budget (and gives way when it is spent),
 * then tells whether the call may go on. Returns the scheduler, or NULL with errno ECANCELED or
 * ETIMEDOUT (killed, out of time), or ENOMEM (no scheduler).
 */
static inline struct verd__scheduler *verd__enter(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (__builtin_expect(scheduler == NULL, 0))
        return NULL;
    if (__builtin_expect(--scheduler->budget <= 0, 0))
        verd__give_way(scheduler);
    if (__builtin_expect(scheduler->running->interrupt & VERD__INTERRUPT_STOP, 0) &&
        verd__interrupted(scheduler) != 0)
        return NULL;
    return scheduler;
}

/*
 * The same for a call on what others may free while this one gives way: it begins with the question
 * whether it may go on, and when it has done all else, it spends the unit. Returns `result`.
 */
static inline struct verd__scheduler *verd__begin(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (__builtin_expect(scheduler == NULL, 0))
        return NULL;
    if (__builtin_expect(scheduler->running->interrupt & VERD__INTERRUPT_STOP, 0) &&
        verd__interrupted(scheduler) != 0)
        return NULL;
    return scheduler;
}

static inline int verd__finish(int result)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(scheduler != NULL && --scheduler->budget <= 0, 0))
        verd__give_way(scheduler);
    return result;
}

/* The question alone, for where time has passed since: whether the running thread may wait. false with
 * errno ECANCELED or ETIMEDOUT. */
static inline bool verd__may_wait(struct verd__scheduler *scheduler)
{
    return __builtin_expect(!(scheduler->running->interrupt & VERD__INTERRUPT_STOP), 1) ||
           verd__interrupted(scheduler) == 0;
}

/* Suspends the running thread until `wait` ends, whose kind is set and which is linked into what it
 * waits for. Returns 0, or -1 with errno when it ended without the event. */
int verd__wait(struct verd__scheduler *scheduler, struct verd__wait *wait);

/* Waits at the end of a line. Returns as verd__wait. */
static inline int verd__wait_in_line(struct verd__scheduler *scheduler, struct verd__wait *wait,
                                     struct verd__waiters *line)
{
    wait->line = line;
    verd__waiters_append(line, wait);
    return verd__wait(scheduler, wait);
}

/* Ends a wait that was taken out of what it waits for: its thread runs behind those that can. */
static inline void verd__wait_end(struct verd__wait *wait, int error)
{
    struct verd_thread *thread = wait->thread;
    wait->error = error;
    thread->wait = NULL;
    verd__ready(verd__current, thread);
}

static inline void verd__wake(struct verd__wait *wait)
{
    verd__wait_end(wait, 0);
}

/* Ends the wait of a thread with an error, if it waits and no shield holds: kill and timeout. */
void verd__wait_abort(struct verd_thread *thread, int error);

#endif
