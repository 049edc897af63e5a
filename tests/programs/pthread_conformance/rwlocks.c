/* SPDX-License-Identifier: MIT */
/* Read-write locks. */
#include "check.h"

#include <sched.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *try_to_read(void *arg)
{
    int error = pthread_rwlock_tryrdlock(arg);
    if (error == 0)
        pthread_rwlock_unlock(arg);
    return (void *)(intptr_t)error;
}

static void *try_to_write(void *arg)
{
    int error = pthread_rwlock_trywrlock(arg);
    if (error == 0)
        pthread_rwlock_unlock(arg);
    return (void *)(intptr_t)error;
}

#define OTHERS(fn) ((intptr_t)check_in_thread((fn), &lock))

static void check_holding(void)
{
    IS(pthread_rwlock_rdlock(&lock), 0);
    IS(pthread_rwlock_rdlock(&lock), 0);
    IS(OTHERS(try_to_read), 0);
    IS(OTHERS(try_to_write), EBUSY);
    IS(pthread_rwlock_trywrlock(&lock), EBUSY);
    IS(pthread_rwlock_unlock(&lock), 0);
    IS(OTHERS(try_to_write), EBUSY);
    IS(pthread_rwlock_unlock(&lock), 0);
    IS(OTHERS(try_to_write), 0);
    IS(pthread_rwlock_wrlock(&lock), 0);
    IS(OTHERS(try_to_read), EBUSY);
    IS(OTHERS(try_to_write), EBUSY);
    IS(pthread_rwlock_tryrdlock(&lock), EBUSY);
    IS(pthread_rwlock_trywrlock(&lock), EBUSY);
#ifdef __GLIBC__
    IS(pthread_rwlock_rdlock(&lock), EDEADLK);
    IS(pthread_rwlock_wrlock(&lock), EDEADLK);
#endif
    IS(pthread_rwlock_unlock(&lock), 0);
    IS(OTHERS(try_to_read), 0);
}

/* ---- with others ---- */

static sem_t reads, go;
static bool written;

static void *read_twice(void *arg)
{
    pthread_rwlock_rdlock(&lock);
    sem_post(&reads);
    check_wait(&go);
    pthread_rwlock_rdlock(&lock); /* a writer waits */
    bool seen = written;
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock);
    return seen ? NULL : arg;
}

static void *write_once(void *arg)
{
    sem_post(&reads);
    pthread_rwlock_wrlock(&lock);
    written = true;
    pthread_rwlock_unlock(&lock);
    return arg;
}

static void check_times(void)
{
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_rwlock_timedwrlock(&lock, &soon), ETIMEDOUT);
    soon.tv_nsec = -1;
    IS(pthread_rwlock_timedwrlock(&lock, &soon), EINVAL);
    soon = check_after(CLOCK_REALTIME, -10);
    IS(pthread_rwlock_timedwrlock(&lock, &soon), ETIMEDOUT);
    IS(pthread_rwlock_timedrdlock(&lock, &soon), 0);
    IS(pthread_rwlock_unlock(&lock), 0);
#ifdef __GLIBC__
    soon = check_after(CLOCK_MONOTONIC, 10);
    IS(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &soon), ETIMEDOUT);
    IS(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &soon), 0);
    IS(pthread_rwlock_unlock(&lock), 0);
#endif
}

static void check_a_reader_again(void)
{
    pthread_t reader, writer;
    void *result = NULL;
    pthread_create(&reader, NULL, read_twice, &lock);
    check_wait(&reads);
    check_times();
    pthread_create(&writer, NULL, write_once, &lock);
    check_wait(&reads);
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    IS(pthread_rwlock_timedwrlock(&lock, &soon), ETIMEDOUT);
    sem_post(&go);
    IS(pthread_join(reader, &result), 0);
    IS(result == &lock, true);
    IS(pthread_join(writer, NULL), 0);
    IS(written, true);
}

static long pair[2], odd;

static void *write_pair(void *arg)
{
    for (int i = 0; i < 100; i++) {
        pthread_rwlock_wrlock(&lock);
        pair[0]++;
        sched_yield();
        pair[1]++;
        pthread_rwlock_unlock(&lock);
    }
    return arg;
}

static void *read_pair(void *arg)
{
    for (int i = 0; i < 100; i++) {
        pthread_rwlock_rdlock(&lock);
        long first = pair[0];
        sched_yield();
        if (first != pair[1])
            __atomic_fetch_add(&odd, 1, __ATOMIC_RELAXED);
        pthread_rwlock_unlock(&lock);
    }
    return arg;
}

void check_rwlocks(void)
{
    pthread_rwlock_t made;
    pthread_t threads[10];
    sem_init(&reads, 0, 0);
    sem_init(&go, 0, 0);
    check_holding();
    check_a_reader_again();
    for (int i = 0; i < 10; i++)
        pthread_create(&threads[i], NULL, i % 2 == 0 ? write_pair : read_pair, NULL);
    for (int i = 0; i < 10; i++)
        pthread_join(threads[i], NULL);
    IS(pair[0], 500);
    IS(pair[1], 500);
    IS(odd, 0);
    IS(pthread_rwlock_init(&made, NULL), 0);
    IS(pthread_rwlock_wrlock(&made), 0);
    IS(pthread_rwlock_unlock(&made), 0);
    IS(pthread_rwlock_destroy(&made), 0);
}
