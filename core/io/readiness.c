/* SPDX-License-Identifier: MIT */
/* Readiness, for those who read and write on their own: poll(2) tells, the hub wakes. */
#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "hub/hub.h"
#include "hub/identity.h"
#include "io/descriptor.h"
#include "io/io.h"
#include "offload/handler.h"
#include "offload/offload.h"

#define WAIT_EVENTS (POLLIN | POLLOUT | POLLPRI | POLLRDHUP)

/* So many descriptors are waited for without an allocation. */
#define WATCHES_INLINE 16

/* A call in progress. */
struct call {
    struct verd__loop *loop;
    struct pollfd *fds;
    size_t count;
    struct verd__fd_watch *watches; /* one for each of fds */
    verd_duration deadline;
    bool posix; /* the files are those that have the numbers as it waits, whoever made them */
    bool over;  /* the deadline has come */
};

/* poll(2) that does not wait. A pending signal interrupts it all the same. */
static int look_here(struct pollfd *fds, nfds_t n)
{
    int ready;
    do {
        ready = poll(fds, n, 0);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

/* ---- of regular files ---- */

/* Whether poll(2) may ask a server, and wait for it: of a regular file it may be FUSE's. */
static bool may_ask(const struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        if (verd__may_have_server(call->fds[i].fd))
            return true;
    }
    return false;
}

/* A look that another OS thread takes. */
struct inquiry {
    nfds_t count;
    int ready;
    struct pollfd fds[];
};

static void *run(void *arg)
{
    struct inquiry *inquiry = arg;
    inquiry->ready = look_here(inquiry->fds, inquiry->count);
    return NULL;
}

static int ask(struct inquiry *inquiry, struct pollfd *fds)
{
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_FILES, .fn = run, .arg = inquiry, .release = verd__offload_free};
    if (verd__offload(&offload, NULL) != 0)
        return verd__offload_failed(&offload);
    int ready = inquiry->ready;
    memcpy(fds, inquiry->fds, inquiry->count * sizeof *fds);
    verd__offload_free(inquiry, NULL);
    return ready;
}

/* By another OS thread, until the call's deadline, or shortly after; by this one if there is none to be had. */
static int look_elsewhere(struct call *call)
{
    size_t size = call->count * sizeof *call->fds;
    struct inquiry *inquiry = malloc(sizeof *inquiry + size);
    if (inquiry == NULL)
        return -1;
    inquiry->count = call->count;
    memcpy(inquiry->fds, call->fds, size);
    verd_timeout limit = {NULL};
    verd_duration left = call->deadline;
    if (left != VERD_FOREVER) {
        left -= verd_now();
        verd_timeout_begin(&limit, left > VERD_MS ? left : VERD_MS);
    }
    int ready = ask(inquiry, call->fds);
    int error = errno;
    bool late = verd_timeout_end(&limit);
    errno = error;
    if (ready >= 0)
        return ready;
    if (late && verd__is_timeout(error)) {
        call->over = true;
        for (size_t i = 0; i < call->count; i++)
            call->fds[i].revents = 0;
        return 0;
    }
    return error == EAGAIN ? look_here(call->fds, call->count) : -1;
}

/* What is ready now. Most calls are of sockets alone. */
static int look(struct call *call)
{
    return may_ask(call) ? look_elsewhere(call) : look_here(call->fds, call->count);
}

/* ---- waiting ---- */

/* Returns 0, or -1 with errno EBADF (one is not open) or ENOMEM. */
static int fill_watches(const struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        struct verd__fd_watch *watch = &call->watches[i];
        *watch = (struct verd__fd_watch){.fd = call->fds[i].fd};
        watch->events = call->fds[i].events;
        if (watch->fd < 0)
            continue;
        watch->record = verd__loop_fd(call->loop, watch->fd);
        if (watch->record == NULL)
            return -1;
        if (call->posix)
            verd__loop_renew(call->loop, watch->fd, watch->record);
    }
    return 0;
}

/* Waits until it is worth looking again, or the time is over. -1 and errno */
static int wait_once(struct call *call)
{
    if (fill_watches(call) != 0)
        return -1;
    if (call->posix && verd__was_interrupted(call->loop->scheduler)) {
        errno = EINTR;
        return -1;
    }
    int result = verd__loop_wait_any(call->loop, call->watches, call->count, call->deadline);
    call->over = result != 0 && errno == ETIME;
    return call->over ? 0 : result;
}

