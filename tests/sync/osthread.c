/* SPDX-License-Identifier: MIT */

/* A mutex that a condition has let go of belongs to the OS thread of who waits: another one gets EPERM, and
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
