/* SPDX-License-Identifier: MIT */
/*
 * What green threads wait for of one another: events, semaphores, mutexes, conditions, read-write
 * locks, groups.
 *
 *     static verd_mutex lock = VERD_MUTEX_INIT;
 *
 *     if (verd_mutex_lock(&lock) == 0) {
 *         ...                                  // may block; nobody else gets in
 *         verd_mutex_unlock(&lock);
 *     }
 *
 * All are plain structs with an initialiser (zeroed memory does for those without a number); there is
 * nothing to destroy. They belong to the OS thread on which they are first waited for: another one
 * gets EPERM. Their fields are private.
 *
 * Whoever waits is served in the order of coming, and by direct hand-off: what is released goes to the
 * first in line before it runs, so nobody can overtake it. Calls that block return -1 with errno
 *
 *   ECANCELED  the thread was killed            ETIMEDOUT  an enclosing timeout ran out
 *   EINVAL     an argument is NULL              EPERM      used by another OS thread
 *   ENOMEM     first call on this OS thread, and no memory for a scheduler
 *
 * and then have changed nothing. Those that give back never block and work in a killed thread.
 */
#ifndef VERD_SYNC_H
#define VERD_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- event: one value or error, for any number of waiters ---- */

typedef struct verd_event {
    struct verd__list waiters;
    uint64_t home; /* the number of the scheduler of those who wait */
    void *value;
    int error; /* set by verd_event_fail; 0: none */
    bool set;
} verd_event;

#define VERD_EVENT_INIT {{NULL, NULL}, 0, NULL, 0, false}

/* Gives the event its value: all waiters, and all to come, get it. Never blocks.
 * Returns 0, or -1 with errno EALREADY (it was set, or failed, before), EINVAL or EPERM. */
int verd_event_set(verd_event *event, void *value);

/* Gives the event an error: waiters get -1 and this errno. Never blocks. Returns 0, or -1 with
 * errno as verd_event_set; EINVAL also if error is not positive. */
int verd_event_fail(verd_event *event, int error);

/* Waits until the event is set, and stores its value in *value (unless NULL). Blocks. Returns 0, or -1
 * with errno as above, or the errno of verd_event_fail. */
int verd_event_wait(verd_event *event, void **value);

/* Whether it is set (or failed): a wait would not block. false for NULL. Never blocks. */
bool verd_event_ready(const verd_event *event);

/* Makes it new. Those who waited when it was set still get that value. Never blocks.
 * Returns 0, or -1 with errno EBUSY (someone waits for it to be set), EINVAL. */
int verd_event_reset(verd_event *event);

/* ---- semaphore ---- */

struct verd__units {
    struct verd__list waiters;
    uint64_t home;
    size_t count;
};

typedef struct verd_semaphore {
    struct verd__units units;
    size_t bound; /* 0: none */
} verd_semaphore;

#define VERD_SEMAPHORE_INIT(n) {{{NULL, NULL}, 0, (n)}, 0}
#define VERD_SEMAPHORE_BOUNDED(n) {{{NULL, NULL}, 0, (n)}, (n)}

/* Takes a unit; blocks until there is one. Returns 0, or -1 and errno as above. */
int verd_semaphore_acquire(verd_semaphore *semaphore);

/* Takes a unit if there is one now. Never blocks. Returns 0, or -1 with errno EAGAIN (none), EINVAL
 * or EPERM. */
int verd_semaphore_try_acquire(verd_semaphore *semaphore);

/* Gives a unit: to the first in line, if there is one. Never blocks.
 * Returns 0, or -1 with errno EOVERFLOW (it has as many as its bound), EINVAL, EPERM. */
int verd_semaphore_release(verd_semaphore *semaphore);

/* The units that are there: 0 while someone waits. 0 for NULL. Never blocks. */
size_t verd_semaphore_units(const verd_semaphore *semaphore);

/* ---- mutex ---- */

