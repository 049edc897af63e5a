/* SPDX-License-Identifier: MIT */
#include "sched/probe.h"

#ifdef VERD__PROBES
#define VERD__SEMAPHORE(name) \
    volatile unsigned short verd_##name##_semaphore __attribute__((section(".probes")));
VERD__PROBES(VERD__SEMAPHORE)
#else
typedef int verd__no_probes; /* ISO C wants something in each file */
#endif
