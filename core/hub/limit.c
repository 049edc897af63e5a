/* SPDX-License-Identifier: MIT */
#include "hub/limit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sched/area.h"

static void time_up(struct verd__timer *timer)
{
    verd__wait_end(verd__wait_of_timer(timer), EAGAIN);
}

/* 0: none, or it is no socket */
static verd_duration limit_of(int fd, enum verd__direction direction)
{
    struct timeval limit = {0};
    socklen_t length = sizeof limit;
    int option = direction == VERD__INPUT ? SO_RCVTIMEO : SO_SNDTIMEO;
    int error = errno;
    if (getsockopt(fd, SOL_SOCKET, option, &limit, &length) != 0)
        limit = (struct timeval){0};
    errno = error;
    return limit.tv_sec * VERD_SEC + limit.tv_usec * VERD_US;
}

static void restart_no_more(struct verd__area *area)
{
    if (area->interruptible == VERD__UNLESS_RESTARTED)
        area->interruptible = VERD__BY_ALL;
}

/* The wait is its thread's own. */
static void limit_wait(struct verd__loop *loop, int fd, struct verd__fd *record,
                       enum verd__direction direction, struct verd__wait *wait)
{
    verd_duration limit = limit_of(fd, direction);
    if (limit == 0)
        return;
    record->bits |= VERD__FD_LIMITED;
    restart_no_more(VERD__CONTAINER_OF(wait, struct verd__area, wait));
    verd__wait_limit(loop->scheduler, wait, verd__time_after(verd_now(), limit), time_up);
}

void verd__limit_ask(struct verd__loop *loop, int fd, struct verd__fd *record,
                     enum verd__direction direction)
{
    limit_wait(loop, fd, record, direction, verd__own_wait(loop->scheduler));
}

verd_duration verd__limit_own(const struct verd__loop *loop, int fd, enum verd__direction direction)
{
    verd_duration limit = limit_of(fd, direction);
    if (limit != 0)
        restart_no_more(verd__area(loop->scheduler->running));
    return limit;
}

void verd__limit_audit(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    unsigned sockets = VERD__FD_OURS | VERD__FD_SOCKET;
    if ((record->bits & (sockets | VERD__FD_ASKED)) != sockets)
        return;
    record->bits |= VERD__FD_ASKED;
    for (unsigned d = VERD__INPUT; d <= VERD__OUTPUT; d++) {
        struct verd__wait *wait = record->waiting[d];
        if (wait != NULL && verd__loop_waits_for_one(wait) && !verd__timer_armed(&wait->timer))
            limit_wait(loop, fd, record, d, wait);
    }
}
