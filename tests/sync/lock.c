/* SPDX-License-Identifier: MIT */
/* Semaphores, mutexes, conditions, read-write locks, groups. */
#include <criterion/criterion.h>

#include "caller.h"

static int acquire(struct caller *self)
{
    return verd_semaphore_acquire(self->object);
}

Test(semaphore, units_go_to_waiters_in_the_order_of_coming)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
    struct caller callers[3];
    for (int i = 0; i < 3; i++)
        caller_start(&callers[i], acquire, &semaphore, NULL);
    for (int i = 0; i < 3; i++)
        verd_semaphore_release(&semaphore);
    callers_settle();
    cr_assert(callers[0].turn == 1 && callers[1].turn == 2 && callers[2].turn == 3);
}

Test(semaphore, a_try_does_not_overtake_who_was_handed_the_unit)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
    struct caller caller;
    caller_start(&caller, acquire, &semaphore, NULL);
    verd_semaphore_release(&semaphore);
    cr_assert_eq(caller_outcome(verd_semaphore_try_acquire(&semaphore)), -EAGAIN);
    cr_assert_eq(caller_end(&caller), 0);
}

Test(semaphore, a_waiter_that_is_killed_leaves_the_unit_to_the_next)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
    struct caller first, second;
    caller_start(&first, acquire, &semaphore, NULL);
    caller_start(&second, acquire, &semaphore, NULL);
    verd_kill(first.thread);
    verd_semaphore_release(&semaphore);
    cr_assert(caller_end(&first) == -ECANCELED && caller_end(&second) == 0);
}

Test(semaphore, a_timeout_takes_no_unit)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
    int outcome = caller_within(VERD_MS, acquire, &semaphore, NULL);
    verd_semaphore_release(&semaphore);
    cr_assert(outcome == -ETIMEDOUT && verd_semaphore_try_acquire(&semaphore) == 0);
}

Test(semaphore, a_release_beyond_the_bound_is_EOVERFLOW)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_BOUNDED(1);
    cr_assert_eq(caller_outcome(verd_semaphore_release(&semaphore)), -EOVERFLOW);
    verd_semaphore_acquire(&semaphore);
    cr_assert_eq(verd_semaphore_release(&semaphore), 0);
}

Test(semaphore, a_release_beyond_the_largest_number_is_EOVERFLOW)
{
    verd_semaphore semaphore = VERD_SEMAPHORE_INIT(SIZE_MAX - 1);
    cr_assert_eq(verd_semaphore_release(&semaphore), 0);
    cr_assert_eq(caller_outcome(verd_semaphore_release(&semaphore)), -EOVERFLOW);
    cr_assert_eq(verd_semaphore_units(&semaphore), SIZE_MAX);
}

/* Each of some threads takes a unit, or the lock, and once it has given it back, again; how often
 * each had it. */
static verd_semaphore contended_units = VERD_SEMAPHORE_INIT(3);
static verd_mutex contended;
static long had[10];
static bool enough;

static void contend_for_units(void *arg)
{
    long *mine = arg;
    while (!enough) {
        verd_semaphore_acquire(&contended_units);
        enough = ++*mine == 1000;
        verd_yield();
        verd_semaphore_release(&contended_units);
    }
}

Test(semaphore, contenders_have_its_units_equally_often)
{
    for (int i = 0; i < 10; i++)
        verd_spawn_n(contend_for_units, &had[i]);
    while (!enough)
        verd_yield();
    for (int i = 0; i < 10; i++)
        cr_assert(had[i] >= 900, "%ld", had[i]);
}

static void contend(void *arg)
{
    long *mine = arg;
    while (!enough) {
        verd_mutex_lock(&contended);
        enough = ++*mine == 1000;
        verd_yield();
        verd_mutex_unlock(&contended);
    }
}

Test(mutex, contenders_have_it_equally_often)
{
    for (int i = 0; i < 4; i++)
        verd_spawn_n(contend, &had[i]);
    while (!enough)
        verd_yield();
    for (int i = 0; i < 4; i++)
        cr_assert(had[i] >= 900, "%ld", had[i]);
}

static int lock_mutex(struct caller *self)
{
    return verd_mutex_lock(self->object);
}

static int unlock_mutex(struct caller *self)
{
    return verd_mutex_unlock(self->object);
}

