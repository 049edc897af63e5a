/* SPDX-License-Identifier: MIT */
/* Sleeping, as POSIX has it: any handler of a signal ends it. */
#include "patch/posix.h"

#include <errno.h>

#include "offload/handler.h"
#include "patch/span.h"
#include "sched/scheduler.h"

/* Until a point on CLOCK_MONOTONIC. Returns 0, or an errno; errno stays. */
static int sleep_until(verd_duration point)
{
    int before = errno;
    bool begun = verd__interruptible_begin(verd__current, VERD__BY_ALL);
    int error = verd_sleep_until(point) == 0 ? 0 : errno;
    verd__interruptible_end(verd__current, begun);
    errno = before;
    return error;
}

/* What a call returns that gives its error in errno. */
static int result_of(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

/* The same for a span, of which *left is what is left if it ends early. */
static int sleep_for(verd_duration span, verd_duration *left)
{
    verd_duration point = verd__time_after(verd_now(), span);
    int error = sleep_until(point);
    verd_duration rest = point - verd_now();
    *left = rest > 0 ? rest : 0;
    return error;
}

VERD__POINT_IF(true, unsigned, sleep, (unsigned seconds), (seconds))
{
    verd_duration left;
    if (!verd__is_green())
        return sleep(seconds);
    int error = sleep_for(seconds * VERD_SEC, &left);
    (void)result_of(error);
    return error == EINTR ? (unsigned)(left / VERD_SEC) : 0;
}

VERD__POINT(int, usleep, (unsigned microseconds), (microseconds))
{
    verd_duration left;
    if (!verd__is_green())
        return usleep(microseconds);
    return result_of(sleep_for(microseconds * VERD_US, &left));
}

int verd_posix_nanosleep(const struct timespec *span, struct timespec *left)
{
    if (!verd__is_green())
        return nanosleep(span, left);
    return result_of(verd_posix_clock_nanosleep(CLOCK_MONOTONIC, 0, span, left));
}

/* Now, on any clock; -1 and errno EINVAL. */
static verd_duration now_on(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) == 0 ? verd__span_of(now.tv_sec, now.tv_nsec) : -1;
}

/* Whether it is one that the kernel only tells the time by. */
static bool has_no_alarms(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
           clock == CLOCK_REALTIME_COARSE;
}

VERD__POINT_IF(outcome != 0, int, clock_nanosleep,
               (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),
               (clock, flags, time, left))
{
    verd_duration span, rest;
    if (!verd__is_green())
        return clock_nanosleep(clock, flags, time, left);
    if (has_no_alarms(clock))
        return EOPNOTSUPP;
    verd_duration now = now_on(clock);
    if (now < 0 || clock == CLOCK_THREAD_CPUTIME_ID || verd__span(time, &span) != 0)
        return EINVAL;
    if (flags & TIMER_ABSTIME)
        return sleep_until(verd__time_after(verd_now(), span > now ? span - now : 0));
    int error = sleep_for(span, &rest);
    if (error != 0 && left != NULL)
        *left = (struct timespec){rest / VERD_SEC, rest % VERD_SEC};
    return error;
}
