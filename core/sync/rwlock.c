/* SPDX-License-Identifier: MIT */
/* Invariant: the first in the queue could not be let in. So whatever changes who holds the lock or who is first
 * in the queue is followed by `admit`. */
#include <verd/sync.h>

#include "sched/slab.h"
#include "sched/wait.h"
#include "stack/line.h"
#include "stack/peek.h"
#include "sync/home.h"

static void gave_up(struct verd__wait *wait, int error);

/* Readers that have it are not known. */
static verd_thread *writer_of(const struct verd__wait *wait)
{
    verd_thread *writer;
    verd__peek(&writer, &VERD__CONTAINER_OF(wait->entry.queue, verd_rwlock, waiters)->writer,
               sizeof(void *));
    return writer;
}

/* How many those are. */
static void tell_readers(struct verd__line *line, const struct verd__wait *wait)
{
    verd_rwlock lock;
    verd__peek(&lock, VERD__CONTAINER_OF(wait->entry.queue, verd_rwlock, waiters), sizeof lock);
    if (lock.writer != NULL || lock.readers == 0)
        return;
    verd__line_text(line, ", held by ");
    verd__line_number(line, lock.readers);
    verd__line_text(line, lock.readers == 1 ? " reader" : " readers");
}

/* Two kinds, told apart by their addresses. */
static const struct verd__wait_kind read_kind = {.name = "a lock, to read",
                                                 .is_users = true,
                                                 .has_more = true,
                                                 .ended = gave_up,
                                                 .holder = writer_of,
                                                 .tell = tell_readers};
static const struct verd__wait_kind write_kind = {.name = "a lock, to write",
                                                  .is_users = true,
                                                  .has_more = true,
                                                  .ended = gave_up,
                                                  .holder = writer_of,
                                                  .tell = tell_readers};

/* Lets in as many as can be, from the first in the queue: readers together, or one writer. */
static void admit(verd_rwlock *lock)
{
    struct verd__entry *first;
    while (lock->writer == NULL && (first = verd__first_entry(&lock->waiters)) != NULL) {
        bool writes = first->wait->kind == &write_kind;
        if (writes && lock->readers > 0)
            return;
        if (writes)
            lock->writer = verd__handle(first->wait->thread);
        else
            lock->readers++;
        verd__wake(first->wait);
    }
}

/* A writer that gives up may have kept readers waiting; but not where the readers go as well. */
static void gave_up(struct verd__wait *wait, int error)
{
    if (error != 0 && !verd__current->ending)
        admit(wait->object);
}

/* Locks if it can be done now without overtaking. Returns 0, EDEADLK, EPERM, or EAGAIN. */
static int try_lock(const struct verd__scheduler *scheduler, verd_rwlock *lock, bool writes)
{
    verd_thread *self = verd__handle(scheduler->running);
    bool held = lock->writer != NULL || lock->readers > 0;
    if (held && lock->home != scheduler->number)
        return EPERM;
    if (lock->writer == self)
        return EDEADLK;
    if (verd__home_check(lock->home, &lock->waiters) != 0)
        return EPERM;
    if (lock->writer != NULL || lock->waiters.first != NULL || (writes && lock->readers > 0))
        return EAGAIN;
    lock->home = scheduler->number;
    if (writes)
        lock->writer = self;
    else
        lock->readers++;
    return 0;
}

static int lock_as(verd_rwlock *lock, bool writes)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = lock == NULL ? EINVAL : try_lock(scheduler, lock, writes);
    if (error == 0)
        return verd__done(scheduler, 0);
    if (error != EAGAIN)
        return verd__refuse(error);
    verd__own_wait(scheduler)->object = lock;
    return verd__wait_in_queue(scheduler, writes ? &write_kind : &read_kind, &lock->waiters, NULL);
}

static int try_lock_as(verd_rwlock *lock, bool writes)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    int error = lock == NULL ? EINVAL : try_lock(scheduler, lock, writes);
    return error == 0 ? 0 : verd__errno(error);
}

int verd_rwlock_read_lock(verd_rwlock *lock)
{
    return lock_as(lock, false);
}

int verd_rwlock_write_lock(verd_rwlock *lock)
{
    return lock_as(lock, true);
}

int verd_rwlock_try_read_lock(verd_rwlock *lock)
{
    return try_lock_as(lock, false);
}

int verd_rwlock_try_write_lock(verd_rwlock *lock)
{
    return try_lock_as(lock, true);
}

int verd_rwlock_unlock(verd_rwlock *lock)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (lock == NULL)
        return verd__invalid();
    bool mine = scheduler != NULL && lock->home == scheduler->number &&
                (lock->writer != NULL ? lock->writer == verd__handle(scheduler->running)
                                      : lock->readers > 0);
    if (!mine)
        return verd__errno(EPERM);
    if (lock->writer != NULL)
        lock->writer = NULL;
    else
        lock->readers--;
    admit(lock);
    return 0;
}
