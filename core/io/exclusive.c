/* SPDX-License-Identifier: MIT */
#include "io/exclusive.h"

#include <errno.h>
#include <limits.h>

#include "sched/wait.h"

void verd__exclusive_init(struct verd__exclusive *exclusive,
                          void (*destroy)(struct verd__exclusive *exclusive))
{
    exclusive->user = NULL;
    exclusive->destroy = destroy;
    exclusive->home = verd__current->number;
    exclusive->freed = false;
}

static bool is_here(const struct verd__exclusive *exclusive)
{
    return verd__current != NULL && exclusive->home == verd__current->number;
}

static void let_go(struct verd__obligation *obligation)
{
    struct verd__exclusive *exclusive =
        VERD__CONTAINER_OF(obligation, struct verd__exclusive, in_call);
    exclusive->user = NULL;
    if (exclusive->freed)
        exclusive->destroy(exclusive);
}

int verd__exclusive_begin(struct verd__exclusive *exclusive)
{
    struct verd__scheduler *scheduler = verd__begin();
    int error = 0;
    if (scheduler == NULL)
        return verd__refuse(0);
    if (exclusive == NULL)
        error = EINVAL;
    else if (!is_here(exclusive))
        error = EPERM;
    else if (exclusive->user != NULL)
        error = EBUSY;
    if (error != 0)
        return verd__refuse(error);
    exclusive->user = scheduler->running;
    verd__obligation_begin(scheduler, &exclusive->in_call, let_go);
    return 0;
}

/* Others may run before the object is let go: what the call has found is the caller's until the next one. */
ssize_t verd__exclusive_end(struct verd__exclusive *exclusive, ssize_t result)
{
    verd__spend();
    bool freed = exclusive->freed;
    int error = freed ? EINVAL : errno;
    verd__obligation_settle(verd__current, &exclusive->in_call);
    errno = error;
    return freed ? -1 : result;
}

void verd__exclusive_free(struct verd__exclusive *exclusive)
{
    if (exclusive == NULL || !is_here(exclusive))
        return;
    if (exclusive->user == NULL) {
        exclusive->destroy(exclusive);
        return;
    }
    exclusive->freed = true;
    verd__wait_abort(exclusive->user, ECANCELED, UINT_MAX);
}
