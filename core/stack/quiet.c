/* SPDX-License-Identifier: MIT */
#include "stack/quiet.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

static sigset_t pipe_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void verd__quiet_begin(struct verd__quiet *quiet)
{
    int error = errno;
    sigset_t pending, ours = pipe_signal();
    sigpending(&pending);
    quiet->is_held = !sigismember(&pending, SIGPIPE); /* else ours could not be told from it */
    if (quiet->is_held)
        pthread_sigmask(SIG_BLOCK, &ours, &quiet->before);
    errno = error;
}

void verd__quiet_end(const struct verd__quiet *quiet, bool broken)
{
    static const struct timespec at_once;
    int error = errno;
    sigset_t ours = pipe_signal();
    if (!quiet->is_held)
        return;
    if (broken) {
        while (sigtimedwait(&ours, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
    errno = error;
}
