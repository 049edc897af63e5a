/* SPDX-License-Identifier: MIT */
#include "net/quiet.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/* The signal is held back, and taken away if it came. */
static ssize_t hold_signal(int fd, const struct verd__request *request)
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

/* Linux 6.18 has a flag for it. */
static ssize_t write_with_flag(int fd, const struct verd__request *request)
{
    union {
        const void *data;
        void *base;
    } start = {request->data};
    struct iovec whole = {start.base, request->size};
    if (request->count > 0)
        return pwritev2(fd, request->vector, request->count, -1, RWF_NOSIGNAL);
    return pwritev2(fd, &whole, 1, -1, RWF_NOSIGNAL);
}

ssize_t verd__write_quietly(int fd, const struct verd__request *request, bool plain)
{
    static _Atomic(bool) missing; /* the flag, found out by trying */
    if (plain && !atomic_load_explicit(&missing, memory_order_relaxed)) {
        ssize_t done = write_with_flag(fd, request);
        if (done >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
            return done;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
    return hold_signal(fd, request);
}
