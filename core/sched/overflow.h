/* SPDX-License-Identifier: MIT */
/* Tells a stack overflow from other crashes: the handler of SIGSEGV, on a signal stack of its own. */
#ifndef VERD_SCHED_OVERFLOW_H
#define VERD_SCHED_OVERFLOW_H

#include "sched/scheduler.h"

/* Once per process: installs the handler, unless there is one already. */
void verd__overflow_install(void);

/* Once per OS thread: a signal stack, unless it has one already; without memory for it, an overflow is a
 * plain crash. */
void verd__overflow_begin(struct verd__scheduler *scheduler);
void verd__overflow_end(struct verd__scheduler *scheduler);

#endif
