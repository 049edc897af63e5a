/* SPDX-License-Identifier: MIT */
/* What the scheduler does with thread-specific values; the calls are in <verd/thread.h>. */
#ifndef VERD_SCHED_LOCAL_H
#define VERD_SCHED_LOCAL_H

#include "sched/area.h"

/* Destroys the values of the ending thread, on it. */
void verd__locals_end(struct verd__area *area);

#endif
