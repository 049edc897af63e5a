/* SPDX-License-Identifier: MIT */
/*
 * All schedulers of the process: that of each OS thread that has green threads. For those who look from elsewhere:
 * a signal's handler, another OS thread, a debugger.
 *
 * It is a list that only grows, at its head; its elements are never freed, and one whose scheduler has ended serves the
 * next. So it can be walked at any moment, in a signal's handler, too: nothing is locked. A debugger finds it by
 * the name `verd__registry` and follows `next`; an element whose `scheduler` is NULL has none at present.
 *
 * A scheduler stays, with its stacks, for as long as somebody reads it: its OS thread, as it ends, waits for them.
 * Whoever reads is therefore brief, and does not wait for that OS thread to end. What is read of an OS thread that
 * runs meanwhile may change at any moment (careful.h).
 */
#ifndef VERD_SCHED_REGISTRY_H
#define VERD_SCHED_REGISTRY_H

#include <stdatomic.h>

#include "sched/scheduler.h"

struct verd__registered {
    struct verd__registered *next;               /* does not change */
    _Atomic(struct verd__scheduler *) scheduler; /* NULL: none at present */
    _Atomic(unsigned) readers;                   /* who keep the scheduler from going */
};

extern _Atomic(struct verd__registered *) verd__registry;

/* Adds the calling OS thread's, when all of it can be read. -1 with errno ENOMEM. */
int verd__registry_add(struct verd__scheduler *scheduler);

/* Takes it out, and returns when nobody reads it any more. */
void verd__registry_remove(struct verd__scheduler *scheduler);

/* In the child of a fork: only the calling OS thread is left, whose scheduler that is; NULL: it has none. */
void verd__registry_forked(struct verd__scheduler *self);

/*
 * The one behind `scheduler`, which is let go; NULL: the first. The one that is returned stays until it is let go.
 * NULL: there is no other. May be called in a signal's handler.
 */
struct verd__scheduler *verd__registry_next(struct verd__scheduler *scheduler);
void verd__registry_let_go(struct verd__scheduler *scheduler);

#endif
