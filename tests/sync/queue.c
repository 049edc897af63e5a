/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "caller.h"
#include "sched/scheduler.h"

static verd_queue *queue, *full, *empty; /* not locals: what they hold is no leak */

static int put(struct caller *self)
{
    return verd_queue_put(self->object, self->item);
}

static int get(struct caller *self)
{
    return verd_queue_get(self->object, &self->item);
}

static int join(struct caller *self)
{
    return verd_queue_join(self->object);
}

/* Items are numbers. */
static void *number(long n)
{
    return (void *)n;
}

static long next(verd_queue *from)
{
    void *item = NULL;
    return verd_queue_try_get(from, &item) == 0 ? (long)item : -errno;
}

static int compare(const void *a, const void *b)
{
    return (int)((long)a / 10 - (long)b / 10); /* the last digit does not count */
}

Test(queue, items_come_out_in_the_order_of_coming)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    for (long round = 0; round < 3; round++) {
        for (long i = 0; i < 100; i++)
            verd_queue_put(queue, number(i));
        for (long i = 0; i < 100; i++)
            cr_assert_eq(next(queue), i);
    }
}

Test(queue, a_ring_that_has_wrapped_grows_in_order)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    long in = 0;
    for (; in < 6; in++)
        verd_queue_put(queue, number(in));
    for (long i = 0; i < 5; i++)
        next(queue);
    for (; in < 100; in++)
        verd_queue_put(queue, number(in));
    for (long i = 5; i < 100; i++)
        cr_assert_eq(next(queue), i);
}

Test(queue, of_kind_lifo_gives_the_last_first)
{
    queue = verd_queue_new_lifo(10);
    verd_queue_put(queue, number(1));
    verd_queue_put(queue, number(2));
    cr_assert(next(queue) == 2 && next(queue) == 1 && next(queue) == -EAGAIN);
}

Test(queue, of_kind_priority_gives_the_least_first_and_equal_ones_in_order)
{
    queue = verd_queue_new_priority(VERD_UNBOUNDED, compare);
    long last = -1;
    for (long i = 0; i < 1000; i++)
        verd_queue_put(queue, number(i * 7919 % 100 * 10 + i / 100));
    for (long i = 0; i < 1000; i++) {
        long item = next(queue);
        cr_assert_gt(item, last); /* by priority, and within it by the round in which it came */
        last = item;
    }
}

Test(queue, rendezvous_puts_and_gets_meet_one_by_one)
{
    queue = verd_queue_new(0);
    struct caller first, second;
    caller_start(&first, put, queue, number(1));
    caller_start(&second, put, queue, number(2));
    cr_assert(!first.done && verd_queue_length(queue) == 0);
    cr_assert_eq(next(queue), 1);
    callers_settle();
    cr_assert(first.done && !second.done);
    cr_assert_eq(next(queue), 2);
}

static char trace[32];

static void note(char who, long n)
{
    char *end = trace + strlen(trace);
    end[0] = who;
    end[1] = (char)('0' + n);
    end[2] = ' ';
}

static void get_four(void *arg)
{
    void *item;
    (void)arg;
    for (int i = 0; i < 4; i++) {
        verd_queue_get(queue, &item);
        note('g', (long)item);
    }
}

/* A getter that waits has its item before it runs; a putter goes on when its item is taken. */
Test(queue, rendezvous_putter_and_getter_take_turns)
{
    queue = verd_queue_new(0);
    verd_spawn_n(get_four, NULL);
    verd_yield();
    for (long i = 1; i <= 4; i++) {
        verd_queue_put(queue, number(i));
        note('p', i);
    }
    callers_settle();
    cr_assert_str_eq(trace, "p1 g1 g2 p2 p3 g3 g4 p4 ");
}

Test(queue, rendezvous_a_putter_that_times_out_leaves_no_item)
{
    queue = verd_queue_new(0);
    cr_assert_eq(caller_within(VERD_MS, put, queue, number(1)), -ETIMEDOUT);
    cr_assert_eq(next(queue), -EAGAIN);
}

Test(queue, a_getter_that_times_out_takes_no_item)
{
    queue = verd_queue_new(1);
    cr_assert_eq(caller_within(VERD_MS, get, queue, NULL), -ETIMEDOUT);
    verd_queue_put(queue, number(1));
    cr_assert_eq(next(queue), 1);
}

Test(queue, a_try_put_into_a_rendezvous_needs_a_getter)
{
    queue = verd_queue_new(0);
    struct caller getter;
    cr_assert_eq(caller_outcome(verd_queue_try_put(queue, number(1))), -EAGAIN);
    caller_start(&getter, get, queue, NULL);
    cr_assert_eq(verd_queue_try_put(queue, number(2)), 0);
    cr_assert(caller_end(&getter) == 0 && getter.item == number(2));
}

Test(queue, items_reach_the_live_getters_in_order_past_the_killed_ones)
{
    queue = verd_queue_new(0);
    struct caller getters[20];
    for (int i = 0; i < 20; i++)
        caller_start(&getters[i], get, queue, NULL);
    for (int i = 0; i < 20; i += 2)
        verd_kill(getters[i].thread);
    for (long i = 1; i < 20; i += 2)
        cr_assert_eq(verd_queue_try_put(queue, number(i)), 0);
    callers_settle();
    for (long i = 0; i < 20; i++)
        cr_assert(i % 2 ? getters[i].item == number(i) : getters[i].outcome == -ECANCELED);
}

