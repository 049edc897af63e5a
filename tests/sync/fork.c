/* SPDX-License-Identifier: MIT */
/* In the child of a fork nobody is in line any more, and nothing goes to those who were. */
#include <criterion/criterion.h>

#include "caller.h"
#include "process.h"

static verd_rwlock rwlock;
static verd_mutex mutex;
static verd_semaphore semaphore;
static verd_queue *queue;
static verd_queue *other;

static int write_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_write_lock(&rwlock);
}

static int read_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_read_lock(&rwlock);
}

static bool rwlock_can_be_locked_to_write(void)
{
    return verd_rwlock_unlock(&rwlock) == 0 && verd_rwlock_try_write_lock(&rwlock) == 0;
}

Test(rwlock, a_reader_behind_a_writer_that_is_gone_too_is_not_let_in_in_the_child_of_a_fork)
{
    struct caller writer, reader;
    cr_assert_eq(verd_rwlock_read_lock(&rwlock), 0);
    caller_start(&writer, write_lock, NULL, NULL);
    caller_start(&reader, read_lock, NULL, NULL);
    cr_assert(process_child_finds(rwlock_can_be_locked_to_write));
}

static bool writer_that_gives_up_lets_the_reader_in(void)
{
    struct caller writer, reader;
    caller_start(&writer, write_lock, NULL, NULL);
    caller_start(&reader, read_lock, NULL, NULL);
    verd_kill(writer.thread);
    return caller_end(&writer) == -ECANCELED && caller_end(&reader) == 0;
}

Test(rwlock, a_writer_that_gives_up_lets_readers_in_as_before_in_the_child_of_a_fork)
{
    cr_assert_eq(verd_rwlock_read_lock(&rwlock), 0);
    cr_assert(process_child_finds(writer_that_gives_up_lets_the_reader_in));
}

static int lock(struct caller *self)
{
    (void)self;
    return verd_mutex_lock(&mutex);
}

static bool mutex_is_handed_to_nobody(void)
{
    return verd_mutex_unlock(&mutex) == 0 && verd_mutex_try_lock(&mutex) == 0;
}

Test(mutex, is_handed_to_nobody_who_is_gone_in_the_child_of_a_fork)
{
    struct caller waiter;
    cr_assert_eq(verd_mutex_lock(&mutex), 0);
    caller_start(&waiter, lock, NULL, NULL);
    cr_assert(process_child_finds(mutex_is_handed_to_nobody));
}

static int acquire(struct caller *self)
{
    (void)self;
    return verd_semaphore_acquire(&semaphore);
}

static bool semaphore_keeps_its_unit(void)
{
    return verd_semaphore_release(&semaphore) == 0 && verd_semaphore_units(&semaphore) == 1;
}

Test(semaphore, gives_no_unit_to_who_is_gone_in_the_child_of_a_fork)
{
    struct caller waiter;
    caller_start(&waiter, acquire, NULL, NULL);
    cr_assert(process_child_finds(semaphore_keeps_its_unit));
}

static int get(struct caller *self)
{
    return verd_queue_get(queue, &self->item);
}

static int select_either(struct caller *self)
{
    verd_case cases[] = {VERD_GET(queue, &self->item), VERD_PUT(other, NULL)};
    return verd_select(cases, 2);
}

static bool queues_have_nobody_in_line(void)
{
    void *item;
    return verd_queue_getting(queue) == 0 && verd_queue_putting(other) == 0 &&
           verd_queue_try_put(queue, NULL) == -1 && verd_queue_try_get(other, &item) == -1;
}

Test(queue, gives_no_item_to_who_is_gone_in_the_child_of_a_fork)
{
    struct caller getter, selector;
    queue = verd_queue_new(0);
    other = verd_queue_new(0);
    caller_start(&getter, get, NULL, NULL);
    caller_start(&selector, select_either, NULL, NULL);
    cr_assert_eq(verd_queue_getting(queue), 2);
    cr_assert_eq(verd_queue_putting(other), 1);
    cr_assert(process_child_finds(queues_have_nobody_in_line));
}
