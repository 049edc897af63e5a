/* SPDX-License-Identifier: MIT */
#include "sched/once.h"

#include <sched.h>
#include <unistd.h>

/* Waits until nobody else is at it. Who is at it as another process forks does not come along: what the
 * child finds is of its parent's, and nobody will ever end it. */
static void claim(struct verd__once *once)
{
    pid_t self = getpid();
    pid_t owner = 0;
    while (!atomic_compare_exchange_weak(&once->owner, &owner, self)) {
        if (owner != self)
            continue;
        sched_yield();
        owner = 0;
    }
}

int verd__once(struct verd__once *once, int (*prepare)(void))
{
    if (atomic_load_explicit(&once->done, memory_order_acquire))
        return 0;
    claim(once);
    int error = atomic_load(&once->done) ? 0 : prepare();
    atomic_store(&once->done, error == 0);
    atomic_store(&once->owner, 0);
    return error;
}
