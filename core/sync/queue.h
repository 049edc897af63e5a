/* SPDX-License-Identifier: MIT */
/* The inside of a queue, for verd_select. */
#ifndef VERD_SYNC_QUEUE_H
#define VERD_SYNC_QUEUE_H

#include <verd/queue.h>

#include "sched/wait.h"
#include "sync/store.h"

/*
 * Invariants: while getters wait there is no item and no putter; while putters wait the store is full
 * (at capacity 0: no getter waits). So an item or a place that becomes free goes to who is first in line,
 * before it runs.
 */
struct verd_queue {
    struct verd__scheduler *scheduler;
    struct verd__store store;
    size_t capacity;
    struct verd__waiters getters; /* the item comes as the wait's value */
    struct verd__waiters putters; /* the wait's value is the item */
    struct verd__waiters joiners;
    size_t unfinished; /* puts without their task_done */
    bool closed;
};

/* Puts or gets if that is possible without waiting. Return 0, or EAGAIN (wait), EPIPE, ENOMEM. */
int verd__queue_put_now(struct verd_queue *queue, void *item);
int verd__queue_get_now(struct verd_queue *queue, void **item);

/* One case of a select that waits: in a line of its queue like any wait, but whoever takes it out of there
 * must go through verd__queue_claim. */
struct verd__select_case {
    struct verd__wait wait; /* first; `value` as in the queue's lines */
    struct verd__select *select;
};

extern const struct verd__wait_kind verd__select_case_kind;

/* The wait to be ended for one that was taken out of a line: itself, or, for a case of a select, the
 * select's, whose other cases leave their lines. */
struct verd__wait *verd__select_claim(struct verd__select_case *taken);

static inline struct verd__wait *verd__queue_claim(struct verd__wait *wait)
{
    if (__builtin_expect(wait->kind != &verd__select_case_kind, 1))
        return wait;
    return verd__select_claim((struct verd__select_case *)wait);
}

#endif
