/* SPDX-License-Identifier: MIT */
/*
 * An object that one thread at a time uses, for whole calls: a second one is told EBUSY, whether or not the
 * first one waits. One that is freed during a call is destroyed as that ends, which is at once.
 */
#ifndef VERD_IO_EXCLUSIVE_H
#define VERD_IO_EXCLUSIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sched/obligation.h"

struct verd__exclusive {
    struct verd__obligation in_call; /* of the thread whose call it is, while there is one */
    struct verd__thread *user;       /* that thread; NULL: there is no call */
    void (*destroy)(struct verd__exclusive *exclusive);
    uint64_t home; /* the number of its maker's scheduler */
    bool freed;    /* during the call */
};

void verd__exclusive_init(struct verd__exclusive *exclusive,
                          void (*destroy)(struct verd__exclusive *exclusive));

/* The head of each call: whether it may go on. 0; or -1 with errno ECANCELED, ETIMEDOUT, EINVAL (NULL), EPERM,
 * EBUSY or ENOMEM (no scheduler). */
int verd__exclusive_begin(struct verd__exclusive *exclusive);

/* Whether the object is still there, in the middle of a call. */
static inline bool verd__exclusive_is_there(const struct verd__exclusive *exclusive)
{
    return !exclusive->freed;
}

/* The end of each call that has begun: spends a unit of the budget. Returns `result`, or -1 with errno EINVAL
 * if the object was freed meanwhile: now it is destroyed. */
ssize_t verd__exclusive_end(struct verd__exclusive *exclusive, ssize_t result);

/* Destroys it, or ends the call that it is in. NULL and another OS thread's are left alone. */
void verd__exclusive_free(struct verd__exclusive *exclusive);

#endif
