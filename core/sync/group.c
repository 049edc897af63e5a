/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind group_kind = {.name = "a group to be done", .is_users = true};

int verd_group_add(verd_group *group, size_t n)
{
    if (group == NULL)
        return verd__invalid();
    if (__builtin_add_overflow(group->count, n, &group->count)) {
        group->count -= n;
        return verd__errno(EOVERFLOW);
    }
    return 0;
}

int verd_group_done(verd_group *group)
{
    if (group == NULL || group->count == 0)
        return verd__invalid();
    if (verd__home_check(group->home, &group->waiters) != 0)
        return -1;
    if (--group->count == 0)
        verd__queue_end(&group->waiters, 0);
    return 0;
}

int verd_group_wait(verd_group *group)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (group == NULL)
        return verd__refuse(EINVAL);
    if (group->count == 0)
        return verd__done(scheduler, 0);
    if (verd__home_check(group->home, &group->waiters) != 0)
        return verd__refuse(0);
    group->home = scheduler->number;
    return verd__wait_in_queue(scheduler, &group_kind, &group->waiters, NULL);
}