Test(mutex, to_lock_it_twice_is_EDEADLK)
{
    verd_mutex mutex = VERD_MUTEX_INIT;
    verd_mutex_lock(&mutex);
    cr_assert_eq(caller_outcome(verd_mutex_lock(&mutex)), -EDEADLK);
    cr_assert_eq(caller_outcome(verd_mutex_try_lock(&mutex)), -EDEADLK);
}

Test(mutex, an_unlock_by_a_stranger_is_EPERM)
{
    verd_mutex mutex = VERD_MUTEX_INIT;
    struct caller stranger;
    verd_mutex_lock(&mutex);
    caller_start(&stranger, unlock_mutex, &mutex, NULL);
    cr_assert_eq(caller_end(&stranger), -EPERM);
    cr_assert_eq(verd_mutex_unlock(&mutex), 0);
    cr_assert_eq(caller_outcome(verd_mutex_unlock(&mutex)), -EPERM);
}

Test(mutex, a_waiter_that_is_killed_leaves_the_lock_to_the_next)
{
    verd_mutex mutex = VERD_MUTEX_INIT;
    struct caller first, second;
    verd_mutex_lock(&mutex);
    caller_start(&first, lock_mutex, &mutex, NULL);
    caller_start(&second, lock_mutex, &mutex, NULL);
    verd_kill(first.thread);
    verd_mutex_unlock(&mutex);
    cr_assert(caller_end(&first) == -ECANCELED && caller_end(&second) == 0);
    cr_assert_eq(caller_outcome(verd_mutex_try_lock(&mutex)), -EAGAIN); /* the second has it */
}

static verd_mutex guard;

/* Waits with the mutex held, and unlocks it again: 0 says that it was held on return. */
static int wait_cond(struct caller *self)
{
    verd_mutex_lock(&guard);
    int outcome = caller_outcome(verd_cond_wait(self->object, &guard));
    if (verd_mutex_unlock(&guard) != 0)
        return -1;
    errno = -outcome;
    return outcome < 0 ? -1 : 0;
}

Test(cond, a_signal_wakes_the_first_and_a_broadcast_the_rest)
{
    verd_cond cond = VERD_COND_INIT;
    struct caller callers[3];
    for (int i = 0; i < 3; i++)
        caller_start(&callers[i], wait_cond, &cond, NULL);
    verd_cond_signal(&cond);
    callers_settle();
    cr_assert(callers[0].done && !callers[1].done && !callers[2].done);
    verd_cond_broadcast(&cond);
    callers_settle();
    cr_assert(callers[1].turn == 2 && callers[2].turn == 3);
}

Test(cond, a_killed_waiter_returns_with_the_mutex)
{
    verd_cond cond = VERD_COND_INIT;
    struct caller caller;
    caller_start(&caller, wait_cond, &cond, NULL);
    verd_mutex_lock(&guard); /* so that it has to wait for the mutex, too */
    verd_kill(caller.thread);
    callers_settle();
    cr_assert_not(caller.done);
    verd_mutex_unlock(&guard);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
}

/* What it does after the wait, which was killed. */
static int wait_cond_and_sleep(struct caller *self)
{
    int outcome = wait_cond(self);
    self->item = (void *)(intptr_t)caller_outcome(verd_sleep(VERD_MS));
    return outcome;
}

Test(cond, a_waiter_that_is_killed_again_while_it_waits_for_the_mutex_has_it_on_return)
{
    verd_cond cond = VERD_COND_INIT;
    struct caller caller;
    caller_start(&caller, wait_cond_and_sleep, &cond, NULL);
    verd_mutex_lock(&guard);
    verd_kill(caller.thread);
    callers_settle();
    verd_kill(caller.thread);
    callers_settle();
    cr_assert_not(caller.done);
    verd_mutex_unlock(&guard);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    cr_assert_eq((intptr_t)caller.item, -ECANCELED); /* no shield is left up */
}

Test(cond, to_wait_without_the_mutex_is_EPERM)
{
    verd_cond cond = VERD_COND_INIT;
    verd_mutex mutex = VERD_MUTEX_INIT;
    cr_assert_eq(caller_outcome(verd_cond_wait(&cond, &mutex)), -EPERM);
}

static int read_lock(struct caller *self)
{
    return verd_rwlock_read_lock(self->object);
}

