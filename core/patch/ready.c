/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, as POSIX has it. */
#include "patch/posix.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "io/io.h"
#include "patch/mask.h"
#include "patch/span.h"
#include "sched/wait.h"

/* So many descriptors of a select are looked at without an allocation. */
#define SELECT_FEW 32

static verd_duration span_of_ms(int ms)
{
    return ms < 0 ? VERD_FOREVER : ms * VERD_MS;
}

static verd_duration deadline_of(verd_duration span)
{
    return span == VERD_FOREVER ? span : verd__time_after(verd_now(), span);
}

static verd_duration left_until(verd_duration deadline)
{
    verd_duration left = deadline == VERD_FOREVER ? deadline : deadline - verd_now();
    return left > 0 ? left : 0;
}

VERD__POINT(int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms),
            (fds, count, timeout_ms))
{
    return verd__is_green() ? verd__poll_posix(fds, count, span_of_ms(timeout_ms))
                            : poll(fds, count, timeout_ms);
}

/* What only looks is the kernel's own call, which knows better than to run a handler and say nothing of it. */
static int looked(int ready)
{
    verd__spend();
    return ready;
}

VERD__POINT(int, ppoll,
            (struct pollfd * fds, nfds_t count, const struct timespec *timeout,
             const sigset_t *mask),
            (fds, count, timeout, mask))
{
    verd_duration span = VERD_FOREVER;
    if (!verd__is_green())
        return ppoll(fds, count, timeout, mask);
    if (timeout != NULL && verd__span(timeout, &span) != 0)
        return -1;
    if (verd__begin() == NULL)
        return verd__refuse(0);
    if (span == 0 && mask != NULL)
        return looked(ppoll(fds, count, timeout, mask));
    bool begun = verd__mask_begin(mask);
    int ready = verd__poll_posix(fds, count, span);
    verd__mask_end(mask, begun);
    return ready;
}

int verd_posix_epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
    return verd_posix_epoll_pwait(fd, events, count, timeout_ms, NULL);
}

/* Another thread may have taken what there was: then it is waited for what is left of the time. */
static int wait_for_events(int fd, struct epoll_event *events, int count, verd_duration span)
{
    verd_duration deadline = deadline_of(span);
    for (;;) {
        int ready = epoll_wait(fd, events, count, 0);
        if (ready != 0 || span == 0)
            return ready;
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        ready = verd__poll_posix(&poller, 1, left_until(deadline));
        if (ready <= 0)
            return ready;
    }
}

VERD__POINT(int, epoll_pwait,
            (int fd, struct epoll_event *events, int count, int timeout_ms, const sigset_t *mask),
            (fd, events, count, timeout_ms, mask))
{
    if (!verd__is_green())
        return epoll_pwait(fd, events, count, timeout_ms, mask);
    if (verd__begin() == NULL)
        return verd__refuse(0);
    if (timeout_ms == 0)
        return looked(epoll_pwait(fd, events, count, 0, mask));
    bool begun = verd__mask_begin(mask);
    int ready = wait_for_events(fd, events, count, span_of_ms(timeout_ms));
    verd__mask_end(mask, begun);
    verd__spend();
    return ready;
}

/* ---- select ---- */

