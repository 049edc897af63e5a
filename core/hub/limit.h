/* SPDX-License-Identifier: MIT */
/*
 * SO_RCVTIMEO and SO_SNDTIMEO: how long a socket's own options let a wait for it last. Most sockets have no
 * limit, and to ask before each wait would cost a system call: so the first wait of a socket of ours that has
 * one is told of it by the audit, and lasts up to an audit's interval longer; from then on, and of those made
 * elsewhere, it is asked for as the wait begins. What has a limit is not restarted after a handler of a signal has
 * run, as in the kernel: SA_RESTART or not, such a wait of POSIX's ends with EINTR.
 */
#ifndef VERD_HUB_LIMIT_H
#define VERD_HUB_LIMIT_H

#include "hub/hub.h"

/* The running thread's wait for a descriptor is about to begin. */
void verd__limit_ask(struct verd__loop *loop, int fd, struct verd__fd *record,
                     enum verd__direction direction);

static inline void verd__limit_begin(struct verd__loop *loop, int fd, struct verd__fd *record,
                                     enum verd__direction direction)
{
    record->bits &= (uint16_t)~VERD__FD_ASKED;
    if (__builtin_expect((record->bits & (VERD__FD_OURS | VERD__FD_LIMITED)) != VERD__FD_OURS, 0))
        verd__limit_ask(loop, fd, record, direction);
}

/* The same for a wait of another kind, which ends by itself: how long it may last; 0: there is no limit. */
verd_duration verd__limit_own(const struct verd__loop *loop, int fd,
                              enum verd__direction direction);

/* The audit has come to a descriptor: sees to the waits that have begun since it was here before. */
void verd__limit_audit(struct verd__loop *loop, int fd, struct verd__fd *record);

#endif
