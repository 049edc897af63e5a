/* SPDX-License-Identifier: MIT */
/* Points in time on clocks of the system's. */
#include <errno.h>

#include "patch/pthread.h"

/* The span until then, which may be negative. EINVAL: it is no time, or not that of a clock that is waited for. */
static int span_until(clockid_t clock, const struct timespec *until, verd_duration *span)
{
    struct timespec now;
    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || until->tv_nsec < 0 ||
        until->tv_nsec >= VERD_SEC || clock_gettime(clock, &now) != 0)
        return EINVAL;
    verd_duration seconds, rest = (verd_duration)until->tv_nsec - now.tv_nsec;
    if (__builtin_sub_overflow((verd_duration)until->tv_sec, now.tv_sec, &seconds) ||
        __builtin_mul_overflow(seconds, VERD_SEC, &seconds) ||
        __builtin_add_overflow(seconds, rest, span))
        *span = until->tv_sec < now.tv_sec ? 0 : VERD_FOREVER;
    return 0;
}

int verd__deadline_begin(struct verd__deadline *deadline, clockid_t clock,
                         const struct timespec *until)
{
    verd_duration span;
    int before = errno;
    int error = span_until(clock, until, &span);
    if (error != 0)
        return error;
    deadline->has_passed = span <= 0;
    return deadline->has_passed
               ? 0
               : verd__outcome(verd_timeout_begin(&deadline->timeout, span), before);
}

void verd__deadline_end(struct verd__deadline *deadline)
{
    if (!deadline->has_passed)
        verd_timeout_end(&deadline->timeout);
}
