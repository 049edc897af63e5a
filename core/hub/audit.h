/* SPDX-License-Identifier: MIT */
/*
 * The audit of long waits: finds descriptors that were closed behind the library's back, and records that nobody
 * needs any more (table.h). It begins some time after a wait has, or a descriptor was closed, looks at all there
 * are, little by little, at most a hundredth of the time, and then leaves an idle process alone.
 */
#ifndef VERD_HUB_AUDIT_H
#define VERD_HUB_AUDIT_H

#include "hub/hub.h"

void verd__audit_init(struct verd__loop *loop);

/* There will be an audit. */
void verd__audit_arm(struct verd__loop *loop);

/* A wait begins. */
static inline void verd__audit_expect(struct verd__loop *loop)
{
    if (__builtin_expect(!loop->audit_expected, 0))
        verd__audit_arm(loop);
}

#endif
