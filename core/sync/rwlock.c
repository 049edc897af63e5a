/* SPDX-License-Identifier: MIT */
/* Invariant: the first in line could not be let in. So whatever changes who holds the lock or who is first
 * in line is followed by `admit`. */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"

static void cancel(struct verd__wait *wait);

/* Two kinds, told apart by their addresses. */
static const struct verd__wait_kind read_kind = {"a lock, to read", cancel};
static const struct verd__wait_kind write_kind = {"a lock, to write", cancel};

/* Lets in as many as can be, from the first in line: readers together, or one writer. */
static void admit(verd_rwlock *lock)
{
    struct verd__wait *first;
    while (lock->writer == NULL && (first = lock->waiters.first) != NULL) {
        if (first->kind == &write_kind && lock->readers > 0)
            return;
        verd__waiters_remove(&lock->waiters, first);
        if (first->kind == &write_kind)
            lock->writer = first->thread;
        else
            lock->readers++;
        verd__wake(first);
    }
}

/* A writer that gives up may have kept readers waiting; but not where the readers go as well. */
static void cancel(struct verd__wait *wait)
{
    verd__leave_line(wait);
    if (!verd__current->forked)
        admit((verd_rwlock *)wait->line); /* its first member */
}

_Static_assert(offsetof(verd_rwlock, waiters) == 0, "cancel relies on it");

/* Locks if it can be done now without overtaking; -1 with errno EDEADLK, EPERM, or EAGAIN. */
static int try_lock(const struct verd__scheduler *scheduler, verd_rwlock *lock,
                    const struct verd__wait_kind *kind)
{
    bool held = lock->writer != NULL || lock->readers > 0;
    if (held && lock->home != scheduler) {
        errno = EPERM;
        return -1;
    }
    if (lock->writer == scheduler->running) {
        errno = EDEADLK;
        return -1;
    }
    if (lock->writer != NULL || lock->waiters.first != NULL ||
        (kind == &write_kind && lock->readers > 0)) {
        errno = EAGAIN;
        return -1;
    }
    lock->home = scheduler;
    if (kind == &write_kind)
        lock->writer = scheduler->running;
    else
        lock->readers++;
    return 0;
}

static int lock_as(verd_rwlock *lock, const struct verd__wait_kind *kind)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (lock == NULL)
        return verd__invalid();
    if (try_lock(scheduler, lock, kind) == 0)
        return 0;
    if (errno != EAGAIN)
        return -1;
    struct verd__wait wait = {.kind = kind};
    return verd__wait_in_line(scheduler, &wait, &lock->waiters);
}

static int try_lock_as(verd_rwlock *lock, const struct verd__wait_kind *kind)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    return lock == NULL ? verd__invalid() : try_lock(scheduler, lock, kind);
}

int verd_rwlock_read_lock(verd_rwlock *lock)
{
    return lock_as(lock, &read_kind);
}

int verd_rwlock_write_lock(verd_rwlock *lock)
{
    return lock_as(lock, &write_kind);
}

int verd_rwlock_try_read_lock(verd_rwlock *lock)
{
    return try_lock_as(lock, &read_kind);
}

int verd_rwlock_try_write_lock(verd_rwlock *lock)
{
    return try_lock_as(lock, &write_kind);
}

int verd_rwlock_unlock(verd_rwlock *lock)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (lock == NULL)
        return verd__invalid();
    bool mine = scheduler != NULL && lock->home == scheduler &&
                (lock->writer != NULL ? lock->writer == scheduler->running : lock->readers > 0);
    if (!mine) {
        errno = EPERM;
        return -1;
    }
    if (lock->writer != NULL)
        lock->writer = NULL;
    else
        lock->readers--;
    admit(lock);
    return 0;
}
