/* SPDX-License-Identifier: MIT */
/* Waiting for time to pass, and for one another: sleep, park. */
#include <errno.h>

#include "sched/slab.h"
#include "sched/wait.h"

static const struct verd__wait_kind sleep_kind = {.name = "a point in time", .has_more = true};

/* The past, as a deadline, is a reason to give way but not to wait. */
static int sleep_until(struct verd__scheduler *scheduler, verd_duration deadline)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    verd__wait_limit(scheduler, wait, deadline, verd__wait_time_up);
    return verd__wait(scheduler, wait, &sleep_kind);
}

static int give_way_once(struct verd__scheduler *scheduler)
{
    verd__give_way(scheduler);
    return verd__may_wait(scheduler) ? 0 : -1;
}

int verd_sleep(verd_duration d)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (d <= 0)
        return give_way_once(scheduler);
    return sleep_until(scheduler, d == VERD_FOREVER ? d : verd__time_after(verd_now(), d));
}

int verd__pause(verd_duration *pause, verd_duration most)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler != NULL && verd__is_interrupted(verd__area(scheduler->running)))
        return verd__refuse(EINTR);
    if (verd_sleep(*pause) != 0)
        return -1;
    *pause = *pause < most / 2 ? *pause * 2 : most;
    return 0;
}

int verd_sleep_until(verd_duration t)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (t != VERD_FOREVER && t <= verd_now())
        return give_way_once(scheduler);
    return sleep_until(scheduler, t);
}

static const struct verd__wait_kind park_kind = {.name = "verd_unpark"};

static inline int park(struct verd__scheduler *scheduler)
{
    struct verd__thread *self = scheduler->running;
    if (self->flags & VERD__PERMIT) {
        self->flags &= (uint8_t)~VERD__PERMIT;
        return verd__done(scheduler, 0);
    }
    return verd__wait(scheduler, verd__own_wait(scheduler), &park_kind);
}

static __attribute__((noinline)) int park_slowly(void)
{
    struct verd__scheduler *scheduler = verd__begin();
    return scheduler != NULL ? park(scheduler) : verd__refuse(0);
}

int verd_park(void)
{
    struct verd__scheduler *scheduler = verd__current;
    return verd__is_clear(scheduler) ? park(scheduler) : park_slowly();
}

void verd_unpark(verd_thread *t)
{
    int error = errno;
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL) {
        errno = error;
        return;
    }
    struct verd__wait *wait = thread->state == VERD__STARTED ? &verd__area(thread)->wait : NULL;
    if (wait != NULL && wait->kind == &park_kind)
        verd__wake(wait);
    else if (thread->state != VERD__ENDED)
        thread->flags |= VERD__PERMIT;
}
