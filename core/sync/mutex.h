/* SPDX-License-Identifier: MIT */
/*
 * A mutex in its parts, for a condition and for locks that behave otherwise.
 *
 * Invariant: while someone waits there is an owner; an unlock makes the first in the queue the owner.
 */
#ifndef VERD_SYNC_MUTEX_H
#define VERD_SYNC_MUTEX_H

#include <verd/sync.h>

#include "sched/scheduler.h"
#include "sched/slab.h"

/* Of a mutex that is lent: whether it may change hands to the caller's OS thread, or is of it. */
bool verd__mutex_take_home(const struct verd__scheduler *scheduler, verd_mutex *mutex);

/* Locks if nobody else has it. Returns 0, EDEADLK, EPERM, or EAGAIN. */
static inline int verd__mutex_try(const struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    verd_thread *self = verd__handle(scheduler->running);
    if (mutex->owner == NULL) {
        if (__builtin_expect(mutex->lent != 0, 0) && !verd__mutex_take_home(scheduler, mutex))
            return EPERM;
        mutex->owner = self;
        mutex->home = scheduler->number;
        return 0;
    }
    if (mutex->owner == self)
        return EDEADLK;
    return mutex->home != scheduler->number ? EPERM : EAGAIN;
}

/* Waits in line for a lock that has an owner, on this OS thread. Returns 0, or -1 with errno. */
int verd__mutex_wait(struct verd__scheduler *scheduler, verd_mutex *mutex);

/* Makes the first in line the owner, who runs; or nobody. */
void verd__mutex_pass(verd_mutex *mutex);

/* Locks although the thread may be killed or out of time. The mutex was lent to a condition, so it is the
 * OS thread's. */
void verd__mutex_relock(struct verd__scheduler *scheduler, verd_mutex *mutex);

#endif
