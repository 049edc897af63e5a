/* SPDX-License-Identifier: MIT */
/*
 * What a thread has been handed, or has taken, in the middle of a call, and has yet to use or to pass on: a
 * slot, a right to create, a job, a result that is to be released. The call settles it as it goes on. Where it
 * never does, in the child of a fork and at the end of the OS thread, it is settled for it, once nobody is in
 * any queue any more.
 */
#ifndef VERD_SCHED_OBLIGATION_H
#define VERD_SCHED_OBLIGATION_H

#include "sched/area.h"

/* In the frame of the call, or in what that answers for. */
struct verd__obligation {
    struct verd__link link;
    void (*settle)(struct verd__obligation *obligation);
};

/* The running thread's. */
static inline void verd__obligation_begin(const struct verd__scheduler *scheduler,
                                          struct verd__obligation *obligation,
                                          void (*settle)(struct verd__obligation *obligation))
{
    obligation->settle = settle;
    verd__list_prepend(&verd__area(scheduler->running)->obligations, &obligation->link);
}

/* It has been used or passed on. */
static inline void verd__obligation_end(const struct verd__scheduler *scheduler,
                                        struct verd__obligation *obligation)
{
    verd__list_remove(&verd__area(scheduler->running)->obligations, &obligation->link);
}

/* It is not to be used. */
static inline void verd__obligation_settle(const struct verd__scheduler *scheduler,
                                           struct verd__obligation *obligation)
{
    verd__obligation_end(scheduler, obligation);
    obligation->settle(obligation);
}

/* Settles all of a thread that will not run again. */
static inline void verd__obligations_settle(const struct verd__thread *thread)
{
    struct verd__link *link;
    while ((link = verd__list_pop(&verd__area(thread)->obligations)) != NULL) {
        struct verd__obligation *obligation =
            VERD__CONTAINER_OF(link, struct verd__obligation, link);
        obligation->settle(obligation);
    }
}

#endif
