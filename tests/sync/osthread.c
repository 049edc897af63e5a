/* SPDX-License-Identifier: MIT */

/* What belongs to one OS thread, others may not use. A mutex that a condition has let go of belongs to the OS thread of who waits: another one gets EPERM, and
 * the wait returns with the mutex, where it began. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>

#include "caller.h"

static verd_mutex mutex;
static verd_cond cond;
static sem_t go_lock, has_locked, go_unlock;
static int locked; /* the other OS thread's outcome */

/* Locks, or tries to, and has its green threads run when it unlocks. */
static void *lock_elsewhere(void *arg)
{
    sem_wait(&go_lock);
    locked = caller_outcome(verd_mutex_try_lock(&mutex));
    sem_post(&has_locked);
    sem_wait(&go_unlock);
    if (locked == 0)
        verd_mutex_unlock(&mutex);
    callers_settle();
    return arg;
}

struct waiter {
    pthread_t before, after;
    int waited, unlocked;
    bool returned;
};

static void *wait_cond(void *arg)
{
    struct waiter *self = arg;
    self->before = pthread_self();
    verd_mutex_lock(&mutex);
    self->waited = caller_outcome(verd_cond_wait(&cond, &mutex));
    self->after = pthread_self();
    self->unlocked = caller_outcome(verd_mutex_unlock(&mutex));
    self->returned = true;
    return NULL;
}

static void wait_cond_n(void *arg)
{
    wait_cond(arg);
}

static void signal_cond(verd_thread *waiter)
{
    (void)waiter;
    verd_cond_signal(&cond);
}

static void kill_waiter(verd_thread *waiter)
{
    verd_kill(waiter);
}

/* One waits, another OS thread comes, and then the wait ends. */
static struct waiter wait_among_os_threads(void (*end)(verd_thread *waiter))
{
    struct waiter waiter = {0};
    pthread_t elsewhere;
    sem_init(&go_lock, 0, 0);
    sem_init(&has_locked, 0, 0);
    sem_init(&go_unlock, 0, 0);
    pthread_create(&elsewhere, NULL, lock_elsewhere, NULL);
    verd_thread *thread = verd_spawn(wait_cond, &waiter);
    callers_settle();
    sem_post(&go_lock);
    sem_wait(&has_locked);
    end(thread);
    callers_settle();
    sem_post(&go_unlock);
    pthread_join(elsewhere, NULL);
    verd_join(thread, NULL);
    return waiter;
}

static void expect_order(const struct waiter *waiter, int outcome)
{
    cr_expect(pthread_equal(waiter->before, waiter->after));
    cr_expect(waiter->returned);
    cr_expect_eq(locked, -EPERM);
    cr_expect_eq(waiter->waited, outcome);
    cr_expect_eq(waiter->unlocked, 0);
}

Test(cond, a_mutex_is_kept_from_other_os_threads_until_the_waiter_has_it)
{
    struct waiter waiter = wait_among_os_threads(signal_cond);
    expect_order(&waiter, 0);
}

Test(cond, a_mutex_is_kept_from_other_os_threads_until_the_killed_waiter_has_it)
{
    struct waiter waiter = wait_among_os_threads(kill_waiter);
    expect_order(&waiter, -ECANCELED);
}

static void *leave_waiting(void *arg)
{
    struct waiter *waiter = arg;
    verd_spawn(wait_cond, waiter);
    callers_settle();
    return arg;
}

static void *lock_and_unlock(void *outcome)
{
    *(int *)outcome = caller_outcome(verd_mutex_lock(&mutex));
    verd_mutex_unlock(&mutex);
    return outcome;
}

static void on_os_thread(void *(*fn)(void *), void *arg)
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, fn, arg);
    pthread_join(os_thread, NULL);
}

/* The OS thread ends where one waits, and the mutex is its next user's, for no longer than that has it. */
Test(cond, a_mutex_whose_waiter_has_ended_with_its_os_thread_is_free_for_all)
{
    struct waiter waiter = {0};
    int outcome = -1;
    on_os_thread(leave_waiting, &waiter);
    cr_assert_not(waiter.returned);
    cr_expect_eq(verd_mutex_lock(&mutex), 0);
    cr_expect_eq(verd_mutex_unlock(&mutex), 0);
    on_os_thread(lock_and_unlock, &outcome);
    cr_expect_eq(outcome, 0);
}

