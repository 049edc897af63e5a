/* SPDX-License-Identifier: MIT */
/*
 * What a thread owes others while it is suspended in the middle of a call: to give back a slot that it
 * was handed, to end a job that it runs in place. It does so as it goes on; in the child of a fork, where
 * it never does, the duty is settled for it.
 */
#ifndef VERD_SCHED_DUTY_H
#define VERD_SCHED_DUTY_H

#include "sched/scheduler.h"

/* In the frame of the call, or in what that answers for. Duties end in the reverse order. */
struct verd__duty {
    struct verd__duty *outer;
    /* In the child of a fork, when nobody is in any line any more; its thread is gone. */
    void (*settle)(struct verd__duty *duty);
};

/* The running thread's. `settle` is set. */
static inline void verd__duty_begin(const struct verd__scheduler *scheduler,
                                    struct verd__duty *duty)
{
    struct verd__room *room = verd__room(scheduler->running);
    duty->outer = room->duties;
    room->duties = duty;
}

static inline void verd__duty_end(const struct verd__scheduler *scheduler,
                                  const struct verd__duty *duty)
{
    verd__room(scheduler->running)->duties = duty->outer;
}

#endif
