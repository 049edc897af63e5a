/* SPDX-License-Identifier: MIT */
/* Queues of each kind, and select. A queue that is full holds OLD; what is put or got is NEW. */
#include "table.h"

#define OLD ((void *)1)
#define NEW ((void *)5)

static verd_queue *queue, *other;
static void *taken;

static int in_order(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

/* ---- worlds ---- */

static void empty_fifo(void)
{
    queue = verd_queue_new(1);
}

static void empty_unbounded(void)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
}

static void empty_lifo(void)
{
    queue = verd_queue_new_lifo(1);
}

static void empty_priority(void)
{
    queue = verd_queue_new_priority(1, in_order);
}

static void rendezvous(void)
{
    queue = verd_queue_new(0);
}

static void full_fifo(void)
{
    empty_fifo();
    verd_queue_try_put(queue, OLD);
}

static void full_lifo(void)
{
    empty_lifo();
    verd_queue_try_put(queue, OLD);
}

static void full_priority(void)
{
    empty_priority();
    verd_queue_try_put(queue, OLD);
}

static void two_empty(void)
{
    empty_fifo();
    other = verd_queue_new(0);
}

static void two_full(void)
{
    full_fifo();
    other = verd_queue_new(1);
    verd_queue_try_put(other, OLD);
}

static void unfinished(void)
{
    full_fifo();
    verd_queue_try_get(queue, &taken);
}

/* ---- calls ---- */

static intptr_t get(void)
{
    void *item;
    return verd_queue_get(queue, &item) == 0 ? (intptr_t)item : -errno;
}

static intptr_t get_many(void)
{
    void *items[3];
    ssize_t got = verd_queue_get_many(queue, items, 3);
    return got == 1 ? (intptr_t)items[0] : result_of(got);
}

static intptr_t put(void)
{
    return result_of(verd_queue_put(queue, NEW));
}

static intptr_t join(void)
{
    return result_of(verd_queue_join(queue));
}

/* The index of the case, and an error in it. */
static intptr_t choose(verd_case cases[2])
{
    int index = verd_select(cases, 2);
    return index < 0 ? -errno : index + 10 * cases[index].error;
}

static intptr_t get_from_either(void)
{
    void *items[2] = {NULL, NULL};
    verd_case cases[2] = {VERD_GET(other, &items[0]), VERD_GET(queue, &items[1])};
    intptr_t index = choose(cases);
    must(index < 0 || index > 1 || items[index] == NEW, "the item of the case");
    return index;
}

static intptr_t put_to_either(void)
{
    verd_case cases[2] = {VERD_PUT(other, NEW), VERD_PUT(queue, NEW)};
    return choose(cases);
}

static intptr_t get_or_put(void)
{
    void *item;
    verd_case cases[2] = {VERD_GET(other, &item), VERD_PUT(queue, NEW)};
    return choose(cases);
}

/* ---- events ---- */

static void give(void)
{
    verd_queue_try_put(queue, NEW);
}

static void take(void)
{
    verd_queue_try_get(queue, &taken);
}

static void widen(void)
{
    verd_queue_resize(queue, 2);
}

static void shut(void)
{
    verd_queue_close(queue);
}

static void finish_task(void)
{
    verd_queue_task_done(queue);
}

static intptr_t free_queue(void)
{
    verd_queue_free(queue);
    return 0;
}

/* ---- accounts ---- */

static bool nobody_waits(const verd_queue *one)
{
    return verd_queue_getting(one) == 0 && verd_queue_putting(one) == 0;
}

static bool holds(verd_queue *one, const void *wanted)
{
    void *item = NULL;
    return verd_queue_try_get(one, &item) == 0 && item == wanted;
}

static bool is_empty(void)
{
    return verd_queue_length(queue) == 0 && nobody_waits(queue);
}

static bool is_full(void)
{
    return verd_queue_length(queue) == verd_queue_capacity(queue) && nobody_waits(queue);
}

static bool holds_new_alone(void)
{
    return verd_queue_length(queue) == 1 && nobody_waits(queue) && taken == OLD &&
           holds(queue, NEW);
}

static bool holds_both(void)
{
    return verd_queue_length(queue) == 2 && nobody_waits(queue) && holds(queue, OLD) &&
           holds(queue, NEW);
}

static bool has_handed_over(void)
{
    return is_empty() && taken == NEW;
}

static bool both_are_empty(void)
{
    return is_empty() && nobody_waits(other) && verd_queue_length(other) == 0;
}

static bool both_are_full(void)
{
    return is_full() && nobody_waits(other) && verd_queue_length(other) == 1;
}

