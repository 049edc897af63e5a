/* SPDX-License-Identifier: MIT */
/* The end of a round, in parts. */
#ifndef VERD_SCHED_ROUND_H
#define VERD_SCHED_ROUND_H

struct verd__scheduler;

/* Asks timers and the poller, and waits for them as long as nobody can run. */
void verd__look_around(struct verd__scheduler *scheduler);

#endif
