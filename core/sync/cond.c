/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"
#include "sync/mutex.h"

static const struct verd__wait_kind cond_kind = {"a condition", verd__leave_line};

int verd_cond_wait(verd_cond *cond, verd_mutex *mutex)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (cond == NULL || mutex == NULL)
        return verd__invalid();
    if (verd__home_check(cond->home, &cond->waiters) != 0 || verd_mutex_unlock(mutex) != 0)
        return -1;
    struct verd__wait wait = {.kind = &cond_kind};
    cond->home = scheduler;
    int result = verd__wait_in_line(scheduler, &wait, &cond->waiters);
    int error = errno;
    verd__mutex_relock(scheduler, mutex);
    errno = error;
    return result;
}

int verd_cond_signal(verd_cond *cond)
{
    if (cond == NULL)
        return verd__invalid();
    if (verd__home_check(cond->home, &cond->waiters) != 0)
        return -1;
    struct verd__wait *wait = verd__waiters_pop(&cond->waiters);
    if (wait != NULL)
        verd__wake(wait);
    return 0;
}

int verd_cond_broadcast(verd_cond *cond)
{
    if (cond == NULL)
        return verd__invalid();
    if (verd__home_check(cond->home, &cond->waiters) != 0)
        return -1;
    struct verd__wait *wait;
    while ((wait = verd__waiters_pop(&cond->waiters)) != NULL)
        verd__wake(wait);
    return 0;
}
