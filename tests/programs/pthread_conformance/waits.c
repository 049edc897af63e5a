/* SPDX-License-Identifier: MIT */
/* Semaphores and barriers. */
#include "check.h"

#include <limits.h>

static sem_t semaphore;

static int value_of(sem_t *of)
{
    int value = -1;
    return sem_getvalue(of, &value) == 0 ? value : -1;
}

/* Whether the call has failed, with this errno. */
static int failure(int result)
{
    return result == 0 ? 0 : result == -1 ? errno : -1;
}

static void check_units(void)
{
    struct timespec soon;
    IS(sem_init(&semaphore, 0, 2), 0);
    IS(value_of(&semaphore), 2);
    IS(sem_wait(&semaphore), 0);
    IS(sem_trywait(&semaphore), 0);
    IS(failure(sem_trywait(&semaphore)), EAGAIN);
    IS(value_of(&semaphore), 0);
    soon = check_after(CLOCK_REALTIME, 10);
    IS(failure(sem_timedwait(&semaphore, &soon)), ETIMEDOUT);
    IS(failure(sem_timedwait(&semaphore, &soon)), ETIMEDOUT);
    soon.tv_nsec = 1000000000;
    IS(failure(sem_timedwait(&semaphore, &soon)), EINVAL);
    IS(sem_post(&semaphore), 0);
    soon = check_after(CLOCK_REALTIME, -10);
    IS(sem_timedwait(&semaphore, &soon), 0);
#ifdef __GLIBC__
    soon = check_after(CLOCK_MONOTONIC, 10);
    IS(failure(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &soon)), ETIMEDOUT);
    IS(failure(sem_clockwait(&semaphore, 99, &soon)), EINVAL);
#endif
    IS(sem_destroy(&semaphore), 0);
    IS(failure(sem_init(&semaphore, 0, (unsigned)INT_MAX + 1)), EINVAL);
    IS(sem_init(&semaphore, 0, INT_MAX), 0);
    IS(failure(sem_post(&semaphore)), EOVERFLOW);
    IS(value_of(&semaphore), INT_MAX);
}

static sem_t ping, pong;
static long volleys;

static void *return_pings(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        check_wait(&ping);
        volleys++;
        sem_post(&pong);
    }
    return arg;
}

static void check_volleys(void)
{
    pthread_t thread;
    sem_init(&ping, 0, 0);
    sem_init(&pong, 0, 0);
    pthread_create(&thread, NULL, return_pings, NULL);
    for (int i = 0; i < 1000; i++) {
        sem_post(&ping);
        check_wait(&pong);
    }
    IS(volleys, 1000);
    IS(pthread_join(thread, NULL), 0);
}

/* ---- barriers ---- */

#define SIDES 5
#define ROUNDS 20

static pthread_barrier_t barrier;
static int come, serials, wrong;

static void *come_again(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        __atomic_fetch_add(&come, 1, __ATOMIC_SEQ_CST);
        int result = pthread_barrier_wait(&barrier);
        if (__atomic_load_n(&come, __ATOMIC_SEQ_CST) < (i + 1) * SIDES)
            __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serials, 1, __ATOMIC_SEQ_CST);
        else if (result != 0)
            __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void check_barrier(void)
{
    pthread_t threads[SIDES];
    IS(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    IS(pthread_barrier_init(&barrier, NULL, 1), 0);
    IS(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
    IS(pthread_barrier_destroy(&barrier), 0);
    IS(pthread_barrier_init(&barrier, NULL, SIDES), 0);
    for (int i = 0; i < SIDES; i++)
        pthread_create(&threads[i], NULL, come_again, NULL);
    for (int i = 0; i < SIDES; i++)
        pthread_join(threads[i], NULL);
    IS(come, SIDES * ROUNDS);
    IS(serials, ROUNDS);
    IS(wrong, 0);
    IS(pthread_barrier_destroy(&barrier), 0);
}

void check_waits(void)
{
    check_units();
    check_volleys();
    check_barrier();
}
