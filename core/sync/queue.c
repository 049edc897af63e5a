/* SPDX-License-Identifier: MIT */
#include "sync/queue.h"

#include <stdlib.h>

#include "sync/home.h"

static const struct verd__wait_kind get_kind = {"an item of a queue", verd__leave_line};
static const struct verd__wait_kind put_kind = {"room in a queue", verd__leave_line};
static const struct verd__wait_kind join_kind = {"the work of a queue to be done",
                                                 verd__leave_line};

static verd_queue *make(size_t capacity, enum verd__store_order order,
                        int (*compare)(const void *, const void *))
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    verd_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    queue->scheduler = scheduler;
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

static int check(const verd_queue *queue, const struct verd__scheduler *scheduler)
{
    if (queue == NULL)
        return verd__invalid();
    if (queue->scheduler == scheduler)
        return 0;
    errno = EPERM;
    return -1;
}

/* 0, or -1 with errno `error`. */
static int outcome(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int verd__queue_put_now(struct verd_queue *queue, void *item)
{
    if (queue->closed)
        return EPIPE;
    struct verd__wait *getter = verd__waiters_pop(&queue->getters);
    if (getter != NULL) {
        getter = verd__queue_claim(getter);
        getter->value = item;
        verd__wake(getter);
    } else if (queue->store.count >= queue->capacity) {
        return EAGAIN;
    } else if (!verd__store_add(&queue->store, item)) {
        return ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

/* Takes the item of the first putter in line, who may go on. */
static void *accept_putter(struct verd_queue *queue)
{
    struct verd__wait *putter = verd__waiters_pop(&queue->putters);
    void *item = putter->value;
    queue->unfinished++;
    verd__wake(verd__queue_claim(putter));
    return item;
}

/* There is room: putters bring their items in. Who finds no memory for it there, is told, as if it had
 * come now: nothing else would ever wake it. */
static void admit_putters(struct verd_queue *queue)
{
    while (queue->putters.first != NULL && queue->store.count < queue->capacity) {
        struct verd__wait *putter = verd__waiters_pop(&queue->putters);
        bool kept = verd__store_add(&queue->store, putter->value);
        queue->unfinished += kept;
        verd__wait_end(verd__queue_claim(putter), kept ? 0 : ENOMEM);
    }
}

int verd__queue_get_now(struct verd_queue *queue, void **item)
{
    if (queue->store.count > 0) {
        *item = verd__store_take(&queue->store);
        admit_putters(queue);
        return 0;
    }
    if (queue->putters.first != NULL) {
        *item = accept_putter(queue);
        return 0;
    }
    return queue->closed ? EPIPE : EAGAIN;
}

/*
 * Waits in a line of a queue with an item to give, or for one to come into *result. Putters and getters
 * meet here, out of line and last in their calls: where one switches to the other, both return to the
 * same place, as the processor expects of whoever switches; only the last return is another's.
 */
static __attribute__((noinline)) int wait_in_line(struct verd__scheduler *scheduler,
                                                  struct verd__waiters *line,
                                                  const struct verd__wait_kind *kind, void *item,
                                                  void **result)
{
    struct verd__wait wait;
    wait.kind = kind;
    wait.value = item;
    if (verd__wait_in_line(scheduler, &wait, line) != 0)
        return -1;
    if (result != NULL)
        *result = wait.value;
    return 0;
}

/*
 * The ways on which most items go come first, and need neither a frame nor a call: to a getter that waits,
 * from a putter that waits, in and out of a first-in-first-out store where there is room. The rest goes the
 * whole way, `put` and `get`.
 */

/* Whether nothing stands in the way of a call that need not wait; the budget is enough for it, too. */
static inline bool is_clear(const verd_queue *queue, const struct verd__scheduler *scheduler)
{
    return scheduler != NULL && scheduler->budget > 1 &&
           !(scheduler->running->interrupt & VERD__INTERRUPT_STOP) && queue != NULL &&
           queue->scheduler == scheduler;
}

/* Whether `wait` can be ended as it is. */
static inline bool is_plain(const struct verd__wait *wait)
{
    return wait->kind != &verd__select_case_kind;
}

static __attribute__((noinline)) int put(verd_queue *queue, void *item)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(queue, scheduler) != 0)
        return verd__finish(-1);
    int error = verd__queue_put_now(queue, item);
    if (error != EAGAIN)
        return verd__finish(outcome(error));
    return wait_in_line(scheduler, &queue->putters, &put_kind, item, NULL);
}

int verd_queue_put(verd_queue *queue, void *item)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(!is_clear(queue, scheduler) || queue->closed, 0))
        return put(queue, item);
    struct verd__wait *getter = queue->getters.first;
    if (getter != NULL && is_plain(getter)) {
        verd__waiters_remove(&queue->getters, getter);
        getter->value = item;
        verd__wake(getter);
    } else if (getter == NULL && queue->store.count < queue->capacity &&
               verd__store_is_quick(&queue->store) && queue->store.count < queue->store.room) {
        verd__store_add_quickly(&queue->store, item);
    } else if (getter == NULL && queue->store.count >= queue->capacity) {
        return wait_in_line(scheduler, &queue->putters, &put_kind, item, NULL);
    } else {
        return put(queue, item);
    }
    queue->unfinished++;
    scheduler->budget--;
    return 0;
}

