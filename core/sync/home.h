/* SPDX-License-Identifier: MIT */
/* Which OS thread a statically initialised object belongs to: that of its first user. */
#ifndef VERD_SYNC_HOME_H
#define VERD_SYNC_HOME_H

#include <errno.h>
#include <stddef.h>

#include "sched/scheduler.h"

/* 0 if the caller's OS thread may use the object, else -1 with errno EPERM. While nobody waits and
 * nothing is held, an object may change hands, so it is who waits that makes it a home. */
static inline int verd__home_check(const void *home, const struct verd__waiters *waiters)
{
    if (__builtin_expect(waiters->first != NULL && home != verd__current, 0)) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static inline int verd__invalid(void)
{
    errno = EINVAL;
    return -1;
}

#endif
