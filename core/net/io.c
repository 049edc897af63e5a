/* SPDX-License-Identifier: MIT */
#include "net/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

#include <sys/stat.h>

#include "net/pipe.h"
#include "net/quiet.h"

/* Receiving with these does not wait, nor does it tell whether there is ordinary data. */
#define ASIDE (MSG_OOB | MSG_ERRQUEUE)

/* So many waits in a row may be vain by chance. */
#define VAIN_MAX 8
#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (16 * VERD_MS)

/* A call in progress. */
struct call {
    struct verd__hub *hub;
    struct verd__fd *record;
    const struct verd__request *request;
    int fd;
    enum verd__direction direction;
    bool tried;          /* the last attempt has found nothing */
    bool shut;           /* and it was made after an end had been seen */
    unsigned vain;       /* attempts that found nothing */
    verd_duration pause; /* the next one's length */
};

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

/* What poll(2) says now. */
static unsigned look(const struct call *call)
{
    struct pollfd poller = {
        .fd = call->fd,
        .events = call->direction == VERD__INPUT ? VERD__READ_EVENTS : VERD__OUTPUT_EVENTS,
    };
    return poll(&poller, 1, 0) > 0 ? (unsigned)poller.revents : 0;
}

/* Asked each time, of what is ours too: a plain close may have made another file of the number. */
static bool is_blocking(const struct call *call)
{
    int flags = fcntl(call->fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
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
static ssize_t write_blocking(const struct call *call)
{
    const struct verd__request *request = call->request;
    struct verd__request part;
    struct iovec first;
    struct stat status;
    if (request->size <= PIPE_BUF || fstat(call->fd, &status) != 0 || S_ISREG(status.st_mode))
        return verd__write_quietly(call->fd, request);
    shorten(request, &part, &first);
    return verd__write_quietly(call->fd, &part);
}

/* A blocking one only if poll(2) promises that it will not block; disk files never wait for anyone. */
static ssize_t attempt_any_file(const struct call *call)
{
    const struct verd__request *request = call->request;
    bool blocking = is_blocking(call);
    if (blocking && request->size != 0 && look(call) == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (call->direction == VERD__INPUT)
        return request->file(call->fd, request);
    return blocking ? write_blocking(call) : verd__write_quietly(call->fd, request);
}

static ssize_t attempt_file(const struct call *call)
{
    const struct verd__request *request = call->request;
    unsigned kind = call->record->bits & (VERD__FD_OURS | VERD__FD_SOCKET);
    if (kind != VERD__FD_OURS || request->socket == NULL)
        return attempt_any_file(call);
    ssize_t done = call->direction == VERD__INPUT ? verd__pipe_read(call->fd, request)
                                                  : verd__pipe_write(call->fd, request);
    return done < 0 && errno == EOPNOTSUPP ? attempt_any_file(call) : done;
}

/* Whether to try with the system call for sockets: also where it is not known what it is. */
static inline bool maybe_socket(const struct call *call)
{
    unsigned kind = call->record->bits & (VERD__FD_OURS | VERD__FD_SOCKET);
    if (call->request->socket == NULL || call->request->file == NULL)
        return call->request->socket != NULL;
    return kind != VERD__FD_OURS;
}

static ssize_t attempt(const struct call *call)
{
    const struct verd__request *request = call->request;
    if (!maybe_socket(call))
        return attempt_file(call);
    ssize_t done = request->socket(call->fd, request, request->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (__builtin_expect(done >= 0, 1) || errno != ENOTSOCK || request->file == NULL)
        return done;
    if (call->record->bits & VERD__FD_OURS)
        verd__hub_gone(call->hub, call->record); /* another file has got the number */
    return attempt_file(call);
}

static int begin(struct call *call)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    call->hub = verd__hub(scheduler);
    if (call->hub == NULL)
        return -1;
    call->record = verd__hub_fd(call->hub, call->fd);
    return call->record != NULL ? 0 : -1;
}

/* Sleeps for a while, and longer the next time. */
static int pause_for(struct call *call)
{
    if (call->pause == 0)
        call->pause = PAUSE_MIN;
    int result = verd_sleep(call->pause);
    if (call->pause < PAUSE_MAX)
        call->pause *= 2;
    return result;
}

static int wait_for(struct call *call)
{
    if (__builtin_expect(call->vain > VAIN_MAX, 0) && look(call) != 0)
        return pause_for(call);
    return verd__hub_wait(call->hub, call->fd, call->record, call->direction, call->tried);
}

/* After a read of `done` bytes: a stream that gave less than was asked for is empty, unless an end or
 * an error is behind it, of which there will be no further edge. */
static inline void note_read(const struct call *call, size_t done)
{
    unsigned bits = call->record->bits;
    if (done < call->request->size && (bits & VERD__FD_STREAM) && !(bits & VERD__FD_ENDED) &&
        call->request->socket != NULL && !(call->request->flags & (MSG_PEEK | ASIDE)))
        call->record->bits &= (uint16_t)~VERD__FD_READABLE;
}

/* Whether a read may find something; if not, the hub will say when. */
static inline bool worth_trying(const struct call *call)
{
    const struct verd__request *request = call->request;
    return (call->record->bits & (VERD__FD_OURS | VERD__FD_READABLE)) != VERD__FD_OURS ||
           (request->flags & (MSG_DONTWAIT | ASIDE)) || request->size == 0;
}

/* There was nothing to read. A datagram socket that was shut down says so for ever: two attempts, one
 * before and one after the end was seen, are taken for the end. */
static bool at_end(struct call *call)
{
    if (call->shut)
        return true;
    call->shut = (call->record->bits & VERD__FD_ENDED) && (look(call) & POLLRDHUP);
    return false;
}

/* Whether a read for no bytes is done: of a stream it is, and else it may wait for a datagram. */
static bool nothing_wanted(const struct call *call)
{
    int type = 0;
    socklen_t length = sizeof type;
    return call->request->size == 0 &&
           getsockopt(call->fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

/* Takes note that the attempt found nothing. Returns true if that is the result, false to go on. */
static bool note_nothing(struct call *call, ssize_t *result)
{
    *result = -1;
    call->tried = true;
    call->vain++;
    if (call->request->flags & (MSG_DONTWAIT | ASIDE))
        return true;
    if (at_end(call)) {
        *result = call->request->socket != NULL ? 0 : -1;
        errno = EINVAL; /* of accept, the -1 */
        return true;
    }
    if (nothing_wanted(call)) {
        *result = 0;
        return true;
    }
    /* With MSG_PEEK there may be nothing behind SO_PEEK_OFF alone. */
    if (!call->shut && !(call->request->flags & MSG_PEEK))
        call->record->bits &= (uint16_t) ~(VERD__FD_READABLE | VERD__FD_ENDED);
    return false;
}

ssize_t verd__input(int fd, const struct verd__request *request)
{
    struct call call = {.request = request, .fd = fd, .direction = VERD__INPUT};
    if (begin(&call) != 0)
        return -1;
    if (__builtin_expect(request->size == 0, 0) && request->file != NULL)
        return request->file(fd, request); /* read(2) of no bytes does not wait */
    for (;;) {
        if (worth_trying(&call)) {
            ssize_t done = attempt(&call);
            if (__builtin_expect(done >= 0, 1)) {
                note_read(&call, (size_t)done);
                return done;
            }
            if (errno == EINTR)
                continue;
            if (!would_block(errno) || note_nothing(&call, &done))
                return done;
            if (call.shut)
                continue;
        }
        if (wait_for(&call) != 0)
            return -1;
    }
}

ssize_t verd__output(int fd, const struct verd__request *request)
{
    struct call call = {.request = request, .fd = fd, .direction = VERD__OUTPUT, .tried = true};
    if (begin(&call) != 0)
        return -1;
    if (request->to_length != 0) /* a full queue at that address is not for poll(2) to see */
        call.vain = VAIN_MAX;
    for (;;) {
        ssize_t done = attempt(&call);
        if (__builtin_expect(done >= 0, 1))
            return done;
        if (errno == EINTR)
            continue;
        call.vain++;
        if (!would_block(errno) || (request->flags & MSG_DONTWAIT) || wait_for(&call) != 0)
            return -1;
    }
}
