/* SPDX-License-Identifier: MIT */
/*
 * What AddressSanitizer is told around each switch, so that it knows on which stack the code runs
 * (sanitizer/common_interface_defs.h). Nothing in other builds.
 */
#ifndef VERD_SCHED_FIBRE_H
#define VERD_SCHED_FIBRE_H

#include "sched/area.h"
#include "stack/memory.h"

#ifdef VERD__ASAN

#include <sanitizer/common_interface_defs.h>

/* Before a switch to `to`. `fibre` keeps the fake stack of what is left; NULL: it is not resumed. */
static inline void verd__fibre_leave(struct verd__scheduler *scheduler, void **fibre,
                                     const struct verd__thread *to)
{
    if (to == scheduler->main)
        __sanitizer_start_switch_fiber(fibre, scheduler->main_low, scheduler->main_size);
    else
        __sanitizer_start_switch_fiber(fibre, to->stack->low, verd__stack_size(to->stack));
}

/* After a switch, on arrival. The first one of all comes from the OS thread's own stack, whose bounds
 * can be learnt here. */
static inline void verd__fibre_arrive(struct verd__scheduler *scheduler, void *fibre)
{
    const void *low;
    size_t size;
    __sanitizer_finish_switch_fiber(fibre, &low, &size);
    if (scheduler->main_low == NULL) {
        scheduler->main_low = low;
        scheduler->main_size = size;
    }
}

/* After a switch back to a thread that has left. */
static inline void verd__fibre_return(const struct verd__thread *self)
{
    verd__fibre_arrive(verd__current, verd__area(self)->fibre);
}

#else

static inline void verd__fibre_leave(struct verd__scheduler *scheduler, void **fibre,
                                     const struct verd__thread *to)
{
    (void)scheduler, (void)fibre, (void)to;
}

static inline void verd__fibre_arrive(struct verd__scheduler *scheduler, void *fibre)
{
    (void)scheduler, (void)fibre;
}

static inline void verd__fibre_return(const struct verd__thread *self)
{
    (void)self;
}

#endif
#endif
