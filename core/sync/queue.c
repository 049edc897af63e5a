/* SPDX-License-Identifier: MIT */
#include "sync/queue.h"

#include <stdlib.h>

#include "sync/home.h"

static const struct verd__wait_kind get_kind = {.name = "an item of a queue",
                                                .is_object = true,
                                                .queue_offset =
                                                    offsetof(struct verd_queue, getters)};
static const struct verd__wait_kind put_kind = {.name = "room in a queue",
                                                .is_object = true,
                                                .queue_offset =
                                                    offsetof(struct verd_queue, putters)};
static const struct verd__wait_kind join_kind = {.name = "the work of a queue to be done",
                                                 .is_object = true,
                                                 .queue_offset =
                                                     offsetof(struct verd_queue, joiners)};

static verd_queue *make(size_t capacity, enum verd__store_order order,
                        int (*compare)(const void *, const void *))
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    verd_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->home = scheduler->number;
    queue->capacity = capacity;
    queue->store.order = order;
    queue->store.compare = compare;
    return queue;
}

verd_queue *verd_queue_new(size_t capacity)
{
    return make(capacity, VERD__FIFO, NULL);
}

verd_queue *verd_queue_new_lifo(size_t capacity)
{
    return make(capacity, VERD__LIFO, NULL);
}

verd_queue *verd_queue_new_priority(size_t capacity, int (*compare)(const void *, const void *))
{
    if (compare == NULL) {
        errno = EINVAL;
        return NULL;
    }
    return make(capacity, VERD__PRIORITY, compare);
}

/* 0, EINVAL or EPERM. */
static inline int check(const verd_queue *queue)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (queue == NULL)
        return EINVAL;
    return scheduler != NULL && queue->home == scheduler->number ? 0 : EPERM;
}

static int outcome(int error)
{
    return error == 0 ? 0 : verd__errno(error);
}

int verd__queue_put_now(struct verd_queue *queue, void *item)
{
    if (queue->closed)
        return EPIPE;
    struct verd__entry *getter = verd__first_entry(&queue->getters);
    if (getter != NULL) {
        *(void **)getter->value = item;
        verd__entry_end(getter, 0);
    } else if (queue->store.count >= queue->capacity) {
        return EAGAIN;
    } else if (!verd__store_add(&queue->store, item)) {
        return ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

/* There is room: putters bring their items in. Who finds no memory for it there, is told, as if it had
 * come now: nothing else would ever wake it. */
static __attribute__((noinline)) void admit_putters(struct verd_queue *queue)
{
    struct verd__entry *putter;
    while (queue->store.count < queue->capacity &&
           (putter = verd__first_entry(&queue->putters)) != NULL) {
        bool kept = verd__store_add(&queue->store, putter->value);
        queue->unfinished += kept;
        verd__entry_end(putter, kept ? 0 : ENOMEM);
    }
}

int verd__queue_get_now(struct verd_queue *queue, void **item)
{
    struct verd__entry *putter = verd__first_entry(&queue->putters);
    if (queue->store.count > 0) {
        *item = verd__store_take(&queue->store);
        if (__builtin_expect(putter != NULL, 0))
            admit_putters(queue);
    } else if (putter != NULL) {
        *item = putter->value;
        queue->unfinished++;
        verd__entry_end(putter, 0);
    } else {
        return queue->closed ? EPIPE : EAGAIN;
    }
    return 0;
}

/*
 * The ways on which most items go come first, and need neither a frame nor a call: to a getter that waits,
 * from a putter that waits, in and out of a first-in-first-out store where there is room. The rest goes the
 * whole way, `put` and `get`.
 */

/* Whether nothing stands in the way of a call. */
static inline bool is_clear(const verd_queue *queue, const struct verd__scheduler *scheduler)
{
    return verd__is_clear(scheduler) && queue != NULL && queue->home == scheduler->number &&
           !queue->closed;
}

/* Whether its wait is nowhere else, and ends by a few stores. */
static inline bool is_plain(const struct verd__entry *entry)
{
    return !entry->wait->kind->has_more;
}

static __attribute__((noinline)) int put(verd_queue *queue, void *item)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = check(queue);
    if (error == 0)
        error = verd__queue_put_now(queue, item);
    if (error == EAGAIN)
        return verd__wait_in_queue(scheduler, &put_kind, &queue->putters, item);
    return error == 0 ? verd__done(scheduler, 0) : verd__refuse(error);
}

int verd_queue_put(verd_queue *queue, void *item)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(!is_clear(queue, scheduler), 0))
        return put(queue, item);
    struct verd__entry *getter = verd__first_entry(&queue->getters);
    if (getter != NULL && is_plain(getter)) {
        *(void **)getter->value = item;
        verd__wake_plain(scheduler, getter->wait);
    } else if (getter == NULL && queue->store.count < queue->capacity &&
               verd__store_is_quick(&queue->store) && queue->store.count < queue->store.room) {
        verd__store_add_quickly(&queue->store, item);
    } else if (getter == NULL && queue->store.count >= queue->capacity) {
        return verd__wait_in_queue(scheduler, &put_kind, &queue->putters, item);
    } else {
        return put(queue, item);
    }
    queue->unfinished++;
    return verd__done(scheduler, 0);
}

