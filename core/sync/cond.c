/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"
#include "sync/mutex.h"

static const struct verd__wait_kind cond_kind = {.name = "a condition", .is_users = true};

int verd_cond_wait(verd_cond *cond, verd_mutex *mutex)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (cond == NULL || mutex == NULL)
        return verd__refuse(EINVAL);
    if (verd__home_check(cond->home, &cond->waiters) != 0 || verd_mutex_unlock(mutex) != 0)
        return verd__refuse(0);
    cond->home = scheduler->number;
    int result = verd__wait_in_queue(scheduler, &cond_kind, &cond->waiters, NULL);
    int error = errno;
    if (verd__mutex_relock(scheduler, mutex) != 0)
        return -1;
    errno = error;
    return result;
}

int verd_cond_signal(verd_cond *cond)
{
    if (cond == NULL)
        return verd__invalid();
    if (verd__home_check(cond->home, &cond->waiters) != 0)
        return -1;
    struct verd__entry *first = verd__first_entry(&cond->waiters);
    if (first != NULL)
        verd__wake_plain(verd__current, first->wait);
    return 0;
}

int verd_cond_broadcast(verd_cond *cond)
{
    if (cond == NULL)
        return verd__invalid();
    if (verd__home_check(cond->home, &cond->waiters) != 0)
        return -1;
    verd__queue_end(&cond->waiters, 0);
    return 0;
}
