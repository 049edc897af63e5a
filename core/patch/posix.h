/* SPDX-License-Identifier: MIT */
/* <verd/posix.h> for the files that define what it declares, whose own calls are libc's. */
#ifndef VERD_PATCH_POSIX_H
#define VERD_PATCH_POSIX_H

#define VERD_POSIX_DECLARE_ONLY
#include <verd/posix.h>

#include <verd/thread.h>

#include "sched/scheduler.h"

/* Whether a call is to be the library's: there are green threads, and it is not made by a handler of a signal, which
 * interrupts whatever runs; those are libc's, and safe there if libc's are. */
bool verd__is_green(void);

/* A descriptor number is another file from now on: who waits for the one before gets EBADF. */
void verd__posix_forget(int fd);

/* ---- points of cancellation ---- */

/* Ends the running thread if it is one of POSIX's that was cancelled and may be, and the call is to be the library's. */
void verd__point_reached(void);

/* Where a call has done nothing, and has nothing in hand: at its entry, and before it tells that it has failed. */
static inline void verd__point(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(
            scheduler != NULL && (scheduler->running->interrupt & VERD__INTERRUPT_KILL), 0))
        verd__point_reached();
}

/*
 * The head of the definition of verd_posix_..., a call that is such a point: the body that follows it is between the two,
 * and is called by itself as verd__inner_.... `failed` is about its `outcome`.
 */
#define VERD__POINT_IF(failed, returned, name, parameters, arguments) \
    static returned verd__inner_##name parameters;                    \
    returned verd_posix_##name parameters                             \
    {                                                                 \
        verd__point();                                                \
        returned outcome = verd__inner_##name arguments;              \
        if (failed)                                                   \
            verd__point();                                            \
        return outcome;                                               \
    }                                                                 \
    static returned verd__inner_##name parameters

#define VERD__POINT(returned, name, parameters, arguments) \
    VERD__POINT_IF(outcome == -1, returned, name, parameters, arguments)

#endif