static int write_lock(struct caller *self)
{
    return verd_rwlock_write_lock(self->object);
}

Test(rwlock, readers_share_and_a_writer_waits_for_them)
{
    verd_rwlock lock = VERD_RWLOCK_INIT;
    struct caller writer;
    cr_assert(verd_rwlock_read_lock(&lock) == 0 && verd_rwlock_read_lock(&lock) == 0);
    caller_start(&writer, write_lock, &lock, NULL);
    verd_rwlock_unlock(&lock);
    callers_settle();
    cr_assert_not(writer.done);
    verd_rwlock_unlock(&lock);
    cr_assert_eq(caller_end(&writer), 0);
}

Test(rwlock, a_reader_does_not_overtake_a_writer_that_waits)
{
    verd_rwlock lock = VERD_RWLOCK_INIT;
    struct caller writer;
    verd_rwlock_read_lock(&lock);
    caller_start(&writer, write_lock, &lock, NULL);
    cr_assert_eq(caller_outcome(verd_rwlock_try_read_lock(&lock)), -EAGAIN);
}

Test(rwlock, a_writer_that_gives_up_lets_the_readers_behind_it_in)
{
    verd_rwlock lock = VERD_RWLOCK_INIT;
    struct caller writer, reader;
    verd_rwlock_read_lock(&lock);
    caller_start(&writer, write_lock, &lock, NULL);
    caller_start(&reader, read_lock, &lock, NULL);
    verd_kill(writer.thread);
    cr_assert(caller_end(&writer) == -ECANCELED && caller_end(&reader) == 0);
}

Test(rwlock, readers_that_were_let_in_keep_a_writer_out_until_the_last_has_gone)
{
    verd_rwlock lock = VERD_RWLOCK_INIT;
    struct caller readers[2], writer;
    verd_rwlock_write_lock(&lock);
    for (int i = 0; i < 2; i++)
        caller_start(&readers[i], read_lock, &lock, NULL);
    caller_start(&writer, write_lock, &lock, NULL);
    verd_rwlock_unlock(&lock);
    cr_assert(caller_end(&readers[0]) == 0 && caller_end(&readers[1]) == 0);
    for (int i = 0; i < 2; i++) {
        callers_settle();
        cr_assert_not(writer.done);
        cr_assert_eq(verd_rwlock_unlock(&lock), 0);
    }
    cr_assert_eq(caller_end(&writer), 0);
    cr_assert_eq(caller_outcome(verd_rwlock_unlock(&lock)), -EPERM); /* it is the writer's */
}

Test(rwlock, misuse_is_told)
{
    verd_rwlock lock = VERD_RWLOCK_INIT;
    cr_assert_eq(caller_outcome(verd_rwlock_unlock(&lock)), -EPERM);
    verd_rwlock_write_lock(&lock);
    cr_assert_eq(caller_outcome(verd_rwlock_write_lock(&lock)), -EDEADLK);
    cr_assert_eq(caller_outcome(verd_rwlock_read_lock(&lock)), -EDEADLK);
}

static int wait_group(struct caller *self)
{
    return verd_group_wait(self->object);
}

Test(group, all_wait_until_the_count_is_zero)
{
    verd_group group = VERD_GROUP_INIT;
    struct caller first, second;
    verd_group_add(&group, 2);
    caller_start(&first, wait_group, &group, NULL);
    caller_start(&second, wait_group, &group, NULL);
    verd_group_done(&group);
    callers_settle();
    cr_assert(!first.done && !second.done);
    verd_group_done(&group);
    cr_assert(caller_end(&first) == 0 && caller_end(&second) == 0);
}

Test(group, one_done_too_many_is_EINVAL)
{
    verd_group group = VERD_GROUP_INIT;
    cr_assert_eq(caller_outcome(verd_group_done(&group)), -EINVAL);
    cr_assert_eq(verd_group_wait(&group), 0);
}

Test(group, a_count_that_overflows_stays)
{
    verd_group group = VERD_GROUP_INIT;
    verd_group_add(&group, 1);
    cr_assert_eq(caller_outcome(verd_group_add(&group, SIZE_MAX)), -EOVERFLOW);
    cr_assert(verd_group_done(&group) == 0 && verd_group_wait(&group) == 0);
}