Test(queue, a_full_one_blocks_putters_who_come_in_as_there_is_room)
{
    queue = verd_queue_new(1);
    struct caller putter;
    verd_queue_put(queue, number(1));
    caller_start(&putter, put, queue, number(2));
    cr_assert_not(putter.done);
    cr_assert(next(queue) == 1 && verd_queue_length(queue) == 1 && caller_end(&putter) == 0);
    cr_assert_eq(next(queue), 2);
}

Test(queue, more_capacity_lets_putters_in)
{
    queue = verd_queue_new(0);
    struct caller putter;
    caller_start(&putter, put, queue, number(1));
    verd_queue_resize(queue, 1);
    cr_assert(caller_end(&putter) == 0 && verd_queue_length(queue) == 1);
}

Test(queue, less_capacity_keeps_what_is_in)
{
    queue = verd_queue_new(3);
    struct caller putter;
    for (long i = 1; i <= 3; i++)
        verd_queue_put(queue, number(i));
    verd_queue_resize(queue, 1);
    caller_start(&putter, put, queue, number(4));
    cr_assert(next(queue) == 1 && next(queue) == 2 && !putter.done);
    cr_assert_eq(next(queue), 3);
    cr_assert(caller_end(&putter) == 0 && next(queue) == 4);
}

Test(queue, a_closed_one_is_drained_and_then_EPIPE)
{
    queue = verd_queue_new(2);
    verd_queue_put(queue, number(1));
    verd_queue_close(queue);
    cr_assert_eq(caller_outcome(verd_queue_put(queue, number(2))), -EPIPE);
    cr_assert(next(queue) == 1 && next(queue) == -EPIPE);
}

Test(queue, closing_ends_who_waits)
{
    full = verd_queue_new(0);
    empty = verd_queue_new(0);
    struct caller putter, getter;
    caller_start(&putter, put, full, number(1));
    caller_start(&getter, get, empty, NULL);
    verd_queue_close(full);
    verd_queue_close(empty);
    cr_assert(caller_end(&putter) == -EPIPE && caller_end(&getter) == -EPIPE);
}

Test(queue, join_waits_until_each_item_is_done)
{
    queue = verd_queue_new(2);
    struct caller joiner;
    verd_queue_put(queue, number(1));
    verd_queue_put(queue, number(2));
    caller_start(&joiner, join, queue, NULL);
    next(queue);
    next(queue);
    verd_queue_task_done(queue);
    callers_settle();
    cr_assert_not(joiner.done);
    verd_queue_task_done(queue);
    cr_assert_eq(caller_end(&joiner), 0);
    cr_assert_eq(caller_outcome(verd_queue_task_done(queue)), -EINVAL);
}

Test(queue, freeing_ends_who_waits)
{
    queue = verd_queue_new(0);
    struct caller getter;
    caller_start(&getter, get, queue, NULL);
    verd_queue_free(queue);
    queue = NULL;
    cr_assert_eq(caller_end(&getter), -EPIPE);
}

/* Gives way in its call, as it does once in a while; nobody settles before the queue is freed. */
static void *give_way_in_call(void *arg)
{
    struct caller *self = arg;
    verd__current->budget = 1;
    self->outcome = caller_outcome(self->call(self));
    self->done = true;
    return NULL;
}

/* What comes of a call on a queue of capacity 1, with `items` in it, that is freed meanwhile. */
static int outcome_if_freed(int (*call)(struct caller *), int items)
{
    queue = verd_queue_new(1);
    for (int i = 0; i < items; i++)
        verd_queue_put(queue, number(1));
    struct caller caller = {.call = call, .object = queue};
    caller.thread = verd_spawn(give_way_in_call, &caller);
    verd_yield();
    cr_assert_not(caller.done);
    verd_queue_free(queue);
    queue = NULL;
    return caller_end(&caller);
}

Test(queue, a_get_that_gives_way_does_not_come_back_to_a_queue_that_is_freed)
{
    cr_assert_eq(outcome_if_freed(get, 1), 0);
}

Test(queue, a_put_that_gives_way_does_not_come_back_to_a_queue_that_is_freed)
{
    cr_assert_eq(outcome_if_freed(put, 0), 0);
}

Test(queue, a_join_that_gives_way_does_not_come_back_to_a_queue_that_is_freed)
{
    cr_assert_eq(outcome_if_freed(join, 0), 0);
}

static int select_get(struct caller *self)
{
    verd_case one = VERD_GET(self->object, &self->item);
    return verd_select(&one, 1);
}

Test(queue, a_select_that_gives_way_does_not_come_back_to_a_queue_that_is_freed)
{
    cr_assert_eq(outcome_if_freed(select_get, 1), 0);
}

Test(queue, misuse_is_EINVAL)
{
    queue = verd_queue_new(0);
    cr_assert_eq(caller_outcome(verd_queue_get(queue, NULL)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_queue_put(NULL, NULL)), -EINVAL);
    cr_assert(verd_queue_new_priority(1, NULL) == NULL && errno == EINVAL);
}
