/* SPDX-License-Identifier: MIT */
/* Events, semaphores, groups and locks, whose OS thread has ended. */
#include "caller.h"
#include "gone.h"

static verd_event event;
static verd_semaphore semaphore;
static verd_mutex mutex;
static verd_cond cond;
static verd_rwlock lock;
static verd_group group;
static struct caller waiter;

/* ---- on the OS thread that ends ---- */

static int wait_event(struct caller *self)
{
    return verd_event_wait(&event, &self->item);
}

static void leave_in_event(void)
{
    caller_start(&waiter, wait_event, NULL, NULL);
}

static int acquire(struct caller *self)
{
    (void)self;
    return verd_semaphore_acquire(&semaphore);
}

static void leave_in_semaphore(void)
{
    caller_start(&waiter, acquire, NULL, NULL);
}

static int wait_group(struct caller *self)
{
    (void)self;
    return verd_group_wait(&group);
}

static void leave_in_group(void)
{
    verd_group_add(&group, 1);
    caller_start(&waiter, wait_group, NULL, NULL);
}

static int wait_cond(struct caller *self)
{
    (void)self;
    verd_mutex_lock(&mutex);
    return verd_cond_wait(&cond, &mutex);
}

static void leave_in_condition(void)
{
    caller_start(&waiter, wait_cond, NULL, NULL);
}

static int lock_mutex(struct caller *self)
{
    (void)self;
    return verd_mutex_lock(&mutex);
}

/* Main has it, a thread waits for it. */
static void leave_locked(void)
{
    verd_mutex_lock(&mutex);
    caller_start(&waiter, lock_mutex, NULL, NULL);
}

static int read_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_read_lock(&lock);
}

static void leave_write_locked(void)
{
    verd_rwlock_write_lock(&lock);
    caller_start(&waiter, read_lock, NULL, NULL);
}

static int write_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_write_lock(&lock);
}

static void leave_read_locked(void)
{
    verd_rwlock_read_lock(&lock);
    caller_start(&waiter, write_lock, NULL, NULL);
}

/* ---- on one that comes later ---- */

/* Nobody waits for these any more, so they are free for the next. */
static int set_and_reset(void)
{
    return verd_event_set(&event, NULL) == 0 ? verd_event_reset(&event) : -1;
}

static int release_and_acquire(void)
{
    return verd_semaphore_release(&semaphore) == 0 ? verd_semaphore_try_acquire(&semaphore) : -1;
}

static int done_and_add(void)
{
    return verd_group_done(&group) == 0 ? verd_group_add(&group, 1) : -1;
}

static int signal_and_broadcast(void)
{
    return verd_cond_signal(&cond) == 0 ? verd_cond_broadcast(&cond) : -1;
}

static int use_lock(void)
{
    return verd_mutex_lock(&mutex);
}

static int use_unlock(void)
{
    return verd_mutex_unlock(&mutex);
}

static int use_read_lock(void)
{
    return verd_rwlock_read_lock(&lock);
}

static int use_write_lock(void)
{
    return verd_rwlock_write_lock(&lock);
}

static int use_rwlock_unlock(void)
{
    return verd_rwlock_unlock(&lock);
}

const struct leaving left_to_sync[] = {
    {"event", leave_in_event, set_and_reset, 0},
    {"semaphore", leave_in_semaphore, release_and_acquire, 0},
    {"group", leave_in_group, done_and_add, 0},
    {"condition", leave_in_condition, signal_and_broadcast, 0},
    {"mutex_lock", leave_locked, use_lock, -EPERM},
    {"mutex_unlock", leave_locked, use_unlock, -EPERM},
    {"read_lock", leave_write_locked, use_read_lock, -EPERM},
    {"write_lock", leave_read_locked, use_write_lock, -EPERM},
    {"rwlock_unlock, written", leave_write_locked, use_rwlock_unlock, -EPERM},
    {"rwlock_unlock, read", leave_read_locked, use_rwlock_unlock, -EPERM},
};

const size_t left_to_sync_count = sizeof left_to_sync / sizeof *left_to_sync;
