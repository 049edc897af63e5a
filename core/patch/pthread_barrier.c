/* SPDX-License-Identifier: MIT */
/* Barriers: the last to come ends the queue of the others. */
#include <errno.h>

#include "patch/pthread.h"
#include "sched/wait.h"
#include "sync/home.h"

struct barrier {
    struct verd__list waiters;
    uint64_t home;
    unsigned count;
    unsigned come;
};

VERD__FITS(struct barrier, pthread_barrier_t);

static struct barrier *barrier_of(pthread_barrier_t *barrier)
{
    return (struct barrier *)(void *)barrier;
}

/* In the child of a fork. */
static void has_gone(struct verd__wait *wait, int error)
{
    if (error != 0)
        ((struct barrier *)wait->object)->come--;
}

static const struct verd__wait_kind barrier_kind = {
    .name = "a barrier", .is_users = true, .has_more = true, .ended = has_gone};

int verd_pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                              unsigned count)
{
    int shared = PTHREAD_PROCESS_PRIVATE;
    if (attr != NULL)
        pthread_barrierattr_getpshared(attr, &shared);
    if (count == 0)
        return EINVAL;
    if (shared != PTHREAD_PROCESS_PRIVATE)
        return ENOTSUP;
    *barrier_of(barrier) = (struct barrier){.count = count};
    return 0;
}

int verd_pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    return barrier_of(barrier)->waiters.first != NULL ? EBUSY : 0;
}

static int wait_for_others(struct verd__scheduler *scheduler, struct barrier *barrier)
{
    int before = errno;
    barrier->home = scheduler->number;
    verd__own_wait(scheduler)->object = barrier;
    verd_shield_begin();
    int result = verd__wait_in_queue(scheduler, &barrier_kind, &barrier->waiters, NULL);
    verd_shield_end();
    return verd__outcome(result, before);
}

int verd_pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct barrier *self = barrier_of(barrier);
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    if (!verd__home_is_here(self->home, &self->waiters)) {
        int before = errno,
            error = verd__outcome(verd__home_elsewhere(self->home, &self->waiters), before);
        if (error != 0)
            return error;
        self->come = 0;
    }
    if (++self->come < self->count)
        return wait_for_others(scheduler, self);
    self->come = 0;
    verd__queue_end(&self->waiters, 0);
    return verd__done(scheduler, PTHREAD_BARRIER_SERIAL_THREAD);
}
