/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind group_kind = {"a group to be done", verd__leave_line};

int verd_group_add(verd_group *group, size_t n)
{
    if (group == NULL)
        return verd__invalid();
    if (__builtin_add_overflow(group->count, n, &group->count)) {
        group->count -= n;
        errno = EOVERFLOW;
        return -1;
    }
    return 0;
}

int verd_group_done(verd_group *group)
{
    if (group == NULL || group->count == 0)
        return verd__invalid();
    if (verd__home_check(group->home, &group->waiters) != 0)
        return -1;
    if (--group->count > 0)
        return 0;
    struct verd__wait *wait;
    while ((wait = verd__waiters_pop(&group->waiters)) != NULL)
        verd__wake(wait);
    return 0;
}

int verd_group_wait(verd_group *group)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (group == NULL)
        return verd__invalid();
    if (group->count == 0)
        return 0;
    if (verd__home_check(group->home, &group->waiters) != 0)
        return -1;
    struct verd__wait wait = {.kind = &group_kind};
    group->home = scheduler;
    return verd__wait_in_line(scheduler, &wait, &group->waiters);
}
