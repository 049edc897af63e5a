/* SPDX-License-Identifier: MIT */
/* What the scheduler does with timeout scopes; the calls are in <verd/time.h>. */
#ifndef VERD_SCHED_TIMEOUT_H
#define VERD_SCHED_TIMEOUT_H

#include "sched/scheduler.h"

/* Arms the scopes that were begun since the thread last waited. A scope costs no timer until then. */
void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd_thread *thread);

/* Has an open scope of any thread of this OS thread run out now. */
void verd__timeout_expire(struct verd_timeout *timeout);

/* Closes the scopes that an ending thread left open. */
void verd__timeouts_end(struct verd__scheduler *scheduler, struct verd__room *room);

#endif
