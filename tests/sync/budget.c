/* SPDX-License-Identifier: MIT */
/* Who is served at once, or refused, over and over, gives way in the end: calls on each object. */
#include <criterion/criterion.h>

#include "caller.h"
#include "sched/scheduler.h"

static verd_event set, failed;
static verd_semaphore semaphore;
static verd_mutex mutex;
static verd_cond cond;
static verd_rwlock lock, held;
static verd_group group;
static verd_queue *queue, *closed;

static void setup(void)
{
    semaphore = (verd_semaphore)VERD_SEMAPHORE_INIT(2 * VERD__BUDGET);
    verd_event_set(&set, NULL);
    verd_event_fail(&failed, EIO);
    verd_rwlock_write_lock(&held);
    queue = verd_queue_new(0);
    closed = verd_queue_new(0);
    verd_queue_close(closed);
}

static int wait_set(void)
{
    return verd_event_wait(&set, NULL);
}

static int wait_failed(void)
{
    return verd_event_wait(&failed, NULL);
}

static int wait_no_event(void)
{
    return verd_event_wait(NULL, NULL);
}

static int acquire(void)
{
    return verd_semaphore_acquire(&semaphore);
}

static int acquire_none(void)
{
    return verd_semaphore_acquire(NULL);
}

static int lock_mutex(void)
{
    int result = verd_mutex_lock(&mutex);
    verd_mutex_unlock(&mutex);
    return result;
}

static int lock_no_mutex(void)
{
    return verd_mutex_lock(NULL);
}

static int wait_cond_without_mutex(void)
{
    return verd_cond_wait(&cond, &mutex);
}

static int read_lock(void)
{
    return verd_rwlock_read_lock(&lock);
}

static int write_lock(void)
{
    verd_rwlock mine = VERD_RWLOCK_INIT;
    return verd_rwlock_write_lock(&mine);
}

static int write_lock_again(void)
{
    return verd_rwlock_write_lock(&held);
}

static int wait_group(void)
{
    return verd_group_wait(&group);
}

static int wait_no_group(void)
{
    return verd_group_wait(NULL);
}

static int join_queue(void)
{
    return verd_queue_join(queue);
}

static int join_no_queue(void)
{
    return verd_queue_join(NULL);
}

static int put_closed(void)
{
    return verd_queue_put(closed, NULL);
}

static int get_closed(void)
{
    void *item;
    return verd_queue_get(closed, &item);
}

static int put_nowhere(void)
{
    return verd_queue_put(NULL, NULL);
}

static int get_nowhere(void)
{
    return verd_queue_get(queue, NULL);
}

static int select_closed(void)
{
    void *item;
    verd_case one = VERD_GET(closed, &item);
    return verd_select(&one, 1);
}

static int select_default(void)
{
    void *item;
    verd_case cases[] = {VERD_DEFAULT, VERD_GET(queue, &item)};
    return verd_select(cases, 2);
}

static int select_nothing(void)
{
    return verd_select(NULL, 0);
}

static const struct {
    const char *name;
    int (*call)(void);
    int error; /* 0: it succeeds */
} calls[] = {
    {"an event that is set", wait_set, 0},
    {"an event that has failed", wait_failed, EIO},
    {"no event", wait_no_event, EINVAL},
    {"a semaphore with units", acquire, 0},
    {"no semaphore", acquire_none, EINVAL},
    {"a mutex that is free", lock_mutex, 0},
    {"no mutex", lock_no_mutex, EINVAL},
    {"a condition without its mutex", wait_cond_without_mutex, EPERM},
    {"a lock that others read", read_lock, 0},
    {"a lock that is free", write_lock, 0},
    {"a lock of one's own", write_lock_again, EDEADLK},
    {"a group that is done", wait_group, 0},
    {"no group", wait_no_group, EINVAL},
    {"a queue without work", join_queue, 0},
    {"the work of no queue", join_no_queue, EINVAL},
    {"a put into a closed queue", put_closed, EPIPE},
    {"a get from a closed queue", get_closed, EPIPE},
    {"a put into no queue", put_nowhere, EINVAL},
    {"a get to nowhere", get_nowhere, EINVAL},
    {"a select of a closed queue", select_closed, 0},
    {"a select's default", select_default, 0},
    {"a select of nothing", select_nothing, EINVAL},
};

static bool others_ran;

/* Its errno is the call's, although others have run. */
static void run_and_spoil_errno(void *arg)
{
    (void)arg;
    others_ran = true;
    errno = EDOM;
}

Test(budget, is_spent_by_each_call_that_need_not_wait)
{
    setup();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int wrong = 0;
        others_ran = false;
        verd_spawn_n(run_and_spoil_errno, NULL);
        for (int n = 0; n < VERD__BUDGET && !others_ran; n++) {
            int outcome = caller_outcome(calls[i].call());
            wrong += calls[i].error != 0 ? outcome != -calls[i].error : outcome < 0;
        }
        cr_expect(others_ran, "%s: nobody else has run", calls[i].name);
        cr_expect_eq(wrong, 0, "%s: another outcome", calls[i].name);
        callers_settle();
    }
}
