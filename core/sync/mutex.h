/* SPDX-License-Identifier: MIT */
/* What a condition needs of the mutex. */
#ifndef VERD_SYNC_MUTEX_H
#define VERD_SYNC_MUTEX_H

#include <verd/sync.h>

#include "sched/scheduler.h"

/* Locks although the thread may be killed or out of time. The mutex was lent to a condition, so it is the
 * OS thread's. */
void verd__mutex_relock(struct verd__scheduler *scheduler, verd_mutex *mutex);

#endif
