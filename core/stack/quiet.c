/* SPDX-License-Identifier: MIT */
#include "stack/quiet.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

/* What is pending already could not be told from what comes: it stays as it is. */
static void hold(struct verd__quiet *quiet, const int *signals, size_t count)
{
    int error = errno;
    sigset_t pending;
    sigpending(&pending);
    sigemptyset(&quiet->held);
    for (size_t i = 0; i < count; i++) {
        if (!sigismember(&pending, signals[i]))
            sigaddset(&quiet->held, signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &quiet->held, &quiet->before);
    errno = error;
}

void verd__quiet_begin(struct verd__quiet *quiet)
{
    static const int signals[] = {SIGPIPE};
    hold(quiet, signals, 1);
}

void verd__quiet_begin_file(struct verd__quiet *quiet)
{
    static const int signals[] = {SIGPIPE, SIGXFSZ};
    hold(quiet, signals, 2);
}

void verd__quiet_end(const struct verd__quiet *quiet, int failure)
{
    static const struct timespec at_once;
    int error = errno;
    int signal = failure == EPIPE ? SIGPIPE : failure == EFBIG ? SIGXFSZ : 0;
    if (signal != 0 && sigismember(&quiet->held, signal)) {
        sigset_t came;
        sigemptyset(&came);
        sigaddset(&came, signal);
        while (sigtimedwait(&came, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
    errno = error;
}
