/* SPDX-License-Identifier: MIT */
/* What a queue keeps of a peak. */
#include <criterion/criterion.h>

#include <verd.h>

#include "sync/queue.h"

#define PEAK 100000
#define KEPT 1000 /* entries, at most */

static int compare(const void *a, const void *b)
{
    return a < b ? -1 : a > b;
}

static verd_queue *make(enum verd__store_order order)
{
    return order == VERD__FIFO   ? verd_queue_new(PEAK)
           : order == VERD__LIFO ? verd_queue_new_lifo(PEAK)
                                 : verd_queue_new_priority(PEAK, compare);
}

static void put(verd_queue *queue, uintptr_t from, uintptr_t count)
{
    for (uintptr_t i = from; i < from + count; i++)
        verd_queue_put(queue, (void *)(i + 1));
}

/* How many items are not the one that is expected. */
static size_t get(verd_queue *queue, uintptr_t from, uintptr_t count, bool backwards)
{
    size_t wrong = 0;
    for (uintptr_t i = 0; i < count; i++) {
        void *item = NULL;
        verd_queue_get(queue, &item);
        wrong += (uintptr_t)item != (backwards ? from + count - i : from + i + 1);
    }
    return wrong;
}

static void have_a_peak(enum verd__store_order order)
{
    verd_queue *queue = make(order);
    put(queue, 0, PEAK);
    size_t room = queue->store.room;
    size_t wrong = get(queue, 0, PEAK, order == VERD__LIFO);
    cr_assert(room >= PEAK && wrong == 0 && queue->store.room <= KEPT);
    verd_queue_free(queue);
}

Test(queue, a_queue_gives_the_room_of_a_peak_back)
{
    have_a_peak(VERD__FIFO);
}

Test(queue, a_lifo_queue_gives_the_room_of_a_peak_back)
{
    have_a_peak(VERD__LIFO);
}

Test(queue, a_priority_queue_gives_the_room_of_a_peak_back)
{
    have_a_peak(VERD__PRIORITY);
}

/* As many come as go, at each height, so that what is held lies across the end of the ring. */
Test(queue, a_queue_that_shrinks_loses_nothing_and_keeps_its_order)
{
    verd_queue *queue = make(VERD__FIFO);
    uintptr_t next = 0, first = 0;
    size_t wrong = 0;
    put(queue, next, PEAK);
    next += PEAK;
    while (verd_queue_length(queue) > 10) {
        wrong += get(queue, first, 7, false);
        first += 7;
        put(queue, next, 3);
        next += 3;
    }
    cr_assert(wrong == 0 && queue->store.room <= KEPT);
    verd_queue_free(queue);
}

#define ROOM 1024

/* With its first at each place of the ring in turn, so that what is left lies across the end at times. */
Test(queue, a_ring_that_shrinks_keeps_what_is_left_in_order_wherever_it_begins)
{
    for (uintptr_t begin = 0; begin < ROOM; begin += 31) {
        verd_queue *queue = verd_queue_new(ROOM);
        put(queue, 0, ROOM);
        for (uintptr_t i = 0; i < begin; i++) {
            get(queue, i, 1, false);
            put(queue, ROOM + i, 1);
        }
        size_t wrong = get(queue, begin, ROOM, false);
        cr_assert(wrong == 0 && queue->store.room < ROOM, "%zu", (size_t)begin);
        verd_queue_free(queue);
    }
}

Test(queue, a_queue_that_is_never_empty_gives_the_room_of_a_peak_back)
{
    verd_queue *queue = make(VERD__FIFO);
    put(queue, 0, PEAK);
    get(queue, 0, PEAK - 50, false);
    cr_assert(queue->store.room <= KEPT && verd_queue_length(queue) == 50);
    verd_queue_free(queue);
}

Test(queue, a_queue_of_few_items_keeps_its_room)
{
    verd_queue *queue = make(VERD__FIFO);
    put(queue, 0, 100);
    size_t room = queue->store.room;
    get(queue, 0, 100, false);
    cr_assert_eq(queue->store.room, room);
    verd_queue_free(queue);
}
