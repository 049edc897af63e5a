/* SPDX-License-Identifier: MIT */
/* Cancellation, where both end: at waits for conditions, semaphores, threads, and at pthread_testcancel. */
#include "check.h"

static sem_t ready, never, go;
static pthread_mutex_t mutex;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static char order[64];

static void note(void *letter)
{
    strcat(order, letter);
}

/* Cancels a thread once it is ready; whether that was its result. */
static bool is_cancelled(void *(*fn)(void *))
{
    pthread_t thread;
    void *result = NULL;
    order[0] = '\0';
    if (pthread_create(&thread, NULL, fn, NULL) != 0)
        return false;
    check_wait(&ready);
    IS(pthread_cancel(thread), 0);
    IS(pthread_join(thread, &result), 0);
    return result == PTHREAD_CANCELED;
}

static void *wait_for_semaphore(void *arg)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    sem_post(&ready);
    sem_wait(&never);
    note("x");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void *wait_for_semaphore_long(void *arg)
{
    struct timespec late = check_after(CLOCK_REALTIME, 100000);
    sem_post(&ready);
    sem_timedwait(&never, &late);
    return arg;
}

static void unlock(void *arg)
{
    note(pthread_mutex_unlock(arg) == 0 ? "u" : "n");
}

static void *wait_for_condition(void *arg)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    sem_post(&ready);
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(0);
    return arg;
}

static void *wait_for_condition_long(void *arg)
{
    struct timespec late = check_after(CLOCK_REALTIME, 100000);
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    sem_post(&ready);
    for (;;)
        pthread_cond_timedwait(&cond, &mutex, &late);
    pthread_cleanup_pop(0);
    return arg;
}

static void *wait_until_told(void *arg)
{
    check_wait(&go);
    return arg;
}

static pthread_t awaited;

static void *wait_for_thread(void *arg)
{
    sem_post(&ready);
    pthread_join(awaited, NULL);
    return arg;
}

static void *test_again_and_again(void *arg)
{
    sem_post(&ready);
    while (arg == NULL) {
        pthread_testcancel();
        sched_yield();
    }
    return arg;
}

static void check_places(void)
{
    IS(is_cancelled(wait_for_semaphore), true);
    IS(strcmp(order, "ba"), 0);
    IS(is_cancelled(wait_for_semaphore_long), true);
    IS(is_cancelled(wait_for_condition), true);
    IS(strcmp(order, "u"), 0);
    IS(is_cancelled(wait_for_condition_long), true);
    IS(strcmp(order, "u"), 0);
    IS(is_cancelled(test_again_and_again), true);
    pthread_create(&awaited, NULL, wait_until_told, NULL);
    IS(is_cancelled(wait_for_thread), true);
    sem_post(&go);
    IS(pthread_join(awaited, NULL), 0);
}

/* ---- disabled ---- */

static void *disable(void *arg)
{
    int before = -1, error = pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    note(error == 0 && before == PTHREAD_CANCEL_ENABLE ? "e" : "x");
    sem_post(&ready);
    check_wait(&go); /* by now it is cancelled */
    pthread_testcancel();
    note("t");
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    note(before == PTHREAD_CANCEL_DISABLE ? "d" : "x");
    pthread_testcancel();
    note("x");
    return arg;
}

static void *never_enable(void *arg)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sem_post(&ready);
    check_wait(&go);
    return arg;
}

static void *cancel_oneself(void *arg)
{
    pthread_cancel(pthread_self());
    note("c"); /* it is deferred */
    pthread_testcancel();
    note("x");
    return arg;
}

static void *cancel_oneself_at_once(void *arg)
{
    int before = -1;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    note(before == PTHREAD_CANCEL_DEFERRED ? "d" : "x");
    pthread_cancel(pthread_self());
    note("x");
    return arg;
}

/* A lock is no place to be cancelled at. */
static void *lock_first(void *arg)
{
    sem_post(&ready);
    check_wait(&go);
    pthread_cancel(pthread_self());
    note(pthread_mutex_lock(&mutex) == 0 ? "l" : "x");
    note(pthread_mutex_unlock(&mutex) == 0 ? "u" : "x");
    pthread_testcancel();
    return arg;
}

static bool is_cancelled_before(void *(*fn)(void *))
{
    pthread_t thread;
    void *result = NULL;
    order[0] = '\0';
    pthread_create(&thread, NULL, fn, NULL);
    check_wait(&ready);
    IS(pthread_cancel(thread), 0);
    sem_post(&go);
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED;
}

static void check_states(void)
{
    int before = -1;
    IS(pthread_setcancelstate(77, &before), EINVAL);
    IS(pthread_setcanceltype(77, &before), EINVAL);
    IS(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before), 0);
    IS(before, PTHREAD_CANCEL_DEFERRED);
    IS(is_cancelled_before(disable), true);
    IS(strcmp(order, "etd"), 0);
    IS(is_cancelled_before(never_enable), false);
    order[0] = '\0';
    IS(check_in_thread(cancel_oneself, NULL) == PTHREAD_CANCELED, true);
    IS(strcmp(order, "c"), 0);
    order[0] = '\0';
    IS(check_in_thread(cancel_oneself_at_once, NULL) == PTHREAD_CANCELED, true);
    IS(strcmp(order, "d"), 0);
    order[0] = '\0';
    sem_post(&go);
    IS(check_in_thread(lock_first, NULL) == PTHREAD_CANCELED, true);
    check_wait(&ready);
    IS(strcmp(order, "lu"), 0);
}

void check_cancel(void)
{
    pthread_mutexattr_t attr;
    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    sem_init(&go, 0, 0);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attr);
    check_places();
    check_states();
}
