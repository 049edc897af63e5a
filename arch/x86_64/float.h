/* SPDX-License-Identifier: MIT */
/* The floating-point control state, which is per thread: mxcsr and the x87 control word. */
#ifndef VERD_ARCH_FLOAT_H
#define VERD_ARCH_FLOAT_H

#include <stdint.h>

struct verd__float_control {
    uint32_t mxcsr;
    uint16_t x87cw;
};

static inline void verd__float_control_get(struct verd__float_control *control)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control->mxcsr), "=m"(control->x87cw));
    control->mxcsr &= ~0x3fu; /* the exception flags are not control bits */
}

static inline void verd__float_control_set(const struct verd__float_control *control)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(control->mxcsr), "m"(control->x87cw));
}

#endif
