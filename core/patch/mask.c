/* SPDX-License-Identifier: MIT */
#include "patch/mask.h"

#include <stddef.h>

#include "offload/handler.h"

static _Thread_local sigset_t own; /* valid while there are waiters */
static _Thread_local size_t waiters;

bool verd__mask_begin(const sigset_t *mask)
{
    bool begun = verd__interruptible_begin(verd__current, VERD__BY_ALL);
    if (mask != NULL)
        pthread_sigmask(SIG_SETMASK, mask, waiters++ == 0 ? &own : NULL);
    return begun;
}

void verd__mask_end(const sigset_t *mask, bool begun)
{
    if (mask != NULL && --waiters == 0)
        pthread_sigmask(SIG_SETMASK, &own, NULL);
    verd__interruptible_end(verd__current, begun);
}
