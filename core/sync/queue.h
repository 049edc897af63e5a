/* SPDX-License-Identifier: MIT */
/* The inside of a queue, for verd_select. */
#ifndef VERD_SYNC_QUEUE_H
#define VERD_SYNC_QUEUE_H

#include <verd/queue.h>

#include "sched/wait.h"
#include "sync/store.h"

/*
 * Invariants: while getters wait there is no item and no putter; while putters wait the store is full
 * (at capacity 0: no getter waits). So an item or a place that becomes free goes to who is first in the wait
 * queue, before it runs. An entry's value is the item to be put, or where the one that is got is to go.
 */
struct verd_queue {
    uint64_t home; /* the number of its maker's scheduler */
    struct verd__store store;
    size_t capacity;
    struct verd__list getters;
    struct verd__list putters;
    struct verd__list joiners;
    size_t unfinished; /* puts without their task_done */
    size_t batches;    /* calls that may go on with it, after a wait for an item */
    bool closed;
    bool freed; /* by the user: the last of these calls frees it */
};

/* Whether a put, or a get, can be done without waiting, or fails at once. */
static inline bool verd__queue_can_put(const struct verd_queue *queue)
{
    return queue->closed || queue->getters.first != NULL || queue->store.count < queue->capacity;
}

static inline bool verd__queue_can_get(const struct verd_queue *queue)
{
    return queue->closed || queue->store.count > 0 || queue->putters.first != NULL;
}

/* Puts or gets if that is possible without waiting. Return 0, or EAGAIN (wait), EPIPE, ENOMEM. */
int verd__queue_put_now(struct verd_queue *queue, void *item);
int verd__queue_get_now(struct verd_queue *queue, void **item);

#endif
