/* SPDX-License-Identifier: MIT */
/* Waiting for time to pass, and for one another: sleep, park. */
#include <errno.h>

#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/wait.h"

struct sleeper {
    struct verd__timer timer; /* first: fire gets it */
    struct verd__wait wait;
};

static void wake_sleeper(struct verd__timer *timer)
{
    verd__wake(&((struct sleeper *)timer)->wait);
}

static void cancel_sleep(struct verd__wait *wait)
{
    struct sleeper *sleeper =
        (struct sleeper *)(void *)((char *)wait - offsetof(struct sleeper, wait));
    verd__timer_cancel(&verd__current->timers, &sleeper->timer);
}

static const struct verd__wait_kind sleep_kind = {"a point in time", cancel_sleep};

/* The past, as a deadline, is a reason to give way but not to wait. */
static int sleep_until(struct verd__scheduler *scheduler, verd_duration deadline)
{
    struct sleeper sleeper = {.timer.fire = wake_sleeper, .wait.kind = &sleep_kind};
    verd__timer_arm(&scheduler->timers, &sleeper.timer, deadline);
    return verd__wait(scheduler, &sleeper.wait);
}

static int give_way_once(struct verd__scheduler *scheduler)
{
    verd__give_way(scheduler);
    return scheduler->running->interrupt & VERD__INTERRUPT_STOP ? verd__interrupted(scheduler) : 0;
}

int verd_sleep(verd_duration d)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (d <= 0)
        return give_way_once(scheduler);
    return sleep_until(scheduler, d == VERD_FOREVER ? d : verd__time_after(verd_now(), d));
}

int verd_sleep_until(verd_duration t)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (t != VERD_FOREVER && t <= verd_now())
        return give_way_once(scheduler);
    return sleep_until(scheduler, t);
}

static const struct verd__wait_kind park_kind = {"verd_unpark", NULL};

int verd_park(void)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    struct verd_thread *self = scheduler->running;
    if (self->flags & VERD__PERMIT) {
        self->flags &= (uint8_t)~VERD__PERMIT;
        return 0;
    }
    struct verd__wait wait = {.kind = &park_kind};
    return verd__wait(scheduler, &wait);
}

void verd_unpark(verd_thread *thread)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (thread == NULL || scheduler == NULL || verd__slab_of(thread)->scheduler != scheduler)
        return;
    if (thread->state == VERD__STARTED && thread->wait != NULL && thread->wait->kind == &park_kind)
        verd__wake(thread->wait);
    else if (thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED)
        thread->flags |= VERD__PERMIT;
}
