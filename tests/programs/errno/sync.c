/* SPDX-License-Identifier: MIT */
/* <verd/sync.h>. An object is another OS thread's while somebody there waits for it or holds it. */
#include "table.h"

static verd_event event = VERD_EVENT_INIT;
static verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
static verd_semaphore bounded = VERD_SEMAPHORE_BOUNDED(1);
static verd_mutex mutex = VERD_MUTEX_INIT;
static verd_cond cond = VERD_COND_INIT;
static verd_rwlock lock = VERD_RWLOCK_INIT;
static verd_group group = VERD_GROUP_INIT;

/* Runs fn on a green thread until it waits. */
static void run_until_it_waits(void (*fn)(void *))
{
    must(verd_spawn_n(fn, NULL) == 0);
    verd_yield();
}

/* ---- event ---- */

static void wait_for_event(void *arg)
{
    verd_event_wait(&event, arg);
}

static void have_waiter_for_event(void)
{
    run_until_it_waits(wait_for_event);
}

static void set_event(void)
{
    must(verd_event_set(&event, NULL) == 0);
}

CALL(event_set, verd_event_set(&event, NULL))
CALL(event_set_none, verd_event_set(NULL, NULL))
CALL(event_fail, verd_event_fail(&event, EIO))
CALL(event_fail_as_nothing, verd_event_fail(&event, 0))
CALL(event_wait, verd_event_wait(&event, NULL))
CALL(event_wait_none, verd_event_wait(NULL, NULL))
CALL(event_reset, verd_event_reset(&event))
CALL(event_reset_none, verd_event_reset(NULL))

/* ---- semaphore ---- */

static void wait_for_unit(void *arg)
{
    (void)arg;
    verd_semaphore_acquire(&semaphore);
}

static void have_waiter_for_unit(void)
{
    run_until_it_waits(wait_for_unit);
}

CALL(acquire, verd_semaphore_acquire(&semaphore))
CALL(acquire_none, verd_semaphore_acquire(NULL))
CALL(try_acquire, verd_semaphore_try_acquire(&semaphore))
CALL(try_acquire_none, verd_semaphore_try_acquire(NULL))
CALL(release, verd_semaphore_release(&semaphore))
CALL(release_bounded, verd_semaphore_release(&bounded))
CALL(release_none, verd_semaphore_release(NULL))

/* ---- mutex and condition ---- */

static void hold_mutex(void)
{
    must(verd_mutex_lock(&mutex) == 0);
}

static void hold_mutex_for_ever(void *arg)
{
    (void)arg;
    hold_mutex();
    verd_park();
}

static void have_mutex_held(void)
{
    run_until_it_waits(hold_mutex_for_ever);
}

static void wait_for_signal(void *arg)
{
    (void)arg;
    hold_mutex();
    verd_cond_wait(&cond, &mutex);
}

static void have_waiter_for_signal(void)
{
    run_until_it_waits(wait_for_signal);
}

CALL(mutex_lock, verd_mutex_lock(&mutex))
CALL(mutex_lock_none, verd_mutex_lock(NULL))
CALL(mutex_try_lock, verd_mutex_try_lock(&mutex))
CALL(mutex_try_lock_none, verd_mutex_try_lock(NULL))
CALL(mutex_unlock, verd_mutex_unlock(&mutex))
CALL(mutex_unlock_none, verd_mutex_unlock(NULL))
CALL(cond_wait, verd_cond_wait(&cond, &mutex))
CALL(cond_wait_none, verd_cond_wait(NULL, &mutex))
CALL(cond_signal, verd_cond_signal(&cond))
CALL(cond_signal_none, verd_cond_signal(NULL))
CALL(cond_broadcast, verd_cond_broadcast(&cond))
CALL(cond_broadcast_none, verd_cond_broadcast(NULL))

/* ---- read-write lock ---- */

static void hold_lock(void)
{
    must(verd_rwlock_write_lock(&lock) == 0);
}

static void hold_lock_for_ever(void *arg)
{
    (void)arg;
    hold_lock();
    verd_park();
}

