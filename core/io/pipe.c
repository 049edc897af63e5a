/* SPDX-License-Identifier: MIT */
#include "io/pipe.h"

#include <errno.h>
#include <stdatomic.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/* Whether the flags have been found out to be missing. A file that has taken a pipe's number may be
 * the reason: then pipes are as slow as anyone's from now on, and nothing else. */
static _Atomic(bool) no_read, no_write;

static ssize_t unless_missing(ssize_t done, _Atomic(bool) *missing)
{
    if (done >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
        return done;
    atomic_store_explicit(missing, true, memory_order_relaxed);
    errno = EOPNOTSUPP;
    return -1;
}

static bool is_missing(_Atomic(bool) *missing)
{
    errno = EOPNOTSUPP;
    return atomic_load_explicit(missing, memory_order_relaxed);
}

ssize_t verd__pipe_read(int fd, const struct verd__request *request)
{
    struct iovec whole = {request->buffer, request->size};
    bool vector = request->count > 0;
    if (is_missing(&no_read))
        return -1;
    ssize_t done =
        preadv2(fd, vector ? request->vector : &whole, vector ? request->count : 1, -1, RWF_NOWAIT);
    return unless_missing(done, &no_read);
}

ssize_t verd__pipe_write(int fd, const struct verd__request *request)
{
    struct iovec whole = {request->buffer, request->size};
    bool vector = request->count > 0;
    if (is_missing(&no_write))
        return -1;
    ssize_t done = pwritev2(fd, vector ? request->vector : &whole, vector ? request->count : 1, -1,
                            RWF_NOWAIT | RWF_NOSIGNAL);
    return unless_missing(done, &no_write);
}
