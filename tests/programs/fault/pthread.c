/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#define VERD_PTHREAD_DECLARE_ONLY
#include <verd/pthread.h>

static void *give_back(void *arg)
{
    return arg;
}

/* 0, or the number of the error. A thread there is no stack for is late, and not lost. */
static int create_with(const pthread_attr_t *attr)
{
    pthread_t thread;
    void *result = NULL;
    int item, error = verd_pthread_create(&thread, attr, give_back, &item);
    if (error != 0)
        return error;
    must(verd_pthread_join(thread, &result) == 0 && result == &item);
    return 0;
}

static int create_and_join(void)
{
    return create_with(NULL);
}

static int create_with_stack(void)
{
    pthread_attr_t attr;
    int error = verd_pthread_attr_init(&attr);
    if (error != 0)
        return error;
    must(pthread_attr_setstacksize(&attr, 1024 * 1024) == 0);
    use_all_blocks();
    return create_with(&attr);
}

static int lock_and_unlock(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    int error = verd_pthread_mutex_lock(&mutex);
    must(verd_pthread_mutex_unlock(&mutex) == (error == 0 ? 0 : EPERM));
    return error;
}

/* With so many timeout scopes open that there is no room for another. */
static int wait_in_many_scopes(void)
{
    verd_timeout limits[3];
    sem_t semaphore;
    struct timespec soon;
    must(verd_sem_init(&semaphore, 0, 0) == 0);
    for (int i = 0; i < 3; i++) {
        if (verd_timeout_begin(&limits[i], VERD_FOREVER) != 0)
            return errno;
    }
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec++;
    must(verd_sem_post(&semaphore) == 0 && verd_sem_timedwait(&semaphore, &soon) == 0);
    soon.tv_sec--;
    soon.tv_nsec = soon.tv_nsec < 999000000 ? soon.tv_nsec + 1000000 : 999999999;
    int error = error_of(verd_sem_timedwait(&semaphore, &soon));
    verd_timeout_end(&limits[0]);
    must(error != 0);
    return error == ETIMEDOUT ? 0 : error;
}

const struct scenario pthread_scenarios[] = {
    {"pthread_create", create_and_join, .errors = {EAGAIN}, .first = true},
    {"pthread_create with a stack", create_with_stack, .errors = {EAGAIN, ENOMEM}, .first = true},
    {"pthread_mutex_lock", lock_and_unlock, .errors = {ENOMEM}, .first = true},
    {"sem_timedwait", wait_in_many_scopes, .errors = {ENOMEM}, .first = true},
    {0},
};
