/* SPDX-License-Identifier: MIT */
#include "io/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "io/disk.h"
#include "io/vector.h"

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

/* Asked each time, of what is ours too: a plain close may have made another file of the number. */
static bool is_blocking(const struct verd__call *call)
{
    int flags = fcntl(call->fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

/* request->file(fd, request) without SIGPIPE: the signal is held back, and taken away if it came. */
static ssize_t write_quietly(int fd, const struct verd__request *request)
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

/* At most PIPE_BUF bytes of the request, in `part` and `first`. */
static void shorten(const struct verd__request *request, struct verd__request *part,
                    struct iovec *first)
{
    *part = *request;
    part->size = PIPE_BUF;
    if (request->count == 0)
        return;
    int i = 0;
    while (i < request->count - 1 && request->vector[i].iov_len == 0)
        i++;
    *first = request->vector[i];
    if (first->iov_len > PIPE_BUF)
        first->iov_len = PIPE_BUF;
    part->vector = first;
    part->count = 1;
}

/* A blocking pipe that is ready for writing takes PIPE_BUF bytes without blocking, and no more. */
static ssize_t write_blocking(const struct verd__call *call)
{
    const struct verd__request *request = call->request;
    struct verd__request part;
    struct iovec first;
    if (request->size <= PIPE_BUF)
        return write_quietly(call->fd, request);
    shorten(request, &part, &first);
    return write_quietly(call->fd, &part);
}

/* The others wait: who came first writes first, though OS threads take turns as they like. */
static ssize_t write_disk(const struct verd__call *call)
{
    if (!call->writer->holds)
        verd__writer_hold(call->loop, call->writer, call->record);
    return verd__disk_do(call->fd, call->request);
}

/* A blocking one only if poll(2) promises that it will not block, but for disk files, of which it
 * always does. */
static ssize_t attempt_any_file(const struct verd__call *call)
{
    const struct verd__request *request = call->request;
    if (request->socket != NULL && verd__disk_is(call->fd))
        return call->direction == VERD__INPUT ? verd__disk_read(call->fd, request)
                                              : write_disk(call);
    bool blocking = is_blocking(call);
    if (blocking && request->size != 0 && verd__look(call) == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (call->direction == VERD__INPUT)
        return request->file(call->fd, request);
    return blocking ? write_blocking(call) : write_quietly(call->fd, request);
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
    struct iovec whole = {request->buffer, request->size};
    bool vector = request->count > 0;
    if (is_missing(&no_read))
        return -1;
    ssize_t done =
        preadv2(fd, vector ? request->vector : &whole, vector ? request->count : 1, -1, RWF_NOWAIT);
    return unless_missing(done, &no_read);
}

static ssize_t write_pipe(int fd, const struct verd__request *request)
{
    struct iovec whole = {request->buffer, request->size};
    bool vector = request->count > 0;
    if (is_missing(&no_write))
        return -1;
    ssize_t done = pwritev2(fd, vector ? request->vector : &whole, vector ? request->count : 1, -1,
                            RWF_NOWAIT | RWF_NOSIGNAL);
    return unless_missing(done, &no_write);
}

static ssize_t attempt_file(const struct verd__call *call)
{
    const struct verd__request *request = call->request;
    unsigned kind = call->record->bits & (VERD__FD_OURS | VERD__FD_SOCKET);
    if (kind != VERD__FD_OURS || request->socket == NULL)
        return attempt_any_file(call);
    ssize_t done = call->direction == VERD__INPUT ? read_pipe(call->fd, request)
                                                  : write_pipe(call->fd, request);
    if (done >= 0 || (errno != EOPNOTSUPP && errno != EAGAIN))
        return done;
    /* What is ready and yet would block is a disk file that has got the number, not in memory. */
    if (errno == EOPNOTSUPP || verd__look(call) != 0)
        return attempt_any_file(call);
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
