/* SPDX-License-Identifier: MIT */
/* What queues, and those who wait for several, allocate, they free. */
#include <criterion/criterion.h>

#include "caller.h"
#include "leak.h"

static int compare(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

/* With items in it, after a peak. */
static void use_and_free(verd_queue *queue)
{
    void *item;
    for (int i = 0; i < 2000; i++)
        verd_queue_try_put(queue, &item);
    for (int i = 0; i < 1990; i++)
        verd_queue_try_get(queue, &item);
    verd_queue_free(queue);
}

static void use_each_kind(void)
{
    use_and_free(verd_queue_new(2000));
    use_and_free(verd_queue_new_lifo(2000));
    use_and_free(verd_queue_new_priority(2000, compare));
}

Test(queue, freed_with_items_in_it_leaves_nothing)
{
    leak_expect_none(use_each_kind);
}

static verd_queue *queue;

static int get_one_of_many(struct caller *self)
{
    verd_case cases[40];
    for (int i = 0; i < 40; i++)
        cases[i] = (verd_case)VERD_GET(queue, &self->item);
    return verd_select(cases, 40);
}

/* It is served, is killed, or its queue is freed. */
static void wait_for_many(void)
{
    struct caller served, killed, left;
    queue = verd_queue_new(0);
    caller_start(&served, get_one_of_many, NULL, NULL);
    verd_queue_put(queue, NULL);
    caller_end(&served);
    caller_start(&killed, get_one_of_many, NULL, NULL);
    verd_kill(killed.thread);
    caller_end(&killed);
    caller_start(&left, get_one_of_many, NULL, NULL);
    verd_queue_free(queue);
    caller_end(&left);
}

Test(select, of_many_queues_leaves_nothing)
{
    leak_expect_none(wait_for_many);
}
