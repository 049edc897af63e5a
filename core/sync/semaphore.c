/* SPDX-License-Identifier: MIT */
/* Invariant: while someone waits there are no units; a released one is handed to the first in line. */
#include <verd/sync.h>

#include <stdint.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind semaphore_kind = {"a semaphore", verd__leave_line};

int verd_semaphore_acquire(verd_semaphore *semaphore)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (semaphore == NULL)
        return verd__invalid();
    if (semaphore->units > 0) {
        semaphore->units--;
        return 0;
    }
    if (verd__home_check(semaphore->home, &semaphore->waiters) != 0)
        return -1;
    struct verd__wait wait = {.kind = &semaphore_kind};
    semaphore->home = scheduler;
    return verd__wait_in_line(scheduler, &wait, &semaphore->waiters);
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
    struct verd__wait *wait = verd__waiters_pop(&semaphore->waiters);
    if (wait != NULL) {
        verd__wake(wait);
        return 0;
    }
    if (semaphore->units == (semaphore->bound != 0 ? semaphore->bound : SIZE_MAX)) {
        errno = EOVERFLOW;
        return -1;
    }
    semaphore->units++;
    return 0;
}

size_t verd_semaphore_units(const verd_semaphore *semaphore)
{
    return semaphore != NULL ? semaphore->units : 0;
}
