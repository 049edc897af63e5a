/* SPDX-License-Identifier: MIT */
/* Invariant: while someone waits there is an owner; an unlock makes the first in line the owner. */
#include "sync/mutex.h"

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind mutex_kind = {"a mutex", verd__leave_line};

/* Locks if nobody else has it; -1 with errno EDEADLK, EPERM, or EAGAIN. */
static int try_lock(const struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    if (mutex->owner == NULL) {
        mutex->owner = scheduler->running;
        mutex->home = scheduler;
        return 0;
    }
    errno = EAGAIN;
    if (mutex->owner == scheduler->running)
        errno = EDEADLK;
    else if (mutex->home != scheduler)
        errno = EPERM;
    return -1;
}

static int wait_for_lock(struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    struct verd__wait wait = {.kind = &mutex_kind};
    return verd__wait_in_line(scheduler, &wait, &mutex->waiters);
}

int verd_mutex_lock(verd_mutex *mutex)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (mutex == NULL)
        return verd__invalid();
    if (try_lock(scheduler, mutex) == 0)
        return 0;
    return errno == EAGAIN ? wait_for_lock(scheduler, mutex) : -1;
}

int verd_mutex_try_lock(verd_mutex *mutex)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    return mutex == NULL ? verd__invalid() : try_lock(scheduler, mutex);
}

int verd_mutex_unlock(verd_mutex *mutex)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (mutex == NULL)
        return verd__invalid();
    if (scheduler == NULL || mutex->owner != scheduler->running) {
        errno = EPERM;
        return -1;
    }
    struct verd__wait *wait = verd__waiters_pop(&mutex->waiters);
    mutex->owner = wait != NULL ? wait->thread : NULL;
    if (wait != NULL)
        verd__wake(wait);
    return 0;
}

void verd__mutex_relock(struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    if (try_lock(scheduler, mutex) == 0)
        return;
    verd_shield_begin();
    wait_for_lock(scheduler, mutex);
    verd_shield_end();
}
