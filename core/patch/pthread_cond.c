/* SPDX-License-Identifier: MIT */
/* Conditions, which are places to be cancelled at. */
#include <errno.h>

#include "patch/pthread.h"
#include "sched/wait.h"

struct cond {
    verd_cond cond;
    int clock; /* of timed waits; CLOCK_REALTIME is 0 */
};

VERD__FITS(struct cond, pthread_cond_t);
VERD__FITS(struct cond, cnd_t);
_Static_assert(CLOCK_REALTIME == 0, "zeroes are an initialiser");

static struct cond *cond_of(pthread_cond_t *cond)
{
    return (struct cond *)(void *)cond;
}

int verd_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    clockid_t clock = CLOCK_REALTIME;
    int shared = PTHREAD_PROCESS_PRIVATE;
    if (attr != NULL) {
        pthread_condattr_getclock(attr, &clock);
        pthread_condattr_getpshared(attr, &shared);
    }
    if (shared != PTHREAD_PROCESS_PRIVATE)
        return ENOTSUP;
    *cond_of(cond) = (struct cond){.clock = clock};
    return 0;
}

int verd_pthread_cond_destroy(pthread_cond_t *cond)
{
    return cond_of(cond)->cond.waiters.first != NULL ? EBUSY : 0;
}

/* A recursive mutex is given up as often as it was locked, and locked as often again. */
static int wait_for(pthread_cond_t *cond, pthread_mutex_t *libc)
{
    verd_mutex *mutex = verd__mutex_of(libc);
    uint32_t kind = mutex->kind;
    const struct verd__scheduler *scheduler = verd__current;
    bool is_own = scheduler != NULL && mutex->owner != NULL && mutex->owner == verd_self();
    if (is_own)
        mutex->kind = kind & VERD__KIND;
    int before = errno;
    int error = verd__outcome(verd_cond_wait(&cond_of(cond)->cond, mutex), before);
    if (is_own)
        mutex->kind = kind;
    return error;
}

int verd_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    int error = wait_for(cond, mutex);
    if (error == ECANCELED)
        verd__cancel_here();
    return error;
}

/* The time is past: others have the mutex meanwhile all the same. */
static int let_others(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    verd_timeout timeout;
    int before = errno;
    if (verd_timeout_begin(&timeout, 1) != 0)
        return verd__outcome(-1, before);
    int error = wait_for(cond, mutex);
    verd_timeout_end(&timeout);
    return error;
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                      const struct timespec *until)
{
    struct verd__deadline deadline;
    int error = verd__deadline_begin(&deadline, clock, until);
    if (error != 0)
        return error;
    error = deadline.has_passed ? let_others(cond, mutex) : wait_for(cond, mutex);
    verd__deadline_end(&deadline);
    if (error == ECANCELED)
        verd__cancel_here();
    return error;
}

int verd_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                const struct timespec *until)
{
    return wait_until(cond, mutex, cond_of(cond)->clock, until);
}

int verd_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                const struct timespec *until)
{
    return wait_until(cond, mutex, clock, until);
}

int verd_pthread_cond_signal(pthread_cond_t *cond)
{
    int before = errno;
    return verd__outcome(verd_cond_signal(&cond_of(cond)->cond), before);
}

int verd_pthread_cond_broadcast(pthread_cond_t *cond)
{
    int before = errno;
    return verd__outcome(verd_cond_broadcast(&cond_of(cond)->cond), before);
}
