/* SPDX-License-Identifier: MIT */
#include "sched/wait.h"

void verd__wait_clear(struct verd__wait *wait, const struct verd__wait_kind *kind, int error)
{
    verd__timer_cancel(&verd__current->timers, &wait->timer);
    if (kind->ended != NULL)
        kind->ended(wait, error);
}

void verd__wait_abort(struct verd__thread *thread, int error, unsigned depth)
{
    if (thread->state != VERD__STARTED || thread->shield > depth)
        return;
    struct verd__wait *wait = &verd__area(thread)->wait;
    if (wait->kind != NULL && wait->kind->look != NULL)
        wait->kind->look(wait);
    if (wait->kind != NULL)
        verd__wait_end(wait, error);
}

void verd__wait_time_up(struct verd__timer *timer)
{
    verd__wake(verd__wait_of_timer(timer));
}

int verd__refuse(int error)
{
    struct verd__scheduler *scheduler = verd__current;
    if (error != 0)
        errno = error;
    return scheduler != NULL ? verd__done(scheduler, -1) : -1;
}
