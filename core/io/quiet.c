/* SPDX-License-Identifier: MIT */
#include "io/quiet.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* The signal is held back, and taken away if it came. */
ssize_t verd__write_quietly(int fd, const struct verd__request *request)
{
    static const struct timespec at_once;
    sigset_t pipe_signal, before, pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) /* one is held back already: ours cannot be told from it */
        return request->file(fd, request);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t done = request->file(fd, request);
    int error = errno;
    if (done < 0 && error == EPIPE) {
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return done;
}
