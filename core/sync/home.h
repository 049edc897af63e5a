/* SPDX-License-Identifier: MIT */
/* Which OS thread a statically initialised object belongs to: that of those who wait for it, known by the number
 * of their scheduler. */
#ifndef VERD_SYNC_HOME_H
#define VERD_SYNC_HOME_H

#include <errno.h>
#include <stddef.h>

#include "sched/scheduler.h"

/* Whether nobody waits, or only threads of the caller's OS thread. While nobody waits and nothing is held, an
 * object may change hands. */
static inline bool verd__home_is_here(uint64_t home, const struct verd__list *waiters)
{
    const struct verd__scheduler *scheduler = verd__current;
    return __builtin_expect(waiters->first == NULL, 1) ||
           __builtin_expect(scheduler != NULL && home == scheduler->number, 1);
}

/* The answer where it is not: those who wait may be gone. 0, or -1 with errno EPERM. */
int verd__home_elsewhere(uint64_t home, struct verd__list *waiters);

/* 0 if the caller's OS thread may use the object, else -1 with errno EPERM. */
static inline int verd__home_check(uint64_t home, struct verd__list *waiters)
{
    return verd__home_is_here(home, waiters) ? 0 : verd__home_elsewhere(home, waiters);
}

/* -1 with this errno. */
static inline int verd__errno(int error)
{
    errno = error;
    return -1;
}

static inline int verd__invalid(void)
{
    return verd__errno(EINVAL);
}

#endif