int verd_queue_try_put(verd_queue *queue, void *item)
{
    int error = check(queue);
    return outcome(error == 0 ? verd__queue_put_now(queue, item) : error);
}

static __attribute__((noinline)) int get(verd_queue *queue, void **item)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = check(queue);
    if (error == 0)
        error = item == NULL ? EINVAL : verd__queue_get_now(queue, item);
    if (error == EAGAIN)
        return verd__wait_in_queue(scheduler, &get_kind, &queue->getters, (void *)item);
    return error == 0 ? verd__done(scheduler, 0) : verd__refuse(error);
}

int verd_queue_get(verd_queue *queue, void **item)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(!is_clear(queue, scheduler) || item == NULL, 0))
        return get(queue, item);
    struct verd__entry *putter = verd__first_entry(&queue->putters);
    if (putter == NULL && queue->store.count > 0 && verd__store_is_quick(&queue->store)) {
        *item = verd__store_take_quickly(&queue->store);
    } else if (putter != NULL && queue->store.count == 0 && is_plain(putter)) {
        *item = putter->value;
        queue->unfinished++;
        verd__wake_plain(scheduler, putter->wait);
    } else if (putter == NULL && queue->store.count == 0) {
        return verd__wait_in_queue(scheduler, &get_kind, &queue->getters, (void *)item);
    } else {
        return get(queue, item);
    }
    return verd__done(scheduler, 0);
}

int verd_queue_try_get(verd_queue *queue, void **item)
{
    int error = check(queue);
    if (error == 0)
        error = item == NULL ? EINVAL : verd__queue_get_now(queue, item);
    return outcome(error);
}

/* 0, or EAGAIN, EPIPE. */
static int look(const verd_queue *queue, void **item)
{
    const struct verd__entry *putter = verd__first_entry(&queue->putters);
    if (queue->store.count > 0)
        *item = verd__store_next(&queue->store);
    else if (putter != NULL)
        *item = putter->value;
    else
        return queue->closed ? EPIPE : EAGAIN;
    return 0;
}

int verd_queue_peek(verd_queue *queue, void **item)
{
    int error = check(queue);
    if (error == 0)
        error = item == NULL ? EINVAL : look(queue, item);
    return outcome(error);
}

int verd_queue_close(verd_queue *queue)
{
    int error = check(queue);
    if (error != 0)
        return verd__errno(error);
    queue->closed = true;
    verd__queue_end(&queue->getters, EPIPE);
    verd__queue_end(&queue->putters, EPIPE);
    return 0;
}

void verd_queue_free(verd_queue *queue)
{
    if (queue == NULL || verd_queue_close(queue) != 0)
        return;
    verd__queue_end(&queue->joiners, EPIPE);
    verd__store_free(&queue->store);
    queue->store.count = 0;
    queue->freed = true;
    if (queue->batches == 0)
        free(queue);
}

int verd_queue_task_done(verd_queue *queue)
{
    int error = check(queue);
    if (error == 0 && queue->unfinished == 0)
        error = EINVAL;
    if (error != 0)
        return verd__errno(error);
    if (--queue->unfinished == 0)
        verd__queue_end(&queue->joiners, 0);
    return 0;
}

int verd_queue_join(verd_queue *queue)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int error = check(queue);
    if (error != 0)
        return verd__refuse(error);
    if (queue->unfinished == 0)
        return verd__done(scheduler, 0);
    return verd__wait_in_queue(scheduler, &join_kind, &queue->joiners, NULL);
}

int verd_queue_resize(verd_queue *queue, size_t capacity)
{
    int error = check(queue);
    if (error != 0)
        return verd__errno(error);
    queue->capacity = capacity;
    admit_putters(queue);
    return 0;
}

size_t verd_queue_length(const verd_queue *queue)
{
    return queue != NULL ? queue->store.count : 0;
}

size_t verd_queue_capacity(const verd_queue *queue)
{
    return queue != NULL ? queue->capacity : 0;
}

static size_t count(const struct verd__list *list)
{
    size_t count = 0;
    for (const struct verd__link *link = list->first; link != NULL; link = link->next)
        count++;
    return count;
}

size_t verd_queue_getting(const verd_queue *queue)
{
    return queue != NULL ? count(&queue->getters) : 0;
}

size_t verd_queue_putting(const verd_queue *queue)
{
    return queue != NULL ? count(&queue->putters) : 0;
}
