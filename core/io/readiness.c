/* SPDX-License-Identifier: MIT */
/* Readiness, for those who read and write on their own: poll(2) tells, the hub wakes. */
#include <verd/net.h>

#include <errno.h>
#include <stdlib.h>

#include "hub/hub.h"

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
    bool over; /* the deadline has come */
};

/* poll(2) that does not wait. A pending signal interrupts it all the same. */
static int look(struct pollfd *fds, nfds_t n)
{
    int ready;
    do {
        ready = poll(fds, n, 0);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

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
    }
    return 0;
}

/* Waits until it is worth looking again, or the time is over. -1 and errno */
static int wait_once(struct call *call)
{
    if (fill_watches(call) != 0)
        return -1;
    int result = verd__loop_wait_any(call->loop, call->watches, call->count, call->deadline);
    call->over = result != 0 && errno == ETIME;
    return call->over ? 0 : result;
}

/* Looks and waits until poll(2) has a result, or the time is over. `closed`: a descriptor that is
 * closed meanwhile is an event, for poll(2) to report, and not an error. */
static int look_and_wait(struct call *call, bool closed)
{
    for (;;) {
        int ready = look(call->fds, call->count);
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

static int poll_all(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct verd__fd_watch few[WATCHES_INLINE];
    struct call call = {
        .fds = fds,
        .count = n,
        .watches = few,
        .deadline = VERD_FOREVER,
        .over = timeout_ms == 0,
    };
    if (begin(&call) != 0)
        return -1;
    if (timeout_ms > 0)
        call.deadline = verd__time_after(verd_now(), timeout_ms * VERD_MS);
    int ready = look(fds, n);
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
    int ready = poll_all(fds, n, timeout_ms);
    verd__spend();
    return ready;
}