static void have_lock_held(void)
{
    run_until_it_waits(hold_lock_for_ever);
}

CALL(read_lock, verd_rwlock_read_lock(&lock))
CALL(read_lock_none, verd_rwlock_read_lock(NULL))
CALL(write_lock, verd_rwlock_write_lock(&lock))
CALL(write_lock_none, verd_rwlock_write_lock(NULL))
CALL(try_read_lock, verd_rwlock_try_read_lock(&lock))
CALL(try_read_lock_none, verd_rwlock_try_read_lock(NULL))
CALL(try_write_lock, verd_rwlock_try_write_lock(&lock))
CALL(try_write_lock_none, verd_rwlock_try_write_lock(NULL))
CALL(rwlock_unlock, verd_rwlock_unlock(&lock))
CALL(rwlock_unlock_none, verd_rwlock_unlock(NULL))

/* ---- group ---- */

static void add_one(void)
{
    must(verd_group_add(&group, 1) == 0);
}

static void wait_for_group(void *arg)
{
    (void)arg;
    verd_group_wait(&group);
}

static void have_waiter_for_group(void)
{
    add_one();
    run_until_it_waits(wait_for_group);
}

CALL(group_add_too_many, verd_group_add(&group, SIZE_MAX))
CALL(group_add_none, verd_group_add(NULL, 1))
CALL(group_done, verd_group_done(&group))
CALL(group_wait, verd_group_wait(&group))
CALL(group_wait_none, verd_group_wait(NULL))

