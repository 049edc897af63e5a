/* SPDX-License-Identifier: MIT */
/* Conditions. */
#include "check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t waits;
static int woken, tickets;

static void *wait_for_ticket(void *arg)
{
    pthread_mutex_lock(&mutex);
    sem_post(&waits);
    while (tickets == 0)
        pthread_cond_wait(&cond, &mutex);
    tickets--;
    woken++;
    pthread_mutex_unlock(&mutex);
    return arg;
}

/* Whoever has posted while it had the mutex, waits once that is ours. */
static void start_waiters(pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, wait_for_ticket, &cond);
    for (int i = 0; i < count; i++)
        check_wait(&waits);
}

static void give(int count)
{
    pthread_mutex_lock(&mutex);
    tickets += count;
    if (count == 1)
        IS(pthread_cond_signal(&cond), 0);
    else
        IS(pthread_cond_broadcast(&cond), 0);
    pthread_mutex_unlock(&mutex);
}

static void check_wakeups(void)
{
    pthread_t threads[8];
    IS(pthread_cond_signal(&cond), 0);
    IS(pthread_cond_broadcast(&cond), 0);
    start_waiters(threads, 8);
    pthread_mutex_lock(&mutex);
    IS(woken, 0);
    pthread_mutex_unlock(&mutex);
    give(1);
    give(1);
    give(6);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    IS(woken, 8);
    IS(tickets, 0);
}

/* ---- times ---- */

static void check_times(void)
{
    struct timespec soon = check_after(CLOCK_REALTIME, 10), now;
    pthread_mutex_lock(&mutex);
    errno = 3;
    IS(pthread_cond_timedwait(&cond, &mutex, &soon), ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &now);
    IS(now.tv_sec > soon.tv_sec || (now.tv_sec == soon.tv_sec && now.tv_nsec >= soon.tv_nsec),
       true);
    IS(pthread_cond_timedwait(&cond, &mutex, &soon), ETIMEDOUT);
    soon.tv_nsec = 1000000000;
    IS(pthread_cond_timedwait(&cond, &mutex, &soon), EINVAL);
    IS(errno, 3);
    IS(pthread_mutex_trylock(&mutex), EBUSY);
    pthread_mutex_unlock(&mutex);
}

static void check_clock(void)
{
    pthread_condattr_t attr;
    pthread_cond_t made;
    clockid_t clock = -1;
    IS(pthread_condattr_init(&attr), 0);
    IS(pthread_condattr_getclock(&attr, &clock), 0);
    IS(clock, CLOCK_REALTIME);
    IS(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
    IS(pthread_condattr_setclock(&attr, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
    IS(pthread_cond_init(&made, &attr), 0);
    struct timespec soon = check_after(CLOCK_MONOTONIC, 10);
    pthread_mutex_lock(&mutex);
    IS(pthread_cond_timedwait(&made, &mutex, &soon), ETIMEDOUT);
#ifdef __GLIBC__
    soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_cond_clockwait(&made, &mutex, CLOCK_REALTIME, &soon), ETIMEDOUT);
    soon = check_after(CLOCK_MONOTONIC, 10);
    IS(pthread_cond_clockwait(&made, &mutex, CLOCK_MONOTONIC, &soon), ETIMEDOUT);
    IS(pthread_cond_clockwait(&made, &mutex, 99, &soon), EINVAL);
#endif
    pthread_mutex_unlock(&mutex);
    IS(pthread_cond_destroy(&made), 0);
    IS(pthread_condattr_destroy(&attr), 0);
}

/* Others get the mutex even from one that waits for what is past. */
static bool has_set;

static void *set_it(void *arg)
{
    pthread_mutex_lock(&mutex);
    has_set = true;
    pthread_mutex_unlock(&mutex);
    return arg;
}

static void check_past(void)
{
    pthread_t thread;
    struct timespec past = {.tv_sec = 1};
    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, set_it, NULL);
    while (!has_set)
        pthread_cond_timedwait(&cond, &mutex, &past);
    IS(has_set, true);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

static void check_other_mutexes(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t made;
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&made, &attr);
    IS(pthread_cond_wait(&cond, &made), EPERM);
    IS(pthread_cond_timedwait(&cond, &made, &soon), EPERM);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&made, &attr);
    pthread_mutex_lock(&made);
    IS(pthread_cond_timedwait(&cond, &made, &soon), ETIMEDOUT);
    IS(pthread_mutex_unlock(&made), 0);
    IS(pthread_mutex_unlock(&made), EPERM);
}

/* ---- in use ---- */

#define ITEMS 1000

static int buffer[4], held, next_in, next_out;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;

static void *produce(void *arg)
{
    for (int i = 1; i <= ITEMS; i++) {
        pthread_mutex_lock(&mutex);
        while (held == 4)
            pthread_cond_wait(&not_full, &mutex);
        buffer[next_in++ % 4] = i;
        held++;
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void *consume(void *arg)
{
    long sum = 0;
    (void)arg;
    for (int i = 0; i < ITEMS; i++) {
        pthread_mutex_lock(&mutex);
        while (held == 0)
            pthread_cond_wait(&not_empty, &mutex);
        sum += buffer[next_out++ % 4];
        held--;
        pthread_cond_signal(&not_full);
        pthread_mutex_unlock(&mutex);
    }
    return (void *)sum;
}

static void check_buffer(void)
{
    pthread_t threads[6];
    long sum = 0;
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, i % 2 == 0 ? produce : consume, NULL);
    for (int i = 0; i < 6; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        sum += (long)(intptr_t)result;
    }
    IS(sum, 3L * ITEMS * (ITEMS + 1) / 2);
}

void check_conditions(void)
{
    sem_init(&waits, 0, 0);
    check_wakeups();
    check_times();
    check_clock();
    check_past();
    check_other_mutexes();
    check_buffer();
}
