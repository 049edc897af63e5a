/* SPDX-License-Identifier: MIT */
/* The floating-point control state, which is per thread: FPCR. */
#ifndef VERD_ARCH_FLOAT_H
#define VERD_ARCH_FLOAT_H

#include <stdint.h>

struct verd__float_control {
    uint64_t fpcr;
};

static inline void verd__float_control_get(struct verd__float_control *control)
{
    __asm__ volatile("mrs %0, fpcr" : "=r"(control->fpcr));
}

static inline void verd__float_control_set(const struct verd__float_control *control)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(control->fpcr));
}

#endif
