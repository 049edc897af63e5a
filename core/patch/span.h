/* SPDX-License-Identifier: MIT */
/* POSIX's spans of time as the library's. */
#ifndef VERD_PATCH_SPAN_H
#define VERD_PATCH_SPAN_H

#include <verd/time.h>

#include <errno.h>
#include <time.h>

/* Longer ones are for ever. */
static inline verd_duration verd__span_of(time_t seconds, verd_duration rest)
{
    return seconds < VERD_FOREVER / VERD_SEC - 1 ? seconds * VERD_SEC + rest : VERD_FOREVER;
}

/* 0, or -1 with errno EINVAL. */
static inline int verd__span(const struct timespec *time, verd_duration *span)
{
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= VERD_SEC) {
        errno = EINVAL;
        return -1;
    }
    *span = verd__span_of(time->tv_sec, time->tv_nsec);
    return 0;
}

#endif