static bool other_is_as_before(void)
{
    return holds_new_alone() && nobody_waits(other) && verd_queue_length(other) == 1 &&
           holds(other, OLD);
}

static bool other_is_empty(void)
{
    return holds_new_alone() && nobody_waits(other) && verd_queue_length(other) == 0;
}

static void full_beside_empty(void)
{
    full_fifo();
    other = verd_queue_new(1);
}

#define GET_BY(name, call_, what, world, traits_) \
    {.call = name,                                \
     .when = "an item of " what,                  \
     .setup = world,                              \
     .make = call_,                               \
     .right = (intptr_t)NEW,                      \
     .provoke = give,                             \
     .untouched = is_empty,                       \
     .whole = is_empty,                           \
     .discard = free_queue,                       \
     .discarded = -EPIPE,                         \
     .traits = BOUND | (traits_)}

#define GET(what, world, traits_) GET_BY("verd_queue_get", get, what, world, traits_)
#define GET_MANY(what, world, traits_) GET_BY("verd_queue_get_many", get_many, what, world, traits_)

#define PUT(what, world, event, account, traits_) \
    {.call = "verd_queue_put",                    \
     .when = what,                                \
     .setup = world,                              \
     .make = put,                                 \
     .provoke = event,                            \
     .untouched = is_full,                        \
     .whole = account,                            \
     .discard = free_queue,                       \
     .discarded = -EPIPE,                         \
     .traits = BOUND | (traits_)}

static const struct row rows[] = {
    GET("a queue", empty_fifo, 0),
    GET("a queue without bounds", empty_unbounded, 0),
    GET("a stack", empty_lifo, 0),
    GET("a queue by priority", empty_priority, 0),
    GET("a rendezvous", rendezvous, FLEETING),
    {.call = "verd_queue_get",
     .when = "a queue to be closed",
     .setup = empty_fifo,
     .make = get,
     .right = -EPIPE,
     .provoke = shut,
     .whole = is_empty,
     .traits = BOUND | SHARED,
     .discard = free_queue,
     .discarded = -EPIPE},
    GET_MANY("a queue", empty_fifo, 0),
    GET_MANY("a rendezvous", rendezvous, FLEETING),
    PUT("room in a queue", full_fifo, take, holds_new_alone, 0),
    PUT("room in a stack", full_lifo, take, holds_new_alone, 0),
    PUT("room in a queue by priority", full_priority, take, holds_new_alone, 0),
    PUT("the other side of a rendezvous", rendezvous, take, has_handed_over, FLEETING),
    PUT("a queue to be widened", full_fifo, widen, holds_both, 0),
    {.call = "verd_queue_put",
     .when = "a full queue to be closed",
     .setup = full_fifo,
     .make = put,
     .right = -EPIPE,
     .provoke = shut,
     .whole = is_full,
     .traits = BOUND | SHARED,
     .discard = free_queue,
     .discarded = -EPIPE},
    {.call = "verd_queue_join",
     .when = "a task to be done",
     .setup = unfinished,
     .make = join,
     .provoke = finish_task,
     .traits = BOUND | SHARED,
     .discard = free_queue,
     .discarded = -EPIPE},
    {.call = "verd_select",
     .when = "an item of either queue",
     .setup = two_empty,
     .make = get_from_either,
     .right = 1,
     .provoke = give,
     .untouched = both_are_empty,
     .whole = both_are_empty,
     .traits = BOUND,
     .discard = free_queue,
     .discarded = 1 + 10 * EPIPE},
    {.call = "verd_select",
     .when = "room in either queue",
     .setup = two_full,
     .make = put_to_either,
     .right = 1,
     .provoke = take,
     .untouched = both_are_full,
     .whole = other_is_as_before,
     .traits = BOUND,
     .discard = free_queue,
     .discarded = 1 + 10 * EPIPE},
    {.call = "verd_select",
     .when = "an item of one queue, or room in another",
     .setup = full_beside_empty,
     .make = get_or_put,
     .right = 1,
     .provoke = take,
     .whole = other_is_empty,
     .traits = BOUND,
     .discard = free_queue,
     .discarded = 1 + 10 * EPIPE},
    {.call = "verd_select",
     .when = "either queue to be closed",
     .setup = two_empty,
     .make = get_from_either,
     .right = 1 + 10 * EPIPE,
     .provoke = shut,
     .whole = both_are_empty,
     .traits = BOUND | SHARED,
     .discard = free_queue,
     .discarded = 1 + 10 * EPIPE},
};

const struct rows rows_of_queues = ROWS(rows);
