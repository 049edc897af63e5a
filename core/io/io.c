/* SPDX-License-Identifier: MIT */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "hub/limit.h"
#include "io/attempt.h"
#include "io/descriptor.h"
#include "io/vector.h"
#include "io/ways.h"
#include "offload/handler.h"

/* Receiving with these does not wait, nor does it tell whether there is ordinary data. */
#define ASIDE (MSG_OOB | MSG_ERRQUEUE)

/* So many waits in a row may be vain by chance. A full queue at an address that is sent to is not for poll(2) to see. */
#define VAIN_MAX 8
#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (16 * VERD_MS)

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static int begin(struct verd__call *call)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return -1;
    call->loop = verd__loop(scheduler);
    if (call->loop == NULL)
        return -1;
    call->record = verd__loop_fd(call->loop, call->fd);
    return call->record != NULL ? 0 : -1;
}

/* Sleeps for a while, and longer the next time. */
static int pause_for(struct verd__call *call)
{
    uint32_t generation = call->record->generation;
    if (call->pause == 0)
        call->pause = PAUSE_MIN;
    if (verd__pause(&call->pause, PAUSE_MAX) != 0)
        return -1;
    return verd__loop_is_same(call->record, generation) ? 0 : -1;
}

static int wait_again(struct verd__call *call)
{
    if (__builtin_expect(call->vain > VAIN_MAX, 0) && verd__look(call) != 0)
        return pause_for(call);
    return verd__loop_wait(call->loop, call->fd, call->record, call->direction, call->tried);
}

/* Of a call that is as POSIX has it, before its first wait. What becomes of the number later is nothing to it. */
static void know_file(struct verd__call *call)
{
    if (call->request->posix && !call->known)
        verd__loop_renew(call->loop, call->fd, call->record);
    call->known = true;
}

/* POSIX lets any number of threads wait for the same: another number of the file has waits of its own. */
static int wait_for_twin(const struct verd__call *call)
{
    struct verd__held held;
    int twin = fcntl(call->fd, F_DUPFD_CLOEXEC, 0);
    if (twin < 0)
        return -1;
    verd__loop_forget(call->loop, twin);
    verd__descriptor_hold(&held, twin);
    struct verd__fd *record = verd__loop_fd(call->loop, twin);
    int result = record != NULL
                     ? verd__loop_wait(call->loop, twin, record, call->direction, call->tried)
                     : -1;
    verd__descriptor_let_go(&held);
    verd__descriptor_drop(twin);
    return result;
}

static int wait_for(struct verd__call *call)
{
    if (__builtin_expect(!call->request->posix, 1))
        return wait_again(call);
    bool begun = verd__interruptible_begin(call->loop->scheduler, VERD__UNLESS_RESTARTED);
    know_file(call);
    bool goes_on = !begun || verd__interruptible_go_on(call->loop->scheduler, &call->since);
    int result = goes_on ? wait_again(call) : -1;
    if (result != 0 && errno == EBUSY)
        result = wait_for_twin(call);
    verd__interruptible_end(call->loop->scheduler, begun);
    return result;
}

/* Whether the call may wait for what it does not find. */
static bool waits(const struct verd__call *call)
{
    int not_waiting = MSG_DONTWAIT | (call->direction == VERD__INPUT ? ASIDE : 0);
    return !(call->request->flags & not_waiting) &&
           (!call->request->posix || verd__is_blocking(call->fd));
}

/* After a read of `done` bytes: a stream that gave less than was asked for is empty, unless an end
 * or an error is behind it, of which there will be no further edge. */
static inline void note_read(const struct verd__call *call, size_t done)
{
    const struct verd__request *request = call->request;
    unsigned bits = call->record->bits;
    if (done < request->size && !(bits & VERD__FD_ENDED) && request->socket != NULL &&
        !(request->flags & (MSG_PEEK | ASIDE)) &&
        ((bits & VERD__FD_STREAM) || ((bits & VERD__FD_UNIX) && request->plain && !call->cut)))
        verd__fd_emptied(call->record);
}

