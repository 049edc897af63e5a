/* SPDX-License-Identifier: MIT */
/* Whether VERD_THREADS=os can be had (sched/carrier.h): in a debug build. */
#ifndef VERD_STACK_CARRIERS_H
#define VERD_STACK_CARRIERS_H

#ifndef VERD__CARRIERS
#define VERD__CARRIERS 0
#endif

#endif
