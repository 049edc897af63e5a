/* SPDX-License-Identifier: MIT */

/* What can be asked about an object without waiting for it. */
#include <criterion/criterion.h>

#include "caller.h"

static verd_queue *queue; /* not a local: what it holds is no leak */

static int put(struct caller *self)
{
    return verd_queue_put(self->object, self->item);
}

static int get(struct caller *self)
{
    return verd_queue_get(self->object, &self->item);
}

static void *sleep_for_ever(void *arg)
{
    verd_sleep(VERD_FOREVER);
    return arg;
}

Test(queue, tells_how_many_wait_for_an_item)
{
    struct caller getters[3];
    queue = verd_queue_new(1);
    for (int i = 0; i < 3; i++)
        caller_start(&getters[i], get, queue, NULL);
    cr_assert_eq(verd_queue_getting(queue), 3);
    cr_assert_eq(verd_queue_putting(queue), 0);
    verd_kill(getters[0].thread);
    callers_settle();
    cr_assert_eq(verd_queue_getting(queue), 2);
}

Test(queue, tells_how_many_wait_for_room)
{
    struct caller putters[2];
    queue = verd_queue_new(0);
    for (int i = 0; i < 2; i++)
        caller_start(&putters[i], put, queue, NULL);
    cr_assert_eq(verd_queue_putting(queue), 2);
    cr_assert_eq(verd_queue_getting(queue), 0);
}

Test(queue, tells_its_capacity)
{
    queue = verd_queue_new(7);
    cr_assert_eq(verd_queue_capacity(queue), 7);
    verd_queue_resize(queue, 9);
    cr_assert_eq(verd_queue_capacity(queue), 9);
}

Test(semaphore, tells_its_units)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(2);
    verd_semaphore_acquire(&semaphore);
    cr_assert_eq(verd_semaphore_units(&semaphore), 1);
    verd_semaphore_release(&semaphore);
    cr_assert_eq(verd_semaphore_units(&semaphore), 2);
}

Test(sched, a_thread_has_not_ended_before_its_function_returned)
{
    verd_thread *thread = verd_spawn(sleep_for_ever, NULL);
    cr_assert_not(verd_ended(thread));
    verd_yield();
    cr_assert_not(verd_ended(thread));
    verd_kill(thread);
    cr_assert_not(verd_ended(thread));
    verd_wait(thread, NULL);
    cr_assert(verd_ended(thread));
    verd_release(thread);
}

Test(sched, a_thread_that_was_cancelled_has_ended)
{
    verd_thread *thread = verd_spawn(sleep_for_ever, NULL);
    verd_cancel(thread);
    cr_assert(verd_ended(thread));
    verd_release(thread);
}
