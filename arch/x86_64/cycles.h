/* SPDX-License-Identifier: MIT */
/* The counter that the kernel may tell the time by: the time stamp counter. */
#ifndef VERD_ARCH_CYCLES_H
#define VERD_ARCH_CYCLES_H

#include <stdint.h>

/* The kernel's name for it. It makes this its clock only where the counter is steady and the same on
 * all processors. */
#define VERD__CYCLES_CLOCKSOURCE "tsc"

static inline uint64_t verd__cycles(void)
{
    return __builtin_ia32_rdtsc();
}

#endif
