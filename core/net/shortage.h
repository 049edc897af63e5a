/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors or kernel memory to become free, of which nobody tells: longer from time
 * to time, unless a close on this OS thread ends it. */
#ifndef VERD_NET_SHORTAGE_H
#define VERD_NET_SHORTAGE_H

#include "hub/hub.h"

/* A row of such waits; zero before the first. */
struct verd__shortage {
    verd_duration pause; /* of the next wait; 0: the shortest */
};

/* Waits once. Returns 0, or -1 with errno ECANCELED or ETIMEDOUT. */
int verd__shortage_wait(struct verd__shortage *shortage, struct verd__hub *hub);

/* A descriptor has become free: wakes who has waited longest. */
void verd__shortage_eased(struct verd__hub *hub);

#endif
