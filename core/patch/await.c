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

int verd_posix_pause(void)
{
    return verd__is_green() ? suspend(NULL) : pause();
}

int verd_posix_sigsuspend(const sigset_t *mask)
{
    return verd__is_green() ? suspend(mask) : sigsuspend(mask);
}

int verd_posix_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    if (!verd__is_green())
        return sigwaitinfo(set, info);
    bool begun = verd__mask_begin(NULL);
    int signal = verd_signal_wait(set, info);
    verd__mask_end(NULL, begun);
    return signal;
}

/* What is interrupted goes on, as POSIX has it of this one. */
int verd_posix_sigwait(const sigset_t *set, int *signal)
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

int verd_posix_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    verd_duration span;
    verd_timeout limit;
    if (timeout == NULL)
        return verd_posix_sigwaitinfo(set, info);
    if (!verd__is_green() || (timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return sigtimedwait(set, info, timeout);
    if (verd__span(timeout, &span) != 0 || verd_timeout_begin(&limit, span) != 0)
        return -1;
    int signal = verd_posix_sigwaitinfo(set, info);
    if (verd_timeout_end(&limit) && signal < 0 && errno == ETIMEDOUT)
        errno = EAGAIN;
    return signal;
}
