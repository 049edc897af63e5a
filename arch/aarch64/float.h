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

/* Written only when it differs (switch.S says why). */
static inline void verd__float_control_set(const struct verd__float_control *control)
{
    struct verd__float_control now;
    verd__float_control_get(&now);
    if (__builtin_expect(now.fpcr != control->fpcr, 0))
        __asm__ volatile("msr fpcr, %0" : : "r"(control->fpcr));
}

#endif
