/* SPDX-License-Identifier: MIT */
/* The counter that the kernel tells the time by: the virtual counter. */
#ifndef VERD_ARCH_CYCLES_H
#define VERD_ARCH_CYCLES_H

#include <stdint.h>

/* The kernel's name for it. */
#define VERD__CYCLES_CLOCKSOURCE "arch_sys_counter"

static inline uint64_t verd__cycles(void)
{
    uint64_t cycles;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(cycles));
    return cycles;
}

#endif