Test(cond, a_mutex_whose_waiter_has_had_it_is_free_for_all)
{
    struct waiter waiter = {0};
    int outcome = -1;
    verd_spawn_n(wait_cond_n, &waiter);
    callers_settle();
    verd_cond_signal(&cond);
    callers_settle();
    cr_assert(waiter.returned);
    on_os_thread(lock_and_unlock, &outcome);
    cr_expect_eq(outcome, 0);
}

static verd_event event;

static void wait_event(void *arg)
{
    verd_event_wait(arg, NULL);
}

static void *leave_waiting_for_event(void *arg)
{
    verd_spawn_n(wait_event, arg);
    callers_settle();
    return arg;
}

Test(event, whose_waiter_has_ended_with_its_os_thread_can_be_reset_and_used_again)
{
    void *value = NULL;
    on_os_thread(leave_waiting_for_event, &event);
    cr_expect_eq(verd_event_reset(&event), 0);
    cr_expect(verd_event_set(&event, &value) == 0 && verd_event_wait(&event, &value) == 0);
    cr_expect_eq(value, &value);
}

static verd_rwlock rwlock;
static verd_queue *queue;

static int read_lock(void)
{
    return verd_rwlock_read_lock(&rwlock);
}

static int try_read_lock(void)
{
    return verd_rwlock_try_read_lock(&rwlock);
}

static int write_lock(void)
{
    return verd_rwlock_write_lock(&rwlock);
}

static int try_write_lock(void)
{
    return verd_rwlock_try_write_lock(&rwlock);
}

static int unlock(void)
{
    return verd_rwlock_unlock(&rwlock);
}

static int lock_mutex(void)
{
    return verd_mutex_lock(&mutex);
}

static int try_lock_mutex(void)
{
    return verd_mutex_try_lock(&mutex);
}

static int unlock_mutex(void)
{
    return verd_mutex_unlock(&mutex);
}

static int select_put(void)
{
    verd_case cases[] = {VERD_PUT(queue, NULL), VERD_DEFAULT};
    return verd_select(cases, 2);
}

static int select_get(void)
{
    void *item;
    verd_case cases[] = {VERD_GET(queue, &item), VERD_DEFAULT};
    return verd_select(cases, 2);
}

static int resize(void)
{
    return verd_queue_resize(queue, 2);
}

static int close_queue(void)
{
    return verd_queue_close(queue);
}

static int task_done(void)
{
    return verd_queue_task_done(queue);
}

static int (*const calls[])(void) = {read_lock,  try_read_lock, write_lock,     try_write_lock,
                                     unlock,     lock_mutex,    try_lock_mutex, unlock_mutex,
                                     select_put, select_get,    resize,         close_queue,
                                     task_done};
#define CALLS (sizeof calls / sizeof *calls)

static void *make_calls(void *outcomes)
{
    for (size_t i = 0; i < CALLS; i++)
        ((int *)outcomes)[i] = caller_outcome(calls[i]());
    return outcomes;
}

/* Nobody waits for any of them. */
static void expect_eperm(void)
{
    int outcomes[CALLS] = {0};
    on_os_thread(make_calls, outcomes);
    for (size_t i = 0; i < CALLS; i++)
        cr_expect_eq(outcomes[i], -EPERM, "call %zu: %d", i, outcomes[i]);
}

Test(sync, what_one_os_thread_holds_or_has_made_is_EPERM_for_another)
{
    queue = verd_queue_new(1);
    verd_queue_put(queue, NULL);
    verd_mutex_lock(&mutex);
    verd_rwlock_read_lock(&rwlock);
    expect_eperm();
    verd_rwlock_unlock(&rwlock);
    verd_rwlock_write_lock(&rwlock);
    expect_eperm();
    cr_expect(verd_rwlock_unlock(&rwlock) == 0 && verd_mutex_unlock(&mutex) == 0);
    cr_expect_eq(verd_queue_length(queue), 1);
}
