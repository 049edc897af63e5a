/* SPDX-License-Identifier: MIT */
#include "patch/mask.h"

#include <stddef.h>

#include "offload/handler.h"

bool verd__mask_begin(const sigset_t *mask)
{
    struct verd__scheduler *scheduler = verd__current;
    bool begun = verd__interruptible_begin(scheduler, VERD__BY_ALL);
    if (mask != NULL)
        pthread_sigmask(SIG_SETMASK, mask, scheduler->masked++ == 0 ? &scheduler->mask : NULL);
    return begun;
}

void verd__mask_end(const sigset_t *mask, bool begun)
{
    struct verd__scheduler *scheduler = verd__current;
    if (mask != NULL && --scheduler->masked == 0)
        pthread_sigmask(SIG_SETMASK, &scheduler->mask, NULL);
    verd__interruptible_end(scheduler, begun);
}
