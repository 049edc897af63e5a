/* SPDX-License-Identifier: MIT */
/* What the scheduler does with timeout scopes; the calls are in <verd/time.h>. */
#ifndef VERD_SCHED_TIMEOUT_H
#define VERD_SCHED_TIMEOUT_H

#include "sched/scheduler.h"

/* Arms the timer of the thread's scopes, as some were begun since it last waited. A scope costs no timer
 * until then. */
void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* Has an open scope of a thread of this OS thread run out now. */
void verd__timeout_expire(struct verd__thread *thread, const verd_timeout *timeout);

/* Ends all scopes of a thread. */
void verd__scopes_close(struct verd__scheduler *scheduler, struct verd__thread *thread);

#endif
