/* SPDX-License-Identifier: MIT */
/* Mutexes, and spin locks. */
#include "check.h"

#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t locked, go;

static void *hold(void *arg)
{
    pthread_mutex_lock(arg);
    sem_post(&locked);
    check_wait(&go);
    pthread_mutex_unlock(arg);
    return NULL;
}

static void *lock_and_end(void *arg)
{
    return (void *)(intptr_t)pthread_mutex_lock(arg);
}

static void *try_and_unlock(void *arg)
{
    int error = pthread_mutex_trylock(arg);
    if (error == 0)
        pthread_mutex_unlock(arg);
    return (void *)(intptr_t)error;
}

static void *unlock(void *arg)
{
    return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

#define OTHERS(fn, of) ((intptr_t)check_in_thread((fn), (of)))

static void make(pthread_mutex_t *made, int type)
{
    pthread_mutexattr_t attr;
    int told = -1;
    pthread_mutexattr_init(&attr);
    IS(pthread_mutexattr_settype(&attr, type), 0);
    IS(pthread_mutexattr_gettype(&attr, &told) == 0 && told == type, true);
    IS(pthread_mutex_init(made, &attr), 0);
    pthread_mutexattr_destroy(&attr);
}

static void check_normal(void)
{
    pthread_mutex_t made;
    struct timespec soon;
    errno = 9;
    IS(pthread_mutex_lock(&mutex), 0);
    IS(pthread_mutex_trylock(&mutex), EBUSY);
    IS(OTHERS(try_and_unlock, &mutex), EBUSY);
    soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    soon.tv_nsec = 1000000000;
    IS(pthread_mutex_timedlock(&mutex, &soon), EINVAL);
    soon.tv_nsec = soon.tv_sec = 0;
    IS(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(errno, 9);
    IS(pthread_mutex_timedlock(&mutex, &soon), 0);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(OTHERS(try_and_unlock, &mutex), 0);
    make(&made, PTHREAD_MUTEX_NORMAL);
    IS(pthread_mutex_lock(&made), 0);
    IS(OTHERS(try_and_unlock, &made), EBUSY);
#ifdef __GLIBC__
    IS(pthread_mutex_destroy(&made), EBUSY);
    IS(OTHERS(unlock, &made), 0); /* as libc has it */
    IS(pthread_mutex_clocklock(&made, CLOCK_MONOTONIC, &soon), 0);
    soon = check_after(CLOCK_MONOTONIC, 10);
    IS(pthread_mutex_clocklock(&made, CLOCK_MONOTONIC, &soon), ETIMEDOUT);
    IS(pthread_mutex_clocklock(&made, 99, &soon), EINVAL);
#endif
    IS(pthread_mutex_unlock(&made), 0);
    IS(pthread_mutex_destroy(&made), 0);
}

static void check_recursive(pthread_mutex_t *made)
{
    IS(pthread_mutex_lock(made), 0);
    IS(pthread_mutex_lock(made), 0);
    IS(pthread_mutex_trylock(made), 0);
    IS(OTHERS(try_and_unlock, made), EBUSY);
    IS(OTHERS(unlock, made), EPERM);
    IS(pthread_mutex_unlock(made), 0);
    IS(pthread_mutex_unlock(made), 0);
    IS(OTHERS(try_and_unlock, made), EBUSY);
    IS(pthread_mutex_unlock(made), 0);
    IS(pthread_mutex_unlock(made), EPERM);
    IS(OTHERS(try_and_unlock, made), 0);
    IS(pthread_mutex_destroy(made), 0);
}

static void check_errorcheck(pthread_mutex_t *made)
{
    IS(pthread_mutex_unlock(made), EPERM);
    IS(pthread_mutex_lock(made), 0);
    IS(pthread_mutex_lock(made), EDEADLK);
    IS(pthread_mutex_trylock(made), EBUSY);
    IS(OTHERS(unlock, made), EPERM);
    IS(OTHERS(try_and_unlock, made), EBUSY);
    IS(pthread_mutex_unlock(made), 0);
    IS(OTHERS(try_and_unlock, made), 0);
    IS(pthread_mutex_destroy(made), 0);
}

static void check_kinds(void)
{
    pthread_mutex_t made;
    make(&made, PTHREAD_MUTEX_RECURSIVE);
    check_recursive(&made);
    make(&made, PTHREAD_MUTEX_ERRORCHECK);
    check_errorcheck(&made);
#ifdef __GLIBC__
    static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    static pthread_mutex_t errorcheck = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    check_recursive(&recursive);
    check_errorcheck(&errorcheck);
#endif
}

static void *hand_over(void *arg)
{
    pthread_mutex_lock(&mutex);
    ++*(int *)arg;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void check_waiters(void)
{
    pthread_t holder, waiters[5];
    int count = 0;
    struct timespec soon;
    pthread_create(&holder, NULL, hold, &mutex);
    check_wait(&locked);
    soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    for (int i = 0; i < 5; i++)
        pthread_create(&waiters[i], NULL, hand_over, &count);
    soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    IS(count, 0);
    sem_post(&go);
    for (int i = 0; i < 5; i++)
        pthread_join(waiters[i], NULL);
    pthread_join(holder, NULL);
    IS(count, 5);
    /* A thread that ends leaves it locked. */
    pthread_mutex_t left = PTHREAD_MUTEX_INITIALIZER;
    pthread_create(&holder, NULL, lock_and_end, &left);
    pthread_join(holder, NULL);
    IS(pthread_mutex_trylock(&left), EBUSY);
}

/* ---- in use ---- */

static long total;

static void *add(void *arg)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(arg);
        long seen = total;
        sched_yield();
        total = seen + 1;
        pthread_mutex_unlock(arg);
    }
    return NULL;
}

static pthread_spinlock_t spin;

static void *add_in_spin(void *arg)
{
    for (int i = 0; i < 100; i++) {
        pthread_spin_lock(&spin);
        long seen = total;
        sched_yield();
        total = seen + 1;
        pthread_spin_unlock(&spin);
    }
    return arg;
}

static long total_of(void *(*fn)(void *), int count)
{
    pthread_t threads[50];
    total = 0;
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, fn, &mutex);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return total;
}

static void *try_spin(void *arg)
{
    int error = pthread_spin_trylock(&spin);
    if (error == 0)
        pthread_spin_unlock(&spin);
    return arg == NULL ? (void *)(intptr_t)error : NULL;
}

static void check_spin(void)
{
    IS(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    IS(pthread_spin_lock(&spin), 0);
    IS(pthread_spin_trylock(&spin), EBUSY);
    IS(OTHERS(try_spin, NULL), EBUSY);
    IS(pthread_spin_unlock(&spin), 0);
    IS(OTHERS(try_spin, NULL), 0);
    IS(total_of(add_in_spin, 5), 500);
    IS(pthread_spin_destroy(&spin), 0);
}

void check_mutexes(void)
{
    sem_init(&locked, 0, 0);
    sem_init(&go, 0, 0);
    check_normal();
    check_kinds();
    check_waiters();
    IS(total_of(add, 50), 5000);
    check_spin();
}
