/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors or kernel memory to become free, of which nobody tells: longer from time
 * to time, unless a close on this OS thread ends it. */
#ifndef VERD_IO_BACKOFF_H
#define VERD_IO_BACKOFF_H

#include "sched/scheduler.h"

/* A row of such waits; zero before the first. */
struct verd__backoff {
    verd_duration pause; /* of the next wait; 0: the shortest */
};

/* Waits once. Returns 0, or -1 with errno ECANCELED or ETIMEDOUT. */
int verd__backoff_wait(struct verd__backoff *backoff, struct verd__scheduler *scheduler);

/* A descriptor has become free: wakes who has waited longest. */
void verd__backoff_eased(struct verd__scheduler *scheduler);

#endif
