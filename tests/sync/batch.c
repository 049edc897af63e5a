/* SPDX-License-Identifier: MIT */

/* Queues: several items at once, and a look at the next one. */
#include <criterion/criterion.h>
#include <string.h>

#include "caller.h"

#define ROOM 4

static verd_queue *queue; /* not a local: what it holds is no leak */

static void *number(long n)
{
    return (void *)n;
}

static int compare(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

static void put_all(long first, long last)
{
    for (long i = first; i <= last; i++)
        cr_assert_eq(verd_queue_try_put(queue, number(i)), 0);
}

/* Up to ROOM items as a number with a digit for each, or -errno. */
static long take(size_t n)
{
    void *items[ROOM];
    long digits = 0;
    ssize_t got = verd_queue_get_many(queue, items, n);
    for (ssize_t i = 0; i < got; i++)
        digits = 10 * digits + (long)items[i];
    return got < 0 ? -errno : digits;
}

static int take_four(struct caller *self)
{
    long taken = take(4);
    self->item = number(taken);
    return taken < 0 ? -1 : 0;
}

static int put(struct caller *self)
{
    return verd_queue_put(queue, self->item);
}

static int get(struct caller *self)
{
    return verd_queue_get(queue, &self->item);
}

static long peek(void)
{
    void *item;
    return verd_queue_peek(queue, &item) == 0 ? (long)item : -errno;
}

Test(batch, what_is_there_is_taken_in_order_up_to_so_many)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    put_all(1, 6);
    cr_expect_eq(take(4), 1234);
    cr_expect_eq(take(4), 56);
    cr_expect_eq(verd_queue_length(queue), 0);
}

Test(batch, each_kind_of_queue_has_its_order)
{
    queue = verd_queue_new_lifo(9);
    put_all(1, 5);
    cr_expect_eq(peek(), 5);
    cr_expect_eq(take(4), 5432);
    verd_queue_free(queue);
    queue = verd_queue_new_priority(9, compare);
    put_all(3, 5);
    put_all(1, 2);
    cr_expect_eq(peek(), 1);
    cr_expect_eq(take(4), 1234);
}

Test(batch, who_waits_gets_the_first_and_what_came_behind_it)
{
    struct caller taker;
    queue = verd_queue_new(VERD_UNBOUNDED);
    caller_start(&taker, take_four, NULL, NULL);
    put_all(1, 6);
    cr_expect_eq(caller_end(&taker), 0);
    cr_expect_eq(taker.item, number(1234));
    cr_expect_eq(take(4), 56);
}

Test(batch, who_waits_takes_nothing_from_those_who_wait_behind)
{
    struct caller taker, getters[2];
    queue = verd_queue_new(VERD_UNBOUNDED);
    caller_start(&taker, take_four, NULL, NULL);
    for (int i = 0; i < 2; i++)
        caller_start(&getters[i], get, NULL, NULL);
    put_all(1, 3);
    cr_expect_eq(caller_end(&taker), 0);
    cr_expect_eq(taker.item, number(1));
    for (int i = 0; i < 2; i++)
        cr_expect(caller_end(&getters[i]) == 0 && getters[i].item == number(2 + i));
}

Test(batch, putters_that_wait_are_let_in)
{
    struct caller putters[3];
    queue = verd_queue_new(1);
    put_all(1, 1);
    for (long i = 0; i < 3; i++)
        caller_start(&putters[i], put, NULL, number(2 + i));
    cr_expect_eq(take(3), 123);
    cr_expect_eq(verd_queue_length(queue), 1);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(caller_end(&putters[i]), 0);
}

Test(batch, putters_of_a_rendezvous_meet_it_all_at_once)
{
    struct caller putters[3];
    queue = verd_queue_new(0);
    for (long i = 0; i < 3; i++)
        caller_start(&putters[i], put, NULL, number(1 + i));
    cr_expect_eq(peek(), 1);
    cr_expect_eq(take(4), 123);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(caller_end(&putters[i]), 0);
}

Test(batch, each_item_is_a_task_of_its_own)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    put_all(1, 2);
    take(4);
    cr_expect_eq(verd_queue_task_done(queue), 0);
    cr_expect_eq(verd_queue_task_done(queue), 0);
    cr_expect_eq(caller_outcome(verd_queue_task_done(queue)), -EINVAL);
}

Test(batch, a_closed_queue_is_drained_first)
{
    queue = verd_queue_new(VERD_UNBOUNDED);
    put_all(1, 3);
    verd_queue_close(queue);
    cr_expect_eq(take(2), 12);
    cr_expect_eq(peek(), 3);
    cr_expect_eq(take(2), 3);
    cr_expect_eq(take(2), -EPIPE);
    cr_expect_eq(peek(), -EPIPE);
}

Test(batch, who_is_killed_with_an_item_in_hand_keeps_it)
{
    struct caller taker;
    queue = verd_queue_new(VERD_UNBOUNDED);
    caller_start(&taker, take_four, NULL, NULL);
    put_all(1, 2);
    verd_kill(taker.thread);
    cr_expect_eq(caller_end(&taker), 0);
    cr_expect_eq(taker.item, number(12));
}

/* Between the event and its turn. */
Test(batch, a_queue_that_is_freed_leaves_what_was_handed_over)
{
    struct caller takers[2];
    queue = verd_queue_new(VERD_UNBOUNDED);
    for (int i = 0; i < 2; i++)
        caller_start(&takers[i], take_four, NULL, NULL);
    put_all(1, 1);
    verd_queue_free(queue);
    cr_expect(caller_end(&takers[0]) == 0 && takers[0].item == number(1));
    cr_expect_eq(caller_end(&takers[1]), -EPIPE);
}

Test(batch, a_look_leaves_the_item_where_it_is)
{
    queue = verd_queue_new(2);
    cr_expect_eq(peek(), -EAGAIN);
    put_all(7, 8);
    cr_expect_eq(peek(), 7);
    cr_expect_eq(peek(), 7);
    cr_expect_eq(verd_queue_length(queue), 2);
    cr_expect_eq(take(1), 7);
    cr_expect_eq(peek(), 8);
}
