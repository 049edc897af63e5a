/* SPDX-License-Identifier: MIT */
#include "sync/semaphore.h"

#include <stdint.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind semaphore_kind = {.name = "a semaphore", .is_users = true};

static inline int acquire(struct verd__scheduler *scheduler, struct verd__units *units)
{
    if (units->count > 0) {
        units->count--;
        return verd__done(scheduler, 0);
    }
    if (!verd__home_is_here(units->home, &units->waiters))
        return verd__home_elsewhere(units->home, &units->waiters) == 0 ? verd__units_acquire(units)
                                                                       : verd__refuse(EPERM);
    units->home = scheduler->number;
    return verd__wait_in_queue(scheduler, &semaphore_kind, &units->waiters, NULL);
}

static __attribute__((noinline)) int acquire_slowly(struct verd__units *units)
{
    struct verd__scheduler *scheduler = verd__begin();
    return scheduler != NULL ? acquire(scheduler, units) : verd__refuse(0);
}

int verd__units_acquire(struct verd__units *units)
{
    struct verd__scheduler *scheduler = verd__current;
    return verd__is_clear(scheduler) ? acquire(scheduler, units) : acquire_slowly(units);
}

int verd__units_try_acquire(struct verd__units *units)
{
    if (units->count == 0) {
        if (verd__home_check(units->home, &units->waiters) == 0)
            errno = EAGAIN;
        return -1;
    }
    units->count--;
    return 0;
}

int verd__units_release(struct verd__units *units, size_t most)
{
    if (verd__home_check(units->home, &units->waiters) != 0)
        return -1;
    struct verd__entry *first = verd__first_entry(&units->waiters);
    if (first != NULL) {
        verd__wake_plain(verd__current, first->wait);
        return 0;
    }
    if (units->count == most)
        return verd__errno(EOVERFLOW);
    units->count++;
    return 0;
}

/* A call in a killed thread says so first. */
static int acquire_none(void)
{
    return verd__refuse(verd__begin() != NULL ? EINVAL : 0);
}

int verd_semaphore_acquire(verd_semaphore *semaphore)
{
    return semaphore != NULL ? verd__units_acquire(&semaphore->units) : acquire_none();
}

int verd_semaphore_try_acquire(verd_semaphore *semaphore)
{
    return semaphore != NULL ? verd__units_try_acquire(&semaphore->units) : verd__invalid();
}

int verd_semaphore_release(verd_semaphore *semaphore)
{
    if (semaphore == NULL)
        return verd__invalid();
    return verd__units_release(&semaphore->units,
                               semaphore->bound != 0 ? semaphore->bound : SIZE_MAX);
}

size_t verd_semaphore_units(const verd_semaphore *semaphore)
{
    return semaphore != NULL ? semaphore->units.count : 0;
}
