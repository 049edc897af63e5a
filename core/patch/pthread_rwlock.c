/* SPDX-License-Identifier: MIT */
/*
 * Read-write locks. As in libc, who reads lets others read though a writer waits: else a thread that has the lock
 * and locks it again, which POSIX allows, would wait for that writer, and that for it.
 */
#include <errno.h>

#include "patch/pthread.h"
#include "sched/wait.h"

struct rwlock {
    verd_rwlock lock;
    bool is_in_line; /* readers wait behind writers: of the kind for which libc has that */
};

VERD__FITS(struct rwlock, pthread_rwlock_t);

static struct rwlock *rwlock_of(pthread_rwlock_t *lock)
{
    return (struct rwlock *)(void *)lock;
}

int verd_pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
    int shared = PTHREAD_PROCESS_PRIVATE;
    bool is_in_line = false;
    if (attr != NULL)
        pthread_rwlockattr_getpshared(attr, &shared);
    if (shared != PTHREAD_PROCESS_PRIVATE)
        return ENOTSUP;
#ifdef __GLIBC__
    int kind;
    if (attr != NULL && pthread_rwlockattr_getkind_np(attr, &kind) == 0)
        is_in_line = kind == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
#endif
    *rwlock_of(lock) = (struct rwlock){.is_in_line = is_in_line};
    return 0;
}

int verd_pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    const verd_rwlock *self = &rwlock_of(lock)->lock;
    return self->writer != NULL || self->readers > 0 ? EBUSY : 0;
}

/* Passes those who wait, if others read. */
static bool joins_readers(struct rwlock *self)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (self->lock.readers == 0 || self->is_in_line || scheduler == NULL ||
        self->lock.home != scheduler->number)
        return false;
    self->lock.readers++;
    return true;
}

static int try_lock(pthread_rwlock_t *libc, bool writes)
{
    struct rwlock *self = rwlock_of(libc);
    int before = errno;
    if (!writes && joins_readers(self))
        return 0;
    return verd__outcome(writes ? verd_rwlock_try_write_lock(&self->lock)
                                : verd_rwlock_try_read_lock(&self->lock),
                         before);
}

static int lock_as(pthread_rwlock_t *libc, bool writes)
{
    struct rwlock *self = rwlock_of(libc);
    if (!writes && joins_readers(self))
        return verd__done(verd__current, 0);
    int before = errno;
    verd_shield_begin();
    int result = writes ? verd_rwlock_write_lock(&self->lock) : verd_rwlock_read_lock(&self->lock);
    verd_shield_end();
    return verd__outcome(result, before);
}

/* A point in time that is past, or none, does not matter where the lock can be had. */
static int lock_until(pthread_rwlock_t *libc, bool writes, clockid_t clock,
                      const struct timespec *until)
{
    struct verd__deadline deadline;
    int error = try_lock(libc, writes);
    if (error != EAGAIN)
        return error;
    verd_shield_begin();
    error = verd__deadline_begin(&deadline, clock, until);
    if (error == 0) {
        struct rwlock *self = rwlock_of(libc);
        int before = errno;
        if (deadline.has_passed)
            error = ETIMEDOUT;
        else
            error = verd__outcome(writes ? verd_rwlock_write_lock(&self->lock)
                                         : verd_rwlock_read_lock(&self->lock),
                                  before);
        verd__deadline_end(&deadline);
    }
    verd_shield_end();
    return error;
}

static int busy(int error)
{
    return error == EAGAIN || error == EDEADLK ? EBUSY : error;
}

int verd_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return lock_as(lock, false);
}

int verd_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return lock_as(lock, true);
}

int verd_pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    return busy(try_lock(lock, false));
}

int verd_pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    return busy(try_lock(lock, true));
}

int verd_pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    return lock_until(lock, false, CLOCK_REALTIME, until);
}

int verd_pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
    return lock_until(lock, true, CLOCK_REALTIME, until);
}

int verd_pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock,
                                    const struct timespec *until)
{
    return lock_until(lock, false, clock, until);
}

int verd_pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock,
                                    const struct timespec *until)
{
    return lock_until(lock, true, clock, until);
}

int verd_pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    int before = errno;
    return verd__outcome(verd_rwlock_unlock(&rwlock_of(lock)->lock), before);
}
