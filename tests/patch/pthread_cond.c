/* SPDX-License-Identifier: MIT */
/* Conditions, semaphores and barriers of POSIX between green threads. */
#include "threads.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;

static void *wait_for_signal(void *arg)
{
    verd_pthread_mutex_lock(&mutex);
    intptr_t error = verd_pthread_cond_wait(&cond, &mutex);
    note(arg);
    verd_pthread_mutex_unlock(&mutex);
    return (void *)error;
}

Test(pthread, signals_go_to_who_waits_in_the_order_of_coming)
{
    pthread_t first = start(wait_for_signal, "a"), second = start(wait_for_signal, "b");
    verd_pthread_cond_signal(&cond);
    result_of(first);
    cr_assert_str_eq(order, "a");
    verd_pthread_cond_broadcast(&cond);
    result_of(second);
    cr_assert_str_eq(order, "ab");
}

static void *signal_it(void *arg)
{
    return (void *)(intptr_t)verd_pthread_cond_signal(arg);
}

Test(pthread, a_condition_that_another_OS_thread_waits_for_is_EPERM)
{
    start(wait_for_signal, "a");
    cr_assert_eq(elsewhere(signal_it, &cond), EPERM);
    cr_assert_eq(verd_pthread_cond_destroy(&cond), EBUSY);
    cr_assert_eq(verd_pthread_cond_signal(&cond), 0);
    cr_assert_eq(verd_pthread_cond_destroy(&cond), 0);
}

Test(pthread, an_enclosing_timeout_ends_the_wait_for_a_condition)
{
    verd_timeout limit;
    struct timespec never = {.tv_sec = INT32_MAX};
    verd_pthread_mutex_lock(&mutex);
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_pthread_cond_wait(&cond, &mutex), ETIMEDOUT);
    cr_assert_eq(verd_pthread_cond_timedwait(&cond, &mutex, &never), ETIMEDOUT);
    cr_assert(verd_timeout_end(&limit));
    cr_assert_eq(verd_pthread_mutex_unlock(&mutex), 0);
}

Test(pthread, a_point_in_time_beyond_all_clocks_is_never)
{
    struct timespec never = {.tv_sec = INT64_MAX};
    verd_timeout limit;
    verd_sem_init(&semaphore, 0, 0);
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(verd_sem_timedwait(&semaphore, &never) == -1 && errno == ETIMEDOUT);
    cr_assert(verd_timeout_end(&limit));
    struct timespec long_ago = {.tv_sec = INT64_MIN};
    cr_assert(verd_sem_timedwait(&semaphore, &long_ago) == -1 && errno == ETIMEDOUT);
}

static pthread_mutex_t recursive;

static void *wait_with_lock_twice(void *arg)
{
    verd_pthread_mutex_lock(&recursive);
    verd_pthread_mutex_lock(&recursive);
    verd_pthread_cond_wait(&cond, &recursive);
    bool is_held_twice = verd_pthread_mutex_unlock(&recursive) == 0 &&
                         verd_pthread_mutex_unlock(&recursive) == 0 &&
                         verd_pthread_mutex_unlock(&recursive) == EPERM;
    return is_held_twice ? arg : NULL;
}

Test(pthread, who_waits_with_a_recursive_lock_lets_others_have_it)
{
    make_recursive(&recursive);
    pthread_t thread = start(wait_with_lock_twice, order);
    cr_assert_eq(verd_pthread_mutex_trylock(&recursive), 0);
    cr_assert_eq(verd_pthread_mutex_trylock(&recursive), 0);
    verd_pthread_cond_signal(&cond);
    verd_pthread_mutex_unlock(&recursive);
    verd_pthread_mutex_unlock(&recursive);
    cr_assert_eq(result_of(thread), order);
}

/* ---- semaphores ---- */

static void *take_unit(void *arg)
{
    note(verd_sem_wait(&semaphore) == 0 ? arg : "x");
    return arg;
}

static void *post_it(void *arg)
{
    return (void *)(intptr_t)(verd_sem_post(arg) == 0 ? 0 : errno);
}

Test(pthread, units_go_to_waiting_threads_in_the_order_of_coming)
{
    int value = -1;
    verd_sem_init(&semaphore, 0, 0);
    pthread_t first = start(take_unit, "a"), second = start(take_unit, "b");
    cr_assert(verd_sem_destroy(&semaphore) == -1 && errno == EBUSY);
    cr_assert_eq(elsewhere(post_it, &semaphore), EPERM);
    verd_sem_post(&semaphore);
    verd_sem_post(&semaphore);
    cr_assert(verd_sem_getvalue(&semaphore, &value) == 0 && value == 0);
    cr_assert(verd_sem_trywait(&semaphore) == -1 && errno == EAGAIN);
    result_of(second);
    result_of(first);
    cr_assert_str_eq(order, "ab");
}

Test(pthread, a_unit_is_not_lost_with_who_is_cancelled)
{
    verd_sem_init(&semaphore, 0, 0);
    pthread_t first = start(take_unit, "a"), second = start(take_unit, "b");
    verd_pthread_cancel(first);
    verd_sem_post(&semaphore);
    cr_assert_eq(result_of(first), PTHREAD_CANCELED);
    result_of(second);
    cr_assert_str_eq(order, "b");
}

Test(pthread, semaphores_of_several_processes_are_ENOSYS)
{
    cr_assert(verd_sem_init(&semaphore, 1, 0) == -1 && errno == ENOSYS);
    errno = 0;
    cr_assert(verd_sem_open("/name", 0) == SEM_FAILED && errno == ENOSYS);
    errno = 0;
    cr_assert(verd_sem_close(&semaphore) == -1 && errno == ENOSYS);
}

/* ---- barriers ---- */

static pthread_barrier_t barrier;

static void *come(void *arg)
{
    int result = verd_pthread_barrier_wait(&barrier);
    note(arg);
    return (void *)(intptr_t)result;
}

Test(pthread, a_thread_that_is_killed_still_counts_at_a_barrier)
{
    verd_pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread = start(come, "a");
    verd_kill(handle_of(thread));
    callers_settle();
    cr_assert_str_eq(order, "");
    cr_assert_eq(verd_pthread_barrier_destroy(&barrier), EBUSY);
    cr_assert_eq(elsewhere(come, "x"), EPERM);
    order[0] = '\0';
    cr_assert_eq(verd_pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
    cr_assert_eq(result_of(thread), NULL);
    cr_assert_eq(verd_pthread_barrier_destroy(&barrier), 0);
}
