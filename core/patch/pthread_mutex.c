/* SPDX-License-Identifier: MIT */
/*
 * Mutexes. POSIX's are no places to be cancelled at, and few look at what a lock returns: so a killed thread, or
 * one that is out of time, waits for its lock like all.
 */
#include <errno.h>

#include "patch/pthread.h"
#include "sched/wait.h"
#include "sync/mutex.h"

VERD__FITS(verd_mutex, pthread_mutex_t);
VERD__FITS(verd_mutex, mtx_t);
#ifdef __GLIBC__
_Static_assert(offsetof(verd_mutex, kind) == offsetof(pthread_mutex_t, __data.__kind),
               "static initialisers say which kind it is");
#endif

#define MOST_AGAIN (UINT32_MAX & ~VERD__KIND)

int verd_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    int kind = PTHREAD_MUTEX_DEFAULT, shared = PTHREAD_PROCESS_PRIVATE;
    int robust = PTHREAD_MUTEX_STALLED;
    if (attr != NULL) {
        pthread_mutexattr_gettype(attr, &kind);
        pthread_mutexattr_getpshared(attr, &shared);
        pthread_mutexattr_getrobust(attr, &robust);
    }
    if (shared != PTHREAD_PROCESS_PRIVATE || robust != PTHREAD_MUTEX_STALLED)
        return ENOTSUP;
    *verd__mutex_of(mutex) = (verd_mutex)VERD_MUTEX_INIT;
    verd__mutex_of(mutex)->kind = (uint32_t)kind;
    return 0;
}

int verd_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return verd__mutex_of(mutex)->owner != NULL ? EBUSY : 0;
}

/* The caller has it already. EAGAIN: it waits, for itself or others. */
static int lock_again(verd_mutex *mutex)
{
    switch (mutex->kind & VERD__KIND) {
    case PTHREAD_MUTEX_RECURSIVE:
        break;
    case PTHREAD_MUTEX_ERRORCHECK:
        return EDEADLK;
    default:
        return EAGAIN;
    }
    if (mutex->kind >= MOST_AGAIN)
        return EOVERFLOW;
    mutex->kind += VERD__AGAIN;
    return 0;
}

/* Locks if that needs no wait; EAGAIN: it does. */
static inline int try_lock(const struct verd__scheduler *scheduler, verd_mutex *mutex)
{
    int error = verd__mutex_try(scheduler, mutex);
    return __builtin_expect(error == EDEADLK, 0) ? lock_again(mutex) : error;
}

/* EOVERFLOW is EAGAIN, as POSIX calls a lock that was taken too often. */
static int refusal(int error)
{
    return error == EOVERFLOW ? EAGAIN : error;
}

static __attribute__((noinline)) int lock_slowly(pthread_mutex_t *mutex)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    int error = try_lock(scheduler, verd__mutex_of(mutex));
    if (error == 0)
        return verd__done(scheduler, 0);
    if (error != EAGAIN)
        return refusal(error);
    int before = errno;
    verd_shield_begin();
    int result = verd__mutex_wait(scheduler, verd__mutex_of(mutex));
    verd_shield_end();
    return verd__outcome(result, before);
}

int verd_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(
            scheduler == NULL || verd__mutex_try(scheduler, verd__mutex_of(mutex)) != 0, 0))
        return lock_slowly(mutex);
    return verd__done(scheduler, 0);
}

int verd_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    int error = try_lock(scheduler, verd__mutex_of(mutex));
    return error == EAGAIN || error == EDEADLK ? EBUSY : refusal(error);
}

/* Waits for a lock that others have, or the caller. */
static int wait_until(struct verd__scheduler *scheduler, verd_mutex *mutex, clockid_t clock,
                      const struct timespec *until)
{
    struct verd__deadline deadline;
    verd_shield_begin();
    int error = verd__deadline_begin(&deadline, clock, until);
    if (error == 0) {
        int before = errno;
        error = deadline.has_passed ? ETIMEDOUT
                                    : verd__outcome(verd__mutex_wait(scheduler, mutex), before);
        verd__deadline_end(&deadline);
    }
    verd_shield_end();
    return error;
}

int verd__pthread_mutex_timedlock(pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    int error = try_lock(scheduler, verd__mutex_of(mutex));
    if (error == EAGAIN)
        return wait_until(scheduler, verd__mutex_of(mutex), clock, until);
    return error == 0 ? verd__done(scheduler, 0) : refusal(error);
}

int verd_pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    return verd__pthread_mutex_timedlock(mutex, CLOCK_REALTIME, until);
}

int verd_pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
                                 const struct timespec *until)
{
    return verd__pthread_mutex_timedlock(mutex, clock, until);
}

/* Of another thread, or locked more than once. */
static __attribute__((noinline)) int unlock_slowly(const struct verd__scheduler *scheduler,
                                                   verd_mutex *mutex)
{
    if (scheduler == NULL || mutex->owner == NULL || mutex->home != scheduler->number)
        return EPERM;
    bool is_normal = (mutex->kind & VERD__KIND) != PTHREAD_MUTEX_RECURSIVE &&
                     (mutex->kind & VERD__KIND) != PTHREAD_MUTEX_ERRORCHECK;
    if (!is_normal && mutex->owner != verd__handle(scheduler->running))
        return EPERM;
    if (mutex->kind >= VERD__AGAIN)
        mutex->kind -= VERD__AGAIN;
    else
        verd__mutex_pass(mutex);
    return 0;
}

int verd_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    const struct verd__scheduler *scheduler = verd__current;
    verd_mutex *self = verd__mutex_of(mutex);
    if (__builtin_expect(scheduler == NULL || self->owner != verd__handle(scheduler->running) ||
                             self->kind >= VERD__AGAIN || self->waiters.first != NULL,
                         0))
        return unlock_slowly(scheduler, self);
    self->owner = NULL;
    return 0;
}