/* What each of the three sets asks for, and what poll(2) says of a member that is ready: as in Linux. */
static const struct {
    short asks, ready;
} sets[3] = {
    {POLLIN | POLLRDNORM | POLLRDBAND, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
    {POLLOUT | POLLWRNORM | POLLWRBAND, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
    {POLLPRI, POLLPRI},
};

struct selection {
    fd_set *members[3];
    struct pollfd *fds;
    nfds_t count;
    struct pollfd few[SELECT_FEW];
};

static short asked_of(const struct selection *selection, int fd)
{
    short events = 0;
    for (int s = 0; s < 3; s++) {
        if (selection->members[s] != NULL && FD_ISSET(fd, selection->members[s]))
            events |= sets[s].asks;
    }
    return events;
}

static int begin_selection(struct selection *selection, int count)
{
    selection->fds = selection->few;
    selection->count = 0;
    if (count > SELECT_FEW)
        selection->fds = calloc((size_t)count, sizeof *selection->fds);
    if (selection->fds == NULL)
        return -1;
    for (int fd = 0; fd < count; fd++) {
        short events = asked_of(selection, fd);
        if (events != 0)
            selection->fds[selection->count++] = (struct pollfd){.fd = fd, .events = events};
    }
    return 0;
}

/* How many members of the sets are ready, once they are told; -1 and errno EBADF. One of which only that is known
 * which its set does not ask for (an end, of a member of `urgent`) is not looked at any more. */
static int count_ready(struct selection *selection)
{
    int ready = 0;
    for (nfds_t i = 0; i < selection->count; i++) {
        struct pollfd *member = &selection->fds[i];
        if (member->revents & POLLNVAL) {
            errno = EBADF;
            return -1;
        }
        bool counts = false;
        for (int s = 0; s < 3; s++) {
            if ((member->events & sets[s].asks) && (member->revents & sets[s].ready)) {
                counts = true;
                ready++;
            }
        }
        if (member->revents != 0 && !counts)
            member->fd = ~member->fd;
    }
    return ready;
}

/* Leaves in the sets what is ready. */
static void tell(const struct selection *selection)
{
    for (int s = 0; s < 3; s++) {
        for (nfds_t i = 0; selection->members[s] != NULL && i < selection->count; i++) {
            const struct pollfd *member = &selection->fds[i];
            if ((member->events & sets[s].asks) && !(member->revents & sets[s].ready))
                FD_CLR(member->fd >= 0 ? member->fd : ~member->fd, selection->members[s]);
        }
    }
}

static int select_until(struct selection *selection, verd_duration deadline)
{
    for (;;) {
        verd_duration left = left_until(deadline);
        int ready = verd__poll_posix(selection->fds, selection->count, left);
        if (ready > 0)
            ready = count_ready(selection);
        if (ready != 0 || left == 0)
            return ready;
    }
}

static int select_within(int count, fd_set *const members[3], verd_duration deadline)
{
    struct selection selection = {.members = {members[0], members[1], members[2]}};
    if (count < 0) {
        errno = EINVAL;
        return -1;
    }
    if (count > FD_SETSIZE) /* getdtablesize(), perhaps: there is no more of the sets */
        count = FD_SETSIZE;
    if (begin_selection(&selection, count) != 0)
        return -1;
    int ready = select_until(&selection, deadline);
    if (ready >= 0)
        tell(&selection);
    if (selection.fds != selection.few) {
        int error = errno;
        free(selection.fds);
        errno = error;
    }
    return ready;
}

/* As Linux, which leaves in *timeout what is left of it. */
VERD__POINT(int, select,
            (int count, fd_set *input, fd_set *output, fd_set *urgent, struct timeval *timeout),
            (count, input, output, urgent, timeout))
{
    verd_duration span = VERD_FOREVER;
    if (!verd__is_green())
        return select(count, input, output, urgent, timeout);
    if (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_usec < 0)) {
        errno = EINVAL;
        return -1;
    }
    if (timeout != NULL)
        span = verd__span_of(timeout->tv_sec, timeout->tv_usec * VERD_US);
    verd_duration deadline = deadline_of(span);
    int ready = select_within(count, (fd_set *[3]){input, output, urgent}, deadline);
    if (timeout != NULL && ready >= 0) {
        verd_duration left = left_until(deadline);
        timeout->tv_sec = left / VERD_SEC;
        timeout->tv_usec = left % VERD_SEC / VERD_US;
    }
    return ready;
}

VERD__POINT(int, pselect,
            (int count, fd_set *input, fd_set *output, fd_set *urgent,
             const struct timespec *timeout, const sigset_t *mask),
            (count, input, output, urgent, timeout, mask))
{
    verd_duration span = VERD_FOREVER;
    if (!verd__is_green())
        return pselect(count, input, output, urgent, timeout, mask);
    if (timeout != NULL && verd__span(timeout, &span) != 0)
        return -1;
    if (verd__begin() == NULL)
        return verd__refuse(0);
    if (span == 0 && mask != NULL && count <= FD_SETSIZE)
        return looked(pselect(count, input, output, urgent, timeout, mask));
    bool begun = verd__mask_begin(mask);
    int ready = select_within(count, (fd_set *[3]){input, output, urgent}, deadline_of(span));
    verd__mask_end(mask, begun);
    return ready;
}