int verd_queue_try_put(verd_queue *queue, void *item)
{
    return check(queue, verd__current) != 0 ? -1 : outcome(verd__queue_put_now(queue, item));
}

static __attribute__((noinline)) int get(verd_queue *queue, void **item)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(queue, scheduler) != 0)
        return verd__finish(-1);
    if (item == NULL)
        return verd__finish(verd__invalid());
    int error = verd__queue_get_now(queue, item);
    if (error != EAGAIN)
        return verd__finish(outcome(error));
    return wait_in_line(scheduler, &queue->getters, &get_kind, NULL, item);
}

int verd_queue_get(verd_queue *queue, void **item)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(!is_clear(queue, scheduler) || item == NULL, 0))
        return get(queue, item);
    struct verd__wait *putter = queue->putters.first;
    if (putter == NULL && queue->store.count > 0 && verd__store_is_quick(&queue->store)) {
        *item = verd__store_take_quickly(&queue->store);
    } else if (putter != NULL && queue->store.count == 0 && is_plain(putter)) {
        verd__waiters_remove(&queue->putters, putter);
        *item = putter->value;
        queue->unfinished++;
        verd__wake(putter);
    } else if (putter == NULL && queue->store.count == 0 && !queue->closed) {
        return wait_in_line(scheduler, &queue->getters, &get_kind, NULL, item);
    } else {
        return get(queue, item);
    }
    scheduler->budget--;
    return 0;
}

int verd_queue_try_get(verd_queue *queue, void **item)
{
    if (check(queue, verd__current) != 0)
        return -1;
    return item == NULL ? verd__invalid() : outcome(verd__queue_get_now(queue, item));
}

static void end_all(struct verd__waiters *line, int error)
{
    struct verd__wait *wait;
    while ((wait = verd__waiters_pop(line)) != NULL)
        verd__wait_end(verd__queue_claim(wait), error);
}

int verd_queue_close(verd_queue *queue)
{
    if (check(queue, verd__current) != 0)
        return -1;
    queue->closed = true;
    end_all(&queue->getters, EPIPE);
    end_all(&queue->putters, EPIPE);
    return 0;
}

void verd_queue_free(verd_queue *queue)
{
    if (queue == NULL || verd_queue_close(queue) != 0)
        return;
    end_all(&queue->joiners, EPIPE);
    verd__store_free(&queue->store);
    free(queue);
}

int verd_queue_task_done(verd_queue *queue)
{
    if (check(queue, verd__current) != 0)
        return -1;
    if (queue->unfinished == 0)
        return verd__invalid();
    if (--queue->unfinished == 0)
        end_all(&queue->joiners, 0);
    return 0;
}

int verd_queue_join(verd_queue *queue)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(queue, scheduler) != 0)
        return verd__finish(-1);
    if (queue->unfinished == 0)
        return verd__finish(0);
    struct verd__wait wait = {.kind = &join_kind};
    return verd__wait_in_line(scheduler, &wait, &queue->joiners);
}

int verd_queue_resize(verd_queue *queue, size_t capacity)
{
    if (check(queue, verd__current) != 0)
        return -1;
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

static size_t count(const struct verd__waiters *line)
{
    size_t count = 0;
    for (const struct verd__wait *wait = line->first; wait != NULL; wait = wait->next)
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
