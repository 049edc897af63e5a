/* SPDX-License-Identifier: MIT */
#include "sync/mutex.h"

#include "sched/wait.h"
#include "stack/peek.h"
#include "sync/home.h"

static verd_thread *owner_of(const struct verd__wait *wait)
{
    verd_thread *owner;
    verd__peek(&owner, &VERD__CONTAINER_OF(wait->entry.queue, verd_mutex, waiters)->owner,
               sizeof(void *));
    return owner;
}

static const struct verd__wait_kind mutex_kind = {
    .name = "a mutex", .is_users = true, .holder = owner_of};

/* Those who wait at conditions have let go of the mutex, and it stays their OS thread's: false. But that may have
 * ended. */
bool verd__mutex_take_home(const struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    if (mutex->home == scheduler->number)
        return true;
    if (verd__scheduler_lives(mutex->home))
        return false;
    mutex->lent = 0;
    return true;
}

int verd__mutex_wait(struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    return verd__wait_in_queue(scheduler, &mutex_kind, &mutex->waiters, NULL);
}

int verd_mutex_lock(verd_mutex *mutex)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = mutex == NULL ? EINVAL : verd__mutex_try(scheduler, mutex);
    if (error == 0)
        return verd__done(scheduler, 0);
    if (error != EAGAIN)
        return verd__refuse(error);
    return verd__mutex_wait(scheduler, mutex);
}

int verd_mutex_try_lock(verd_mutex *mutex)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    int error = mutex == NULL ? EINVAL : verd__mutex_try(scheduler, mutex);
    return error == 0 ? 0 : verd__errno(error);
}

void verd__mutex_pass(verd_mutex *mutex)
{
    struct verd__entry *first = verd__first_entry(&mutex->waiters);
    mutex->owner = NULL;
    if (first != NULL) {
        mutex->owner = verd__handle(first->wait->thread);
        verd__wake_plain(verd__current, first->wait);
    }
}

int verd_mutex_unlock(verd_mutex *mutex)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (mutex == NULL)
        return verd__invalid();
    if (scheduler == NULL || mutex->owner != verd__handle(scheduler->running))
        return verd__errno(EPERM);
    verd__mutex_pass(mutex);
    return 0;
}

void verd__mutex_relock(struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    if (verd__mutex_try(scheduler, mutex) == 0)
        return;
    verd_shield_begin();
    verd__mutex_wait(scheduler, mutex);
    verd_shield_end();
}
