/* SPDX-License-Identifier: MIT */
/*
 * VERD_THREADS=os: each green thread runs on an OS thread of its own, its carrier, for tools that cannot follow a
 * switch of stacks. One of them runs at a time. A switch hands the turn over, under a mutex: so all that one has done
 * comes before what the next does, for helgrind and ThreadSanitizer, too.
 *
 * A carrier belongs to a stack from the time that it is taken until it is given back, and runs on it; the C library
 * keeps what it has of an OS thread at the top. So everybody finds of a thread, beside its stack and on it, what
 * there is otherwise. Whoever does not run has all signals blocked, so that they come to the one that does, with the
 * mask of the one before.
 *
 * It is compiled in with VERD__CARRIERS (CONFIG=debug) alone; else nothing of it is left.
 */
#ifndef VERD_SCHED_CARRIER_H
#define VERD_SCHED_CARRIER_H

#include <stdbool.h>

#include "sched/scheduler.h"

struct verd__carrier;

/* Reads VERD_THREADS, once. Returns whether it asks for carriers. */
bool verd__carriers_choose(void);

#if VERD__CARRIERS

static inline bool verd__is_carried(const struct verd__scheduler *scheduler)
{
    return scheduler->carriers != NULL;
}

/* The OS thread of a new scheduler becomes main's carrier, if that was chosen. 0, or -1: no memory. */
int verd__carriers_begin(struct verd__scheduler *scheduler);

/* All others have ended. */
void verd__carriers_end(struct verd__scheduler *scheduler);

/* In the child of a fork, before the other threads are ended: their carriers are not there. */
void verd__carriers_forked(struct verd__scheduler *scheduler);

#else

#define verd__is_carried(scheduler) ((void)(scheduler), false)
#define verd__carriers_begin(scheduler) ((void)(scheduler), 0)
#define verd__carriers_end(scheduler) ((void)(scheduler))
#define verd__carriers_forked(scheduler) ((void)(scheduler))

#endif

/* The rest is called with carriers only. */

/* Makes the carrier of a stack that was just taken. False: there can be no further OS thread. */
bool verd__carrier_new(struct verd__scheduler *scheduler, struct verd__stack *stack);

/* Ends that of a stack on which nobody runs any more: what was on it is gone, without a turn. */
void verd__carrier_end(struct verd__scheduler *scheduler, struct verd__stack *stack);

/* Leaves `self` for `next`, which is the running one already and has a stack; `main` is what that begins with if it
 * has not started. Returns the outcome with which `self` goes on, with its errno. */
int verd__carrier_switch(struct verd__scheduler *scheduler, struct verd__thread *self,
                         const struct verd__thread *next, verd_context_fn main);

/* The same where the one before has ended on `stack`: `next` gives it back. The caller is to return from `main`. */
void verd__carrier_leave(struct verd__scheduler *scheduler, struct verd__stack *stack,
                         const struct verd__thread *next, verd_context_fn main);

/* ---- taking stacks and giving them back ---- */

/* Takes a stack for a thread. NULL with errno ENOMEM. */
static inline struct verd__stack *verd__stack_get(struct verd__scheduler *scheduler, unsigned class)
{
    struct verd__stack *stack = verd__stack_take(&scheduler->stacks, class);
    if (verd__is_carried(scheduler) && stack != NULL && !verd__carrier_new(scheduler, stack)) {
        verd__stack_give(&scheduler->stacks, stack);
        return NULL;
    }
    return stack;
}

/* Gives a stack back, on which the caller may still stand until someone takes one. */
static inline void verd__stack_return(struct verd__scheduler *scheduler, struct verd__stack *stack)
{
    if (verd__is_carried(scheduler) && stack->carrier != NULL)
        verd__carrier_end(scheduler, stack);
    if (__builtin_expect(verd__stack_give(&scheduler->stacks, stack), 0))
        scheduler->expecting |= VERD__SURPLUS;
}

#endif
