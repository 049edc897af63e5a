/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/obligation.h"
#include "sched/wait.h"
#include "sync/home.h"
#include "sync/mutex.h"

static const struct verd__wait_kind cond_kind = {.name = "a condition", .is_users = true};

/* A mutex that is to come back to who waits. */
struct loan {
    struct verd__obligation obligation;
    verd_mutex *mutex;
};

/* At the end of an OS thread the mutex may be gone before it; else it is found that its home has ended. */
static void end_loan(struct verd__obligation *obligation)
{
    if (verd__current->forked)
        VERD__CONTAINER_OF(obligation, struct loan, obligation)->mutex->lent--;
}

int verd_cond_wait(verd_cond *cond, verd_mutex *mutex)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (cond == NULL || mutex == NULL)
        return verd__refuse(EINVAL);
    if (verd__home_check(cond->home, &cond->waiters) != 0 || verd_mutex_unlock(mutex) != 0)
        return verd__refuse(0);
    struct loan loan = {.mutex = mutex};
    cond->home = scheduler->number;
    mutex->lent++;
    verd__obligation_begin(scheduler, &loan.obligation, end_loan);
    int result = verd__wait_in_queue(scheduler, &cond_kind, &cond->waiters, NULL);
    int error = errno;
    verd__mutex_relock(scheduler, mutex);
    verd__obligation_end(scheduler, &loan.obligation);
    mutex->lent--;
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
