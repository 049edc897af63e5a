/* SPDX-License-Identifier: MIT */
/*
 * Who writes to a descriptor. Most writes are one system call and need nothing of this. One that has to wait, or
 * that has more to come, holds the descriptor until the call ends; the others wait in a queue, and whoever has
 * done hands it to the first. So calls are served in the order in which they came, and not mixed.
 *
 * To hold it is an obligation: in the child of a fork it is given up.
 */
#ifndef VERD_HUB_WRITER_H
#define VERD_HUB_WRITER_H

#include "hub/hub.h"
#include "sched/obligation.h"

/* In the frame of the call. Zeroed: it holds nothing. */
struct verd__writer {
    struct verd__obligation obligation;
    struct verd__fd *record; /* valid while it waits or holds */
    uint32_t generation;     /* of the record at that time */
    bool holds;
};

/* The running thread's call holds the descriptor from now on; nobody else does. */
void verd__writer_hold(struct verd__loop *loop, struct verd__writer *writer,
                       struct verd__fd *record);

/* Hands it to the next. Keeps errno. */
void verd__writer_release(struct verd__loop *loop, struct verd__writer *writer);

/* Until the call holds the descriptor, or nobody else does. With `at_once` that is EAGAIN instead of waiting. 0, or
 * -1 with errno as verd__loop_wait. */
int verd__writer_queue(struct verd__loop *loop, struct verd__writer *writer, int fd,
                       struct verd__fd *record, bool at_once);

/* Ends the waits of all who queue for it. */
void verd__writers_end(struct verd__loop *loop, const struct verd__fd *record, int error);

/* At the head of each call: whether it may write. 0, or -1 with errno as above. */
static inline int verd__writer_begin(struct verd__loop *loop, struct verd__writer *writer, int fd,
                                     struct verd__fd *record, bool at_once)
{
    if (__builtin_expect(writer->holds, 0))
        return verd__loop_is_same(record, writer->generation) ? 0 : -1;
    if (__builtin_expect(record->bits & VERD__FD_HELD, 0))
        return verd__writer_queue(loop, writer, fd, record, at_once);
    return 0;
}

#endif
