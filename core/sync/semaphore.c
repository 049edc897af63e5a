/* SPDX-License-Identifier: MIT */
/* Invariant: while someone waits there are no units; a released one is handed to the first in the queue. */
#include <verd/sync.h>

#include <stdint.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind semaphore_kind = {.name = "a semaphore", .is_users = true};

static inline int acquire(struct verd__scheduler *scheduler, verd_semaphore *semaphore)
{
    if (semaphore == NULL)
        return verd__refuse(EINVAL);
    if (semaphore->units > 0) {
        semaphore->units--;
        return verd__done(scheduler, 0);
    }
    if (!verd__home_is_here(semaphore->home, &semaphore->waiters))
        return verd__home_elsewhere(semaphore->home, &semaphore->waiters) == 0
                   ? verd_semaphore_acquire(semaphore)
                   : verd__refuse(EPERM);
    semaphore->home = scheduler->number;
    return verd__wait_in_queue(scheduler, &semaphore_kind, &semaphore->waiters, NULL);
}

static __attribute__((noinline)) int acquire_slowly(verd_semaphore *semaphore)
{
    struct verd__scheduler *scheduler = verd__begin();
    return scheduler != NULL ? acquire(scheduler, semaphore) : verd__refuse(0);
}

int verd_semaphore_acquire(verd_semaphore *semaphore)
{
    struct verd__scheduler *scheduler = verd__current;
    return verd__is_clear(scheduler) ? acquire(scheduler, semaphore) : acquire_slowly(semaphore);
}

int verd_semaphore_try_acquire(verd_semaphore *semaphore)
{
    if (semaphore == NULL)
        return verd__invalid();
    if (semaphore->units == 0) {
        if (verd__home_check(semaphore->home, &semaphore->waiters) == 0)
            errno = EAGAIN;
        return -1;
    }
    semaphore->units--;
    return 0;
}

int verd_semaphore_release(verd_semaphore *semaphore)
{
    if (semaphore == NULL)
        return verd__invalid();
    if (verd__home_check(semaphore->home, &semaphore->waiters) != 0)
        return -1;
    struct verd__entry *first = verd__first_entry(&semaphore->waiters);
    if (first != NULL) {
        verd__wake_plain(verd__current, first->wait);
        return 0;
    }
    if (semaphore->units == (semaphore->bound != 0 ? semaphore->bound : SIZE_MAX))
        return verd__errno(EOVERFLOW);
    semaphore->units++;
    return 0;
}

size_t verd_semaphore_units(const verd_semaphore *semaphore)
{
    return semaphore != NULL ? semaphore->units : 0;
}
