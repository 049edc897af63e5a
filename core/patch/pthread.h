/* SPDX-License-Identifier: MIT */
/*
 * What the files behind <verd/pthread.h> have in common.
 *
 * Objects of POSIX are the library's own in the bytes of libc's, which zeroes initialise; calls on them give the
 * number of an error, and leave errno.
 */
#ifndef VERD_PATCH_PTHREAD_H
#define VERD_PATCH_PTHREAD_H

#define VERD_PTHREAD_DECLARE_ONLY
#include <threads.h>

#include <verd/pthread.h>
#include <verd/sync.h>

#include "sched/scheduler.h"

/* An object that begins where libc's does and is no larger. */
#define VERD__FITS(type, libc)                                                       \
    _Static_assert(sizeof(type) <= sizeof(libc) && _Alignof(type) <= _Alignof(libc), \
                   "libc's " #libc " has room for it")

/* ---- results ---- */

/* What a call of the library's has given, 0 or -1 and errno, as POSIX's threads have it; errno is what it was `before`
 * again. */
int verd__outcome(int result, int before);

/* The same of POSIX's for C11. */
int verd__c11_outcome(int error);

/* ---- points in time ---- */

/* Something that waits until a point in time: a timeout scope, which counts within shields, too. */
struct verd__deadline {
    verd_timeout timeout;
    bool has_passed; /* nothing is to be waited for */
};

/* Returns 0, and has verd__deadline_end called; or EINVAL (no time, or no such clock) or ENOMEM. */
int verd__deadline_begin(struct verd__deadline *deadline, clockid_t clock,
                         const struct timespec *until);
void verd__deadline_end(struct verd__deadline *deadline);

/* ---- cancellation ---- */

/* Ends the running thread, one of POSIX's, if it was cancelled, and may be. Else it returns. */
void verd__cancel_here(void);

/* The outcome of a call that ends a thread that was cancelled: as verd__outcome, if it returns. */
int verd__cancellable_outcome(int result, int before);

/* ---- threads ---- */

static inline pthread_t verd__pthread_of(const verd_thread *handle)
{
    return (pthread_t)(uintptr_t)handle;
}

static inline verd_thread *verd__handle_of(pthread_t thread)
{
    return (verd_thread *)(uintptr_t)thread;
}

/* The thread, of this OS thread. NULL with ESRCH or EPERM in *error; errno stays. */
struct verd__thread *verd__pthread_find(pthread_t handle, int *error);

/* As pthread_create, of C11's if `run` is not NULL. */
int verd__pthread_create(pthread_t *handle, const pthread_attr_t *attr, void *(*call)(void *),
                         int (*run)(void *), void *arg, const void *site);

/* Ends the running thread, whose result that is. */
_Noreturn void verd__pthread_leave(struct verd__scheduler *scheduler, void *result);

/* ---- mutexes ---- */

static inline verd_mutex *verd__mutex_of(pthread_mutex_t *mutex)
{
    return (verd_mutex *)(void *)mutex;
}

/* In `kind` of a mutex: one of PTHREAD_MUTEX_*, and above that how often its owner has locked it besides. */
#define VERD__KIND 0xffu
#define VERD__AGAIN 0x100u

int verd__pthread_mutex_timedlock(pthread_mutex_t *mutex, clockid_t clock,
                                  const struct timespec *until);

#endif
