/* SPDX-License-Identifier: MIT */
/*
 * Who writes to a descriptor. Most writes are one system call and need nothing of this. One that has to wait, or
 * that has more to come, holds the descriptor's lock until the call ends; the others wait in a queue, and whoever
 * has done hands it to the first. So calls are served in the order in which they came, and not mixed.
 *
 * To hold it is an obligation: in the child of a fork it is given up.
 */
#ifndef VERD_HUB_OUTPUT_LOCK_H
#define VERD_HUB_OUTPUT_LOCK_H

#include "hub/hub.h"
#include "sched/obligation.h"

/* In the frame of the call. Zeroed: it holds nothing. */
struct verd__output_lock {
    struct verd__obligation obligation;
    struct verd__fd *record; /* valid while it waits or holds */
    uint32_t generation;     /* of the record at that time */
    bool holds;
};

/* The running thread's call holds the descriptor from now on; nobody else does. */
void verd__output_lock_take(struct verd__loop *loop, struct verd__output_lock *lock,
                            struct verd__fd *record);

/* Hands it to the next. Keeps errno. */
void verd__output_lock_release(struct verd__loop *loop, struct verd__output_lock *lock);

/* Until the call holds the descriptor, or nobody else does. With `at_once` that is EAGAIN instead of waiting. 0, or
 * -1 with errno as verd__loop_wait. */
int verd__output_lock_queue(struct verd__loop *loop, struct verd__output_lock *lock, int fd,
                            struct verd__fd *record, bool at_once);

/* Ends the waits of all who queue for it. */
void verd__output_locks_end(struct verd__loop *loop, const struct verd__fd *record, int error);

/* At the head of each call: whether it may write. 0, or -1 with errno as above. */
static inline int verd__output_lock_begin(struct verd__loop *loop, struct verd__output_lock *lock,
                                          int fd, struct verd__fd *record, bool at_once)
{
    if (__builtin_expect(lock->holds, 0))
        return verd__loop_is_same(record, lock->generation) ? 0 : -1;
    if (__builtin_expect(record->bits & VERD__FD_HELD, 0))
        return verd__output_lock_queue(loop, lock, fd, record, at_once);
    return 0;
}

#endif