const struct row sync_rows[] = {
    PLAINLY("verd_event_set", EALREADY, set_event, event_set),
    PLAINLY("verd_event_set", EINVAL, NULL, event_set_none),
    ELSEWHERE("verd_event_set", have_waiter_for_event, event_set),
    PLAINLY("verd_event_fail", EALREADY, set_event, event_fail),
    PLAINLY("verd_event_fail", EINVAL, NULL, event_fail_as_nothing),
    ELSEWHERE("verd_event_fail", have_waiter_for_event, event_fail),
    BLOCKS("verd_event_wait", NULL, event_wait),
    PLAINLY("verd_event_wait", EINVAL, NULL, event_wait_none),
    ELSEWHERE("verd_event_wait", have_waiter_for_event, event_wait),
    AT_FIRST("verd_event_wait", event_wait),
    PLAINLY("verd_event_reset", EBUSY, have_waiter_for_event, event_reset),
    PLAINLY("verd_event_reset", EINVAL, NULL, event_reset_none),

    BLOCKS("verd_semaphore_acquire", NULL, acquire),
    PLAINLY("verd_semaphore_acquire", EINVAL, NULL, acquire_none),
    ELSEWHERE("verd_semaphore_acquire", have_waiter_for_unit, acquire),
    AT_FIRST("verd_semaphore_acquire", acquire),
    PLAINLY("verd_semaphore_try_acquire", EAGAIN, NULL, try_acquire),
    PLAINLY("verd_semaphore_try_acquire", EINVAL, NULL, try_acquire_none),
    ELSEWHERE("verd_semaphore_try_acquire", have_waiter_for_unit, try_acquire),
    PLAINLY("verd_semaphore_release", EOVERFLOW, NULL, release_bounded),
    PLAINLY("verd_semaphore_release", EINVAL, NULL, release_none),
    ELSEWHERE("verd_semaphore_release", have_waiter_for_unit, release),

    BLOCKS("verd_mutex_lock", have_mutex_held, mutex_lock),
    PLAINLY("verd_mutex_lock", EDEADLK, hold_mutex, mutex_lock),
    PLAINLY("verd_mutex_lock", EINVAL, NULL, mutex_lock_none),
    ELSEWHERE("verd_mutex_lock", hold_mutex, mutex_lock),
    AT_FIRST("verd_mutex_lock", mutex_lock),
    PLAINLY("verd_mutex_try_lock", EAGAIN, have_mutex_held, mutex_try_lock),
    PLAINLY("verd_mutex_try_lock", EDEADLK, hold_mutex, mutex_try_lock),
    PLAINLY("verd_mutex_try_lock", EINVAL, NULL, mutex_try_lock_none),
    ELSEWHERE("verd_mutex_try_lock", hold_mutex, mutex_try_lock),
    AT_FIRST("verd_mutex_try_lock", mutex_try_lock),
    PLAINLY("verd_mutex_unlock", EPERM, NULL, mutex_unlock),
    PLAINLY("verd_mutex_unlock", EINVAL, NULL, mutex_unlock_none),
    BLOCKS("verd_cond_wait", hold_mutex, cond_wait),
    PLAINLY("verd_cond_wait", EPERM, NULL, cond_wait),
    PLAINLY("verd_cond_wait", EINVAL, hold_mutex, cond_wait_none),
    AT_FIRST("verd_cond_wait", cond_wait),
    PLAINLY("verd_cond_signal", EINVAL, NULL, cond_signal_none),
    ELSEWHERE("verd_cond_signal", have_waiter_for_signal, cond_signal),
    PLAINLY("verd_cond_broadcast", EINVAL, NULL, cond_broadcast_none),
    ELSEWHERE("verd_cond_broadcast", have_waiter_for_signal, cond_broadcast),

    BLOCKS("verd_rwlock_read_lock", have_lock_held, read_lock),
    PLAINLY("verd_rwlock_read_lock", EDEADLK, hold_lock, read_lock),
    PLAINLY("verd_rwlock_read_lock", EINVAL, NULL, read_lock_none),
    ELSEWHERE("verd_rwlock_read_lock", hold_lock, read_lock),
    AT_FIRST("verd_rwlock_read_lock", read_lock),
    BLOCKS("verd_rwlock_write_lock", have_lock_held, write_lock),
    PLAINLY("verd_rwlock_write_lock", EDEADLK, hold_lock, write_lock),
    PLAINLY("verd_rwlock_write_lock", EINVAL, NULL, write_lock_none),
    ELSEWHERE("verd_rwlock_write_lock", hold_lock, write_lock),
    AT_FIRST("verd_rwlock_write_lock", write_lock),
    PLAINLY("verd_rwlock_try_read_lock", EAGAIN, have_lock_held, try_read_lock),
    PLAINLY("verd_rwlock_try_read_lock", EDEADLK, hold_lock, try_read_lock),
    PLAINLY("verd_rwlock_try_read_lock", EINVAL, NULL, try_read_lock_none),
    ELSEWHERE("verd_rwlock_try_read_lock", hold_lock, try_read_lock),
    AT_FIRST("verd_rwlock_try_read_lock", try_read_lock),
    PLAINLY("verd_rwlock_try_write_lock", EAGAIN, have_lock_held, try_write_lock),
    PLAINLY("verd_rwlock_try_write_lock", EDEADLK, hold_lock, try_write_lock),
    PLAINLY("verd_rwlock_try_write_lock", EINVAL, NULL, try_write_lock_none),
    ELSEWHERE("verd_rwlock_try_write_lock", hold_lock, try_write_lock),
    AT_FIRST("verd_rwlock_try_write_lock", try_write_lock),
    PLAINLY("verd_rwlock_unlock", EPERM, NULL, rwlock_unlock),
    PLAINLY("verd_rwlock_unlock", EINVAL, NULL, rwlock_unlock_none),

    PLAINLY("verd_group_add", EOVERFLOW, add_one, group_add_too_many),
    PLAINLY("verd_group_add", EINVAL, NULL, group_add_none),
    PLAINLY("verd_group_done", EINVAL, NULL, group_done),
    ELSEWHERE("verd_group_done", have_waiter_for_group, group_done),
    BLOCKS("verd_group_wait", add_one, group_wait),
    PLAINLY("verd_group_wait", EINVAL, NULL, group_wait_none),
    ELSEWHERE("verd_group_wait", have_waiter_for_group, group_wait),
    AT_FIRST("verd_group_wait", group_wait),
    {0},
};
