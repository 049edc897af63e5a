/* SPDX-License-Identifier: MIT */
/* Several items of a queue at once. */
#include <limits.h>
#include <stdlib.h>

#include "sched/obligation.h"
#include "sync/home.h"
#include "sync/queue.h"

static const struct verd__wait_kind batch_kind = {.name = "items of a queue",
                                                  .is_object = true,
                                                  .queue_offset =
                                                      offsetof(struct verd_queue, getters)};

/* A call that waits for the first item, and goes on with the queue once it has that. */
struct batch {
    struct verd__obligation obligation;
    verd_queue *queue;
};

static void leave(struct verd__obligation *obligation)
{
    struct batch *batch = VERD__CONTAINER_OF(obligation, struct batch, obligation);
    verd_queue *queue = batch->queue;
    if (--queue->batches == 0 && queue->freed)
        free(queue);
}

/* Takes what can be had without waiting, from `count` on; how many there are then. While others wait for an
 * item there is none. */
static size_t take(verd_queue *queue, void **items, size_t n, size_t count)
{
    while (count < n && verd__queue_get_now(queue, &items[count]) == 0)
        count++;
    return count;
}

/* The first is handed over, and the rest is what has come until this thread runs. */
static ssize_t wait_and_take(struct verd__scheduler *scheduler, verd_queue *queue, void **items,
                             size_t n)
{
    struct batch batch = {.queue = queue};
    ssize_t result = -1;
    queue->batches++;
    verd__obligation_begin(scheduler, &batch.obligation, leave);
    if (verd__wait_in_queue(scheduler, &batch_kind, &queue->getters, (void *)items) == 0)
        result = (ssize_t)take(queue, items, queue->freed ? 1 : n, 1);
    int error = errno;
    verd__obligation_settle(scheduler, &batch.obligation);
    errno = error;
    return result;
}

/* 0, EINVAL or EPERM. */
static int check(const struct verd__scheduler *scheduler, const verd_queue *queue, void **items,
                 size_t n)
{
    if (queue == NULL || items == NULL || n == 0 || n > SSIZE_MAX)
        return EINVAL;
    return queue->home == scheduler->number ? 0 : EPERM;
}

ssize_t verd_queue_get_many(verd_queue *queue, void **items, size_t n)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = check(scheduler, queue, items, n);
    if (error != 0)
        return verd__refuse(error);
    size_t count = take(queue, items, n, 0);
    if (count == 0 && queue->closed)
        return verd__refuse(EPIPE);
    if (count == 0)
        return wait_and_take(scheduler, queue, items, n);
    verd__spend();
    return (ssize_t)count;
}