/* Looks and waits until poll(2) has a result, or the time is over. `closed`: a descriptor that is
 * closed meanwhile is an event, for poll(2) to report, and not an error. */
static int look_and_wait(struct call *call, bool closed)
{
    for (;;) {
        int ready = look(call);
        if (ready != 0 || call->over)
            return ready;
        if (wait_once(call) != 0 && !(closed && errno == EBADF))
            return -1;
    }
}

static int begin(struct call *call)
{
    struct verd__scheduler *scheduler = verd__begin();
    call->loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    return call->loop != NULL ? 0 : -1;
}

static int wait_fd(int fd, short events)
{
    struct pollfd poller = {.fd = fd, .events = events};
    struct verd__fd_watch watch;
    struct call call = {
        .fds = &poller,
        .count = 1,
        .watches = &watch,
        .deadline = VERD_FOREVER,
    };
    if (events == 0 || (events & ~WAIT_EVENTS)) {
        errno = EINVAL;
        return -1;
    }
    if (begin(&call) != 0)
        return -1;
    if (fd >= 0 && look_and_wait(&call, false) < 0)
        return -1;
    if (fd >= 0 && !(poller.revents & POLLNVAL))
        return poller.revents;
    errno = EBADF;
    return -1;
}

int verd_wait_fd(int fd, short events)
{
    int ready = wait_fd(fd, events);
    verd__spend();
    return ready;
}

static int poll_all(struct pollfd *fds, nfds_t n, verd_duration timeout, bool posix)
{
    struct verd__fd_watch few[WATCHES_INLINE];
    struct call call = {
        .fds = fds,
        .count = n,
        .watches = few,
        .deadline = VERD_FOREVER,
        .posix = posix,
        .over = timeout == 0,
    };
    if (begin(&call) != 0)
        return -1;
    if (timeout > 0 && timeout != VERD_FOREVER)
        call.deadline = verd__time_after(verd_now(), timeout);
    int ready = look(&call);
    if (ready != 0 || call.over)
        return ready;
    if (n > WATCHES_INLINE)
        call.watches = calloc(n, sizeof *call.watches);
    if (call.watches == NULL)
        return -1;
    if (wait_once(&call) == 0 || errno == EBADF)
        ready = look_and_wait(&call, true);
    else
        ready = -1;
    if (call.watches != few)
        free(call.watches);
    return ready;
}

int verd_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    int ready = poll_all(fds, n, timeout_ms < 0 ? VERD_FOREVER : timeout_ms * VERD_MS, false);
    verd__spend();
    return ready;
}

/* Another number of a file has waits of its own: those that others wait for are waited for by such. Returns 0, or
 * -1 and errno */
static int make_twins(struct pollfd *twins, const struct pollfd *fds, nfds_t n)
{
    const struct verd__loop *loop = (const struct verd__loop *)verd__current->poller;
    for (nfds_t i = 0; i < n; i++) {
        const struct verd__fd *record = fds[i].fd >= 0 ? verd__loop_known(loop, fds[i].fd) : NULL;
        twins[i] = (struct pollfd){.fd = -1, .events = fds[i].events};
        if (record == NULL || !verd__fd_is_waited_for(record)) {
            twins[i].fd = fds[i].fd;
        } else {
            twins[i].fd = fcntl(fds[i].fd, F_DUPFD_CLOEXEC, 0);
            if (twins[i].fd < 0)
                return -1;
        }
    }
    return 0;
}

static int poll_twins(struct pollfd *fds, nfds_t n, verd_duration timeout)
{
    struct pollfd *twins = calloc(n, sizeof *twins);
    if (twins == NULL)
        return -1;
    int ready = make_twins(twins, fds, n) == 0 ? poll_all(twins, n, timeout, true) : -1;
    int error = errno;
    for (nfds_t i = 0; i < n; i++) {
        fds[i].revents = twins[i].revents;
        if (twins[i].fd != fds[i].fd)
            verd__descriptor_drop(twins[i].fd);
    }
    free(twins);
    errno = error;
    return ready;
}

int verd__poll_posix(struct pollfd *fds, nfds_t n, verd_duration timeout)
{
    int before = errno;
    bool begun = verd__interruptible_begin(verd__current, VERD__BY_ALL);
    int ready = poll_all(fds, n, timeout, true);
    if (ready < 0 && errno == EBUSY)
        ready = poll_twins(fds, n, timeout);
    verd__interruptible_end(verd__current, begun);
    if (ready >= 0)
        errno = before;
    verd__spend();
    return ready;
}