typedef struct verd_mutex {
    struct verd__list waiters;
    uint32_t kind; /* 0; others are those of <verd/pthread.h> */
    uint32_t lent; /* to conditions: those who wait there will have it again */
    uint64_t home;
    verd_thread *owner;
} verd_mutex;

#define VERD_MUTEX_INIT {{NULL, NULL}, 0, 0, 0, NULL}

/* Locks; blocks until it can. A thread that ends with the lock held leaves it locked.
 * Returns 0, or -1 with errno as above, or EDEADLK (the caller holds it). */
int verd_mutex_lock(verd_mutex *mutex);

/* Locks if it can now. Never blocks. Returns 0, or -1 with errno EAGAIN (held by another), EDEADLK
 * (the caller holds it), EINVAL, EPERM or ENOMEM. */
int verd_mutex_try_lock(verd_mutex *mutex);

/* Unlocks; the first in line has the lock at once. Never blocks.
 * Returns 0, or -1 with errno EPERM (the caller does not hold it), EINVAL. */
int verd_mutex_unlock(verd_mutex *mutex);

/* ---- condition ---- */

typedef struct verd_cond {
    struct verd__list waiters;
    uint64_t home;
} verd_cond;

#define VERD_COND_INIT {{NULL, NULL}, 0}

/* Unlocks the mutex, waits for a signal, and locks the mutex again. However the wait ends, the caller
 * holds the mutex when the call returns, and neither kill nor timeout disturbs the locking. There are no
 * spurious wake-ups. Blocks. Returns 0, or -1 with errno as above; EPERM also if the caller does not
 * hold the mutex. */
int verd_cond_wait(verd_cond *cond, verd_mutex *mutex);

/* Wakes the first waiter, or all of them, if any. Never block. Return 0, or -1 with errno EINVAL or
 * EPERM. */
int verd_cond_signal(verd_cond *cond);
int verd_cond_broadcast(verd_cond *cond);

/* ---- read-write lock: first come first served, so neither side starves ---- */

typedef struct verd_rwlock {
    struct verd__list waiters;
    uint64_t home;
    verd_thread *writer;
    size_t readers;
} verd_rwlock;

#define VERD_RWLOCK_INIT {{NULL, NULL}, 0, NULL, 0}

/* Locks for reading, with other readers; waits behind a writer that waits. Blocks.
 * Returns 0, or -1 with errno as above, or EDEADLK (the caller holds it for writing). */
int verd_rwlock_read_lock(verd_rwlock *lock);

/* Locks for writing, alone. Blocks. Returns 0, or -1 with errno as above, or EDEADLK (the caller
 * holds it for writing). */
int verd_rwlock_write_lock(verd_rwlock *lock);

/* Lock for reading, or for writing, if that can be had now. Never block. Return 0, or -1 with errno EAGAIN (it cannot),
 * EDEADLK (the caller holds it for writing), EINVAL, EPERM or ENOMEM. */
int verd_rwlock_try_read_lock(verd_rwlock *lock);
int verd_rwlock_try_write_lock(verd_rwlock *lock);

/* Gives back either. Never blocks. Returns 0, or -1 with errno EPERM (not locked, or for writing by
 * another thread), EINVAL. */
int verd_rwlock_unlock(verd_rwlock *lock);

/* ---- group: waits until a number of things are done ---- */

typedef struct verd_group {
    struct verd__list waiters;
    uint64_t home;
    size_t count;
} verd_group;

#define VERD_GROUP_INIT {{NULL, NULL}, 0, 0}

/* Counts n more things. Never blocks. Returns 0, or -1 with errno EOVERFLOW or EINVAL. */
int verd_group_add(verd_group *group, size_t n);

/* One thing is done; at zero, all waiters wake. Never blocks. Returns 0, or -1 with errno EINVAL (the
 * count is zero already, or NULL), EPERM. */
int verd_group_done(verd_group *group);

/* Waits until the count is zero. Blocks. Returns 0, or -1 and errno as above. */
int verd_group_wait(verd_group *group);

#ifdef __cplusplus
}
#endif
#endif
