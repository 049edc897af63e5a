/* SPDX-License-Identifier: MIT */
/* The floating-point control state, which is per thread: mxcsr and the x87 control word. */
#ifndef VERD_ARCH_FLOAT_H
#define VERD_ARCH_FLOAT_H

#include <stdint.h>

#include "frame.h"
#include "stack/sanitizer.h"

struct verd__float_control {
    uint32_t mxcsr;
    uint16_t x87cw;
};

static inline VERD__UNWATCHED void verd__float_control_get(struct verd__float_control *control)
{
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control->mxcsr), "=m"(control->x87cw));
    control->mxcsr &= VERD__MXCSR_CONTROL;
}

/* In switch.S. */
extern const unsigned char verd__mxcsr_is_quick __attribute__((visibility("hidden")));

/* Loads what differs, or what is quickly loaded (switch.S says why); exception flags may stay as they are. */
static inline VERD__UNWATCHED void
verd__float_control_set(const struct verd__float_control *control)
{
    uint32_t mxcsr = ~control->mxcsr;
    uint16_t x87cw;
    if (!verd__mxcsr_is_quick)
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    if (((mxcsr ^ control->mxcsr) & VERD__MXCSR_CONTROL) != 0)
        __asm__ volatile("ldmxcsr %0" : : "m"(control->mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87cw));
    if (__builtin_expect(x87cw != control->x87cw, 0))
        __asm__ volatile("fldcw %0" : : "m"(control->x87cw));
}

#endif
