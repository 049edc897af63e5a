/* SPDX-License-Identifier: MIT */
#include "sync/home.h"

#include "sched/slab.h"

/* Those who wait for what outlives their OS thread, are gone with it. */
int verd__home_elsewhere(uint64_t home, struct verd__list *waiters)
{
    if (verd__scheduler_lives(home))
        return verd__errno(EPERM);
    waiters->first = waiters->last = NULL;
    return 0;
}
