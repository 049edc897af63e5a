/* SPDX-License-Identifier: MIT */
#include "io/attempt.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "io/vector.h"
#include "io/ways.h"

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

unsigned verd__look(const struct verd__call *call)
{
    struct pollfd poller = {
        .fd = call->fd,
        .events = call->direction == VERD__INPUT ? VERD__READ_EVENTS : VERD__OUTPUT_EVENTS,
    };
    return poll(&poller, 1, 0) > 0 ? (unsigned)poller.revents : 0;
}

/*
 * Pipes of ours are read and written by one system call, which neither waits nor brings SIGPIPE even if
 * the number has become a blocking pipe behind the library's back (RWF_NOWAIT on pipes: Linux 6.4;
 * RWF_NOSIGNAL: 6.18). It gives EAGAIN instead of waiting, and EOPNOTSUPP where there is no such system
 * call, or no longer a pipe.
 */

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

static ssize_t read_pipe(int fd, const struct verd__request *request)
{
    return is_missing(&no_read) ? -1 : unless_missing(verd__read_now(fd, request), &no_read);
}

static ssize_t write_pipe(int fd, const struct verd__request *request)
{
    return is_missing(&no_write)
               ? -1
               : unless_missing(verd__write_now(fd, request, RWF_NOSIGNAL), &no_write);
}

static ssize_t attempt_file(const struct verd__call *call)
{
    const struct verd__request *request = call->request;
    unsigned kind = call->record->bits & (VERD__FD_OURS | VERD__FD_SOCKET);
    if (request->socket == NULL)
        return call->direction == VERD__INPUT ? request->file(call->fd, request)
                                              : verd__attempt_sendfile(call);
    if (kind != VERD__FD_OURS)
        return verd__attempt_file(call);
    ssize_t done = call->direction == VERD__INPUT ? read_pipe(call->fd, request)
                                                  : write_pipe(call->fd, request);
    if (done >= 0 || (errno != EOPNOTSUPP && errno != EAGAIN))
        return done;
    /* What is ready and yet would block is a disk file that has got the number, not in memory. */
    if (errno == EOPNOTSUPP || verd__look(call) != 0)
        return verd__attempt_file(call);
    errno = EAGAIN;
    return -1;
}

/* A read of a Unix socket ends short of what there is behind descriptors that were sent along, and
 * where the sender's credentials change. In both cases ancillary data was not asked for and is cut
 * off. */
static ssize_t receive_unix(struct verd__call *call, int flags)
{
    const struct verd__request *request = call->request;
    struct iovec whole = {request->buffer, request->size};
    struct msghdr message = {.msg_iov = &whole, .msg_iovlen = 1};
    if (request->count > 0)
        message = verd__vector_message(request->vector, request->count);
    ssize_t done = recvmsg(call->fd, &message, flags);
    call->cut = done >= 0 && (message.msg_flags & MSG_CTRUNC);
    return done;
}

/* Whether to try with the system call for sockets: also where it is not known what it is. */
static inline bool maybe_socket(const struct verd__call *call)
{
    unsigned kind = call->record->bits & (VERD__FD_OURS | VERD__FD_SOCKET);
    if (call->request->socket == NULL || call->request->file == NULL)
        return call->request->socket != NULL;
    return kind != VERD__FD_OURS;
}

ssize_t verd__attempt(struct verd__call *call)
{
    const struct verd__request *request = call->request;
    if (!maybe_socket(call))
        return attempt_file(call);
    ssize_t done;
    if (request->plain && (call->record->bits & VERD__FD_UNIX))
        done = receive_unix(call, request->flags | MSG_DONTWAIT);
    else
        done = request->socket(call->fd, request, request->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (__builtin_expect(done >= 0, 1) || errno != ENOTSOCK || request->file == NULL)
        return done;
    if (call->record->bits & VERD__FD_OURS)
        verd__loop_gone(call->loop, call->record); /* another file has got the number */
    return attempt_file(call);
}
