/* SPDX-License-Identifier: MIT */
/*
 * For the monitor of the floor of debugging, an OS thread that watches the others without being told of anything: what it
 * needs to sleep while they do.
 */
#ifndef VERD_SCHED_MONITOR_H
#define VERD_SCHED_MONITOR_H

#include <stdatomic.h>

/* Provided by that floor, as verd__debug_begin is (observe.h): this is the child of a fork. */
extern void (*const verd__debug_forked)(void);

/* Not 0: the monitor waits for this to become 0 (futex(2)), as no OS thread had anything to do. */
extern _Atomic(int) verd__monitor_sleeps;

void verd__monitor_wake(void);

/* An OS thread has something to do, after it had waited for the kernel. */
static inline void verd__monitor_tell(void)
{
    if (__builtin_expect(atomic_load_explicit(&verd__monitor_sleeps, memory_order_relaxed), 0))
        verd__monitor_wake();
}

#endif
