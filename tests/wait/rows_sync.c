/* SPDX-License-Identifier: MIT */
/* Events, semaphores, mutexes, conditions, read-write locks, groups. The main thread holds what others
 * wait for. */
#include "caller.h"
#include "table.h"

static verd_event event = VERD_EVENT_INIT;
static verd_semaphore semaphore = VERD_SEMAPHORE_INIT(0);
static verd_mutex mutex = VERD_MUTEX_INIT;
static verd_cond cond = VERD_COND_INIT;
static verd_rwlock rwlock = VERD_RWLOCK_INIT;
static verd_group group = VERD_GROUP_INIT;

static void nothing(void)
{
}

/* ---- event ---- */

static intptr_t wait_for_event(void)
{
    void *value = NULL;
    return verd_event_wait(&event, &value) == 0 ? (intptr_t)value : -errno;
}

static void set_event(void)
{
    verd_event_set(&event, (void *)9);
}

static void fail_event(void)
{
    verd_event_fail(&event, EIO);
}

static bool nobody_waits_for_event(void)
{
    return verd_event_reset(&event) == 0;
}

/* ---- semaphore ---- */

static intptr_t acquire(void)
{
    return result_of(verd_semaphore_acquire(&semaphore));
}

static void release(void)
{
    verd_semaphore_release(&semaphore);
}

static bool has_no_unit(void)
{
    return verd_semaphore_try_acquire(&semaphore) != 0 && errno == EAGAIN;
}

/* ---- mutex and condition ---- */

static void lock_mutex(void)
{
    must(verd_mutex_lock(&mutex) == 0, "verd_mutex_lock");
}

static intptr_t lock_and_unlock(void)
{
    if (verd_mutex_lock(&mutex) != 0)
        return -errno;
    must(verd_mutex_unlock(&mutex) == 0, "verd_mutex_unlock");
    return 0;
}

static void unlock_mutex(void)
{
    must(verd_mutex_unlock(&mutex) == 0, "verd_mutex_unlock");
}

static bool mutex_is_free(void)
{
    return verd_mutex_try_lock(&mutex) == 0 && verd_mutex_unlock(&mutex) == 0;
}

/* Whatever the wait comes to, the mutex is the caller's before and after. */
static intptr_t wait_for_signal(void)
{
    must(verd_mutex_try_lock(&mutex) == 0, "verd_mutex_try_lock");
    intptr_t result = result_of(verd_cond_wait(&cond, &mutex));
    must(verd_mutex_unlock(&mutex) == 0, "verd_mutex_unlock");
    return result;
}

static void signal_cond(void)
{
    verd_cond_signal(&cond);
}

static void broadcast_cond(void)
{
    verd_cond_broadcast(&cond);
}

/* ---- read-write lock ---- */

static verd_thread *writer;

static void lock_to_write(void)
{
    must(verd_rwlock_write_lock(&rwlock) == 0, "verd_rwlock_write_lock");
}

static void lock_to_read(void)
{
    must(verd_rwlock_read_lock(&rwlock) == 0, "verd_rwlock_read_lock");
}

static void unlock_rwlock(void)
{
    must(verd_rwlock_unlock(&rwlock) == 0, "verd_rwlock_unlock");
}

static void *write_in_vain(void *arg)
{
    must(verd_rwlock_write_lock(&rwlock) != 0, "the main thread reads");
    return arg;
}

static void read_before_writer(void)
{
    lock_to_read();
    writer = verd_spawn(write_in_vain, NULL);
    callers_settle();
}

static void kill_writer(void)
{
    verd_kill(writer);
}

static intptr_t write_and_unlock(void)
{
    if (verd_rwlock_write_lock(&rwlock) != 0)
        return -errno;
    unlock_rwlock();
    return 0;
}

static intptr_t read_and_unlock(void)
{
    if (verd_rwlock_read_lock(&rwlock) != 0)
        return -errno;
    unlock_rwlock();
    return 0;
}

static bool rwlock_is_free(void)
{
    return verd_rwlock_try_write_lock(&rwlock) == 0 && verd_rwlock_unlock(&rwlock) == 0;
}

static bool rwlock_has_one_reader(void)
{
    unlock_rwlock();
    return rwlock_is_free();
}

/* ---- group ---- */

static void join_group(void)
{
    verd_group_add(&group, 1);
}

static intptr_t wait_for_group(void)
{
    return result_of(verd_group_wait(&group));
}

static void leave_group(void)
{
    verd_group_done(&group);
}

static const struct row rows[] = {
    {.call = "verd_event_wait",
     .when = "an event to be set",
     .setup = nothing,
     .make = wait_for_event,
     .right = 9,
     .provoke = set_event,
     .untouched = nobody_waits_for_event,
     .whole = nobody_waits_for_event,
     .traits = SHARED},
    {.call = "verd_event_wait",
     .when = "an event to fail",
     .setup = nothing,
     .make = wait_for_event,
     .right = -EIO,
     .provoke = fail_event,
     .untouched = nobody_waits_for_event,
     .whole = nobody_waits_for_event,
     .traits = SHARED},
    {.call = "verd_semaphore_acquire",
     .when = "a unit",
     .setup = nothing,
     .make = acquire,
     .provoke = release,
     .untouched = has_no_unit,
     .whole = has_no_unit},
    {.call = "verd_mutex_lock",
     .when = "the owner to unlock",
     .setup = lock_mutex,
     .make = lock_and_unlock,
     .provoke = unlock_mutex,
     .whole = mutex_is_free,
     .traits = BOUND},
    {.call = "verd_cond_wait",
     .when = "a signal",
     .setup = nothing,
     .make = wait_for_signal,
     .provoke = signal_cond,
     .untouched = mutex_is_free,
     .whole = mutex_is_free,
     .traits = FLEETING},
    {.call = "verd_cond_wait",
     .when = "a broadcast",
     .setup = nothing,
     .make = wait_for_signal,
     .provoke = broadcast_cond,
     .untouched = mutex_is_free,
     .whole = mutex_is_free,
     .traits = FLEETING | SHARED},
    {.call = "verd_rwlock_read_lock",
     .when = "a writer to unlock",
     .setup = lock_to_write,
     .make = read_and_unlock,
     .provoke = unlock_rwlock,
     .whole = rwlock_is_free,
     .traits = BOUND},
    {.call = "verd_rwlock_read_lock",
     .when = "a writer in line to give up",
     .setup = read_before_writer,
     .make = read_and_unlock,
     .provoke = kill_writer,
     .whole = rwlock_has_one_reader,
     .traits = ORPHANED | BOUND},
    {.call = "verd_rwlock_write_lock",
     .when = "a reader to unlock",
     .setup = lock_to_read,
     .make = write_and_unlock,
     .provoke = unlock_rwlock,
     .whole = rwlock_is_free,
     .traits = BOUND},
    {.call = "verd_rwlock_write_lock",
     .when = "a writer to unlock",
     .setup = lock_to_write,
     .make = write_and_unlock,
     .provoke = unlock_rwlock,
     .whole = rwlock_is_free,
     .traits = BOUND},
    {.call = "verd_group_wait",
     .when = "a group to be done",
     .setup = join_group,
     .make = wait_for_group,
     .provoke = leave_group,
     .traits = SHARED},
};

const struct rows rows_of_sync = ROWS(rows);
