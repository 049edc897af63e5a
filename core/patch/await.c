/* SPDX-License-Identifier: MIT */
/* Waiting for signals, as POSIX has it. */
#include "patch/posix.h"

#include <errno.h>

#include <verd/os.h>

#include "patch/mask.h"
#include "patch/span.h"

/* Until a handler has run. */
static int suspend(const sigset_t *mask)
{
    bool begun = verd__mask_begin(mask);
    verd_sleep(VERD_FOREVER);
    verd__mask_end(mask, begun);
    return -1;
}

VERD__POINT(int, pause, (void), ())
{
    return verd__is_green() ? suspend(NULL) : pause();
}

VERD__POINT(int, sigsuspend, (const sigset_t *mask), (mask))
{
    return verd__is_green() ? suspend(mask) : sigsuspend(mask);
}

VERD__POINT(int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), (set, info))
{
    if (!verd__is_green())
        return sigwaitinfo(set, info);
    bool begun = verd__mask_begin(NULL);
    int signal = verd_signal_wait(set, info);
    verd__mask_end(NULL, begun);
    return signal;
}

/* What is interrupted goes on, as POSIX has it of this one. */
VERD__POINT_IF(outcome != 0, int, sigwait, (const sigset_t *set, int *signal), (set, signal))
{
    int before = errno;
    if (!verd__is_green())
        return sigwait(set, signal);
    int got = verd_signal_wait(set, NULL);
    if (got < 0)
        got = -errno;
    else
        *signal = got;
    errno = before;
    return got < 0 ? -got : 0;
}

VERD__POINT(int, sigtimedwait,
            (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
            (set, info, timeout))
{
    verd_duration span;
    verd_timeout limit;
    if (timeout == NULL)
        return verd__inner_sigwaitinfo(set, info);
    if (!verd__is_green() || (timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return sigtimedwait(set, info, timeout);
    if (verd__span(timeout, &span) != 0 || verd_timeout_begin(&limit, span) != 0)
        return -1;
    int signal = verd__inner_sigwaitinfo(set, info);
    if (verd_timeout_end(&limit) && signal < 0 && errno == ETIMEDOUT)
        errno = EAGAIN;
    return signal;
}
