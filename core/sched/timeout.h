/* SPDX-License-Identifier: MIT */
/* What the scheduler does with timeout scopes; the calls are in <verd/time.h>. */
#ifndef VERD_SCHED_TIMEOUT_H
#define VERD_SCHED_TIMEOUT_H

#include "sched/scheduler.h"

/* Arms the timer of the thread's scopes, as some were begun since it last waited. A scope costs no timer
 * until then. */
void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd_thread *thread);

/* Has an open scope of any thread of this OS thread run out now. */
void verd__timeout_expire(struct verd_timeout *timeout);

/* Ends the scopes that a thread has left open, without a look at them: they may be in a frame that is
 * gone. */
void verd__timeouts_forget(struct verd__scheduler *scheduler, struct verd_thread *thread);

/* Closes the scopes of a thread that was suspended, and never runs again. */
void verd__timeouts_close(struct verd__scheduler *scheduler, struct verd_thread *thread);

#endif
