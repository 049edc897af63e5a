/* SPDX-License-Identifier: MIT */
/* Semaphores: a sem_t has room for the units of one. Waits for them are places to be cancelled at. */
#include <errno.h>
#include <limits.h>

#include "offload/handler.h"
#include "patch/pthread.h"
#include "sync/semaphore.h"

/* In musl it lies where an int may, which is all the same to the processors. */
_Static_assert(sizeof(struct verd__units) <= sizeof(sem_t), "libc's sem_t has room for it");

#define MOST ((size_t)INT_MAX) /* SEM_VALUE_MAX, which getvalue can tell */

static struct verd__units *units_of(sem_t *semaphore)
{
    return (struct verd__units *)(void *)semaphore;
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

int verd_sem_init(sem_t *semaphore, int shared, unsigned value)
{
    if (value > MOST)
        return refuse(EINVAL);
    if (shared)
        return refuse(ENOSYS);
    *units_of(semaphore) = (struct verd__units){.count = value};
    return 0;
}

int verd_sem_destroy(sem_t *semaphore)
{
    return units_of(semaphore)->waiters.first != NULL ? refuse(EBUSY) : 0;
}

/* Any handler of a signal ends it. */
static int acquire_slowly(sem_t *semaphore)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    bool begun = verd__interruptible_begin(scheduler, VERD__UNLESS_RESTARTED);
    int result = verd__units_acquire(units_of(semaphore));
    verd__interruptible_end(scheduler, begun);
    return result;
}

static inline int acquire(sem_t *semaphore)
{
    return units_of(semaphore)->count > 0 ? verd__units_acquire(units_of(semaphore))
                                          : acquire_slowly(semaphore);
}

int verd_sem_wait(sem_t *semaphore)
{
    int result = acquire(semaphore);
    if (__builtin_expect(result != 0 && errno == ECANCELED, 0))
        verd__cancel_here();
    return result;
}

int verd_sem_trywait(sem_t *semaphore)
{
    return verd__units_try_acquire(units_of(semaphore));
}

static int wait_until(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    struct verd__deadline deadline;
    if (units_of(semaphore)->count > 0)
        return verd_sem_wait(semaphore);
    int error = verd__deadline_begin(&deadline, clock, until);
    if (error == 0) {
        int before = errno;
        error = deadline.has_passed ? ETIMEDOUT : verd__outcome(acquire_slowly(semaphore), before);
        verd__deadline_end(&deadline);
    }
    if (error == 0)
        return 0;
    if (error == ECANCELED || error == ETIMEDOUT)
        verd__cancel_here();
    return refuse(error);
}

int verd_sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    return wait_until(semaphore, CLOCK_REALTIME, until);
}

int verd_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    return wait_until(semaphore, clock, until);
}

int verd_sem_post(sem_t *semaphore)
{
    return verd__units_release(units_of(semaphore), MOST);
}

int verd_sem_getvalue(sem_t *semaphore, int *value)
{
    *value = (int)units_of(semaphore)->count;
    return 0;
}

sem_t *verd_sem_open(const char *name, int flags, ...)
{
    (void)name;
    (void)flags;
    errno = ENOSYS;
    return SEM_FAILED;
}

int verd_sem_close(sem_t *semaphore)
{
    (void)semaphore;
    return refuse(ENOSYS);
}
