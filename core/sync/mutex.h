/* SPDX-License-Identifier: MIT */
/* What a condition needs of the mutex. */
#ifndef VERD_SYNC_MUTEX_H
#define VERD_SYNC_MUTEX_H

#include <verd/sync.h>

#include "sched/scheduler.h"

/* Locks although the thread may be killed or out of time. 0, or -1 with errno EPERM: it has become another OS
 * thread's. */
int verd__mutex_relock(struct verd__scheduler *scheduler, verd_mutex *mutex);

#endif
