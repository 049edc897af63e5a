/* SPDX-License-Identifier: MIT */
/* The audit of long waits: finds descriptors that were closed behind the library's back (hub.h). */
#ifndef VERD_HUB_AUDIT_H
#define VERD_HUB_AUDIT_H

#include "hub/hub.h"

void verd__audit_init(struct verd__hub *hub);

/* Arms the audit's timer. */
void verd__audit_arm(struct verd__hub *hub);

/* A wait begins: there will be an audit. */
static inline void verd__audit_expect(struct verd__hub *hub)
{
    if (__builtin_expect(!verd__timer_armed(&hub->audit), 0))
        verd__audit_arm(hub);
}

#endif