/* Whether a read may find something; if not, the hub will say when. Where others use the descriptor by calls that the
 * library does not see, that may be of the file before. */
static inline bool worth_trying(const struct verd__call *call)
{
    const struct verd__request *request = call->request;
    return verd__fd_may_have_input(call->record) || request->posix ||
           (request->flags & (MSG_DONTWAIT | ASIDE)) || request->size == 0;
}

/* There was nothing to read. A datagram socket or a Unix listener that was shut down says so for
 * ever: two attempts, one before and one after the end was seen, are taken for the end. */
static bool at_end(struct verd__call *call)
{
    if (call->shut)
        return true;
    call->shut = (call->record->bits & VERD__FD_ENDED) && (verd__look(call) & POLLRDHUP);
    return false;
}

/* Whether a read for no bytes is done: of a stream it is, and else it may wait for a datagram. POSIX's recv waits. */
static bool nothing_wanted(const struct verd__call *call)
{
    int type = 0;
    socklen_t length = sizeof type;
    return call->request->size == 0 && !call->request->posix &&
           getsockopt(call->fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

/* Takes note that the attempt found nothing. Returns true if that is the result, false to go on. */
static bool note_nothing(struct verd__call *call, ssize_t *result)
{
    *result = -1;
    call->tried = true;
    call->vain++;
    bool may_wait = waits(call);
    bool accepts = call->request->socket == NULL;
    if ((may_wait || accepts) && at_end(call)) {
        *result = accepts ? -1 : 0;
        errno = EINVAL; /* of accept, the -1 */
        return true;
    }
    if (!may_wait) {
        errno = EAGAIN;
        return !call->shut;
    }
    if (nothing_wanted(call)) {
        *result = 0;
        return true;
    }
    /* With MSG_PEEK there may be nothing behind SO_PEEK_OFF alone. */
    if (!call->shut && !(call->request->flags & MSG_PEEK))
        call->record->bits &= (uint16_t)~(VERD__FD_READABLE | VERD__FD_ENDED);
    return false;
}

/* How many bytes there are to be received; -1: that is not known. */
static int bytes_there(int fd)
{
    int there;
    return ioctl(fd, FIONREAD, &there) == 0 ? there : -1;
}

/* Whether there is less than SO_RCVLOWAT asks for, and may be more. */
static bool is_below_mark(const struct verd__call *call)
{
    int least = 1, there = bytes_there(call->fd);
    socklen_t length = sizeof least;
    getsockopt(call->fd, SOL_SOCKET, SO_RCVLOWAT, &least, &length);
    return there >= 0 && there < least && (size_t)there < call->request->size &&
           !(verd__look(call) & (POLLRDHUP | POLLHUP | POLLERR));
}

/* What has come before a limit or a handler has ended the wait is received. 0, or -1 and errno. */
static int wait_for_mark(struct verd__call *call)
{
    if (!call->request->posix || call->request->socket == NULL || !waits(call))
        return 0;
    verd_duration limit = verd__limit_own(call->loop, call->fd, VERD__INPUT);
    verd_duration until = limit != 0 ? verd__time_after(verd_now(), limit) : VERD_FOREVER;
    call->tried = true;
    while (is_below_mark(call)) {
        call->vain++;
        /* What poll(2) calls ready may be waited for in vain, until the time is over. */
        errno = EAGAIN;
        if (verd_now() >= until || wait_for(call) != 0)
            return (errno == EAGAIN || errno == EINTR) && bytes_there(call->fd) > 0 ? 0 : -1;
    }
    return 0;
}

ssize_t verd__input_keep(int fd, const struct verd__request *request)
{
    struct verd__call call = {.request = request, .fd = fd, .direction = VERD__INPUT};
    if (begin(&call) != 0)
        return -1;
    if (__builtin_expect(request->size == 0, 0) && request->file != NULL)
        return readv(fd, &(struct iovec){0}, 1); /* which, unlike read(2), asks no driver */
    if (__builtin_expect(call.record->bits & VERD__FD_LOW_WATER, 0) && wait_for_mark(&call) != 0)
        return -1;
    for (;;) {
        if (worth_trying(&call)) {
            ssize_t done = verd__attempt(&call);
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

ssize_t verd__input(int fd, const struct verd__request *request)
{
    int before = request->posix ? errno : 0;
    ssize_t done = verd__input_keep(fd, request);
    if (request->posix && done >= 0)
        errno = before;
    verd__spend();
    return done;
}

/* Nobody else writes until this call is done. */
static void hold(struct verd__call *call)
{
    if (!call->lock->holds) {
        know_file(call);
        verd__output_lock_take(call->loop, call->lock, call->record);
    }
    call->known = true; /* who holds it has seen to that */
}

/* Nothing could be written. Returns whether to try again. */
static bool wait_to_write(struct verd__call *call)
{
    call->vain++;
    if (!waits(call))
        return false;
    hold(call);
    return wait_for(call) == 0;
}

/* Whether who writes at the moment is not waited for. */
static inline bool may_not_queue(const struct verd__call *call)
{
    if (__builtin_expect(call->request->posix, 0) && (call->record->bits & VERD__FD_HELD))
        return !waits(call);
    return call->request->flags & MSG_DONTWAIT;
}

static ssize_t output(int fd, const struct verd__request *request, struct verd__output_lock *lock)
{
    struct verd__call call = {
        .request = request,
        .lock = lock,
        .fd = fd,
        .direction = VERD__OUTPUT,
        .tried = true,
    };
    if (begin(&call) != 0 ||
        verd__output_lock_begin(call.loop, lock, fd, call.record, may_not_queue(&call)) != 0)
        return -1;
    for (;;) {
        ssize_t done = verd__attempt(&call);
        if (__builtin_expect(done >= 0, 1))
            return done;
        if (errno == EINTR)
            continue;
        if (!would_block(errno) || !wait_to_write(&call))
            return -1;
    }
}

static inline void end_output(struct verd__output_lock *lock)
{
    if (__builtin_expect(lock->holds, 0))
        verd__output_lock_release((struct verd__loop *)verd__current->poller, lock);
}

ssize_t verd__output(int fd, const struct verd__request *request)
{
    struct verd__output_lock lock;
    lock.holds = false;
    ssize_t done = output(fd, request, &lock);
    end_output(&lock);
    verd__spend();
    return done;
}

/* verd__output for a call of several parts, the same lock for each: while they are short of `size`, nobody else
 * writes in between. */
static ssize_t output_part(int fd, const struct verd__request *request,
                           struct verd__output_lock *lock)
{
    ssize_t done = output(fd, request, lock);
    if (done >= 0 && (size_t)done < request->size && !lock->holds) {
        struct verd__loop *loop = (struct verd__loop *)verd__current->poller;
        struct verd__fd *record = verd__loop_known(loop, fd);
        if (request->posix)
            verd__loop_renew(loop, fd, record);
        verd__output_lock_take(loop, lock, record);
    }
    if (done < 0 || (size_t)done == request->size)
        end_output(lock);
    verd__spend();
    return done;
}

int verd__output_all(int fd, struct verd__request *request, size_t *count)
{
    struct verd__output_lock lock;
    int before = request->posix ? errno : 0;
    lock.holds = false;
    *count = 0;
    do {
        ssize_t put = output_part(fd, request, &lock);
        if (put < 0)
            return -1;
        *count += (size_t)put;
        request->size -= (size_t)put;
        if (request->count > 0)
            verd__vector_advance(&request->pieces, &request->count, (size_t)put);
        else
            request->data = (const char *)request->data + put;
    } while (request->size > 0);
    if (request->posix)
        errno = before;
    return 0;
}

int verd__input_wait(int fd)
{
    static const struct verd__request request = {.size = 1};
    struct verd__call call = {.request = &request, .fd = fd, .direction = VERD__INPUT};
    if (begin(&call) != 0)
        return verd__refuse(0);
    if (worth_trying(&call))
        return verd__done(verd__current, 0);
    return verd__loop_wait(call.loop, fd, call.record, VERD__INPUT, false);
}
