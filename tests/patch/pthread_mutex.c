/* SPDX-License-Identifier: MIT */
/* Mutexes and spin locks of POSIX between green threads. */
#include "threads.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;

static void *lock_it(void *arg)
{
    return (void *)(intptr_t)verd_pthread_mutex_lock(arg);
}

static void *unlock_it(void *arg)
{
    return (void *)(intptr_t)verd_pthread_mutex_unlock(arg);
}

static void *lock_note_unlock(void *letter)
{
    intptr_t error = verd_pthread_mutex_lock(&mutex);
    note(letter);
    verd_pthread_mutex_unlock(&mutex);
    return (void *)error;
}

Test(pthread, a_lock_goes_to_who_waits_in_the_order_of_coming)
{
    verd_pthread_mutex_lock(&mutex);
    pthread_t first = start(lock_note_unlock, "a"), second = start(lock_note_unlock, "b");
    verd_pthread_mutex_unlock(&mutex);
    cr_assert_eq(verd_pthread_mutex_trylock(&mutex), EBUSY);
    cr_assert(result_of(second) == NULL && result_of(first) == NULL);
    cr_assert_str_eq(order, "ab");
}

Test(pthread, a_thread_that_is_killed_gets_its_lock)
{
    verd_pthread_mutex_lock(&mutex);
    pthread_t waits = start(lock_note_unlock, "a");
    verd_kill(handle_of(waits));
    callers_settle();
    cr_assert_str_eq(order, "");
    verd_pthread_mutex_unlock(&mutex);
    cr_assert_eq(result_of(waits), NULL);
    cr_assert_str_eq(order, "a");
}

Test(pthread, a_timeout_does_not_end_the_wait_for_a_lock)
{
    verd_timeout limit;
    pthread_t holder = start(lock_it, &mutex);
    result_of(holder); /* and it stays locked */
    verd_timeout_begin(&limit, VERD_MS);
    struct timespec until = {0};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += until.tv_nsec >= 980000000;
    until.tv_nsec = (until.tv_nsec + 20000000) % 1000000000;
    cr_assert_eq(verd_pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until), ETIMEDOUT);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    cr_assert(now.tv_sec > until.tv_sec ||
              (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
    cr_assert_eq(verd_sleep(VERD_SEC), -1);
    cr_assert(errno == ETIMEDOUT && verd_timeout_end(&limit));
}

Test(pthread, a_lock_that_another_OS_thread_has_is_EPERM)
{
    verd_pthread_mutex_lock(&mutex);
    cr_assert_eq(elsewhere(lock_it, &mutex), EPERM);
    cr_assert_eq(elsewhere(unlock_it, &mutex), EPERM);
    verd_pthread_mutex_unlock(&mutex);
    cr_assert_eq(elsewhere(lock_it, &mutex), 0);
}

Test(pthread, a_lock_that_was_taken_too_often_is_EAGAIN)
{
    pthread_mutex_t recursive;
    make_recursive(&recursive);
    long count = 0;
    int error;
    while ((error = verd_pthread_mutex_lock(&recursive)) == 0)
        count++;
    cr_assert(error == EAGAIN && count == 1L << 24);
    cr_assert_eq(verd_pthread_mutex_trylock(&recursive), EAGAIN);
    while (count-- > 0)
        cr_assert_eq(verd_pthread_mutex_unlock(&recursive), 0);
    cr_assert_eq(verd_pthread_mutex_unlock(&recursive), EPERM);
}

Test(pthread, locks_of_several_processes_are_ENOTSUP)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t made;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    cr_assert_eq(verd_pthread_mutex_init(&made, &attr), ENOTSUP);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    cr_assert_eq(verd_pthread_mutex_init(&made, &attr), ENOTSUP);
    cr_assert_eq(verd_pthread_spin_init(&spin, PTHREAD_PROCESS_SHARED), ENOTSUP);
}

static int turns;

static void *lock_for_ever(void *arg)
{
    while (arg == NULL && turns < 1000000) {
        verd_pthread_mutex_lock(&mutex);
        turns++;
        verd_pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

Test(pthread, a_thread_that_only_locks_gives_way)
{
    pthread_t thread = start(lock_for_ever, NULL);
    cr_assert_lt(turns, 1000000);
    result_of(thread);
}

/* ---- spin locks ---- */

static void *spin_note_unlock(void *letter)
{
    verd_pthread_spin_lock(&spin);
    note(letter);
    verd_pthread_spin_unlock(&spin);
    return NULL;
}

Test(pthread, who_waits_for_a_spin_lock_is_suspended)
{
    verd_pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    verd_pthread_spin_lock(&spin);
    pthread_t thread = start(spin_note_unlock, "a");
    cr_assert_str_eq(order, "");
    verd_pthread_spin_unlock(&spin);
    result_of(thread);
    cr_assert_str_eq(order, "a");
}

Test(pthread, a_spin_lock_that_another_OS_thread_has_is_waited_for)
{
    pthread_t os_thread;
    verd_pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    verd_pthread_spin_lock(&spin);
    pthread_create(&os_thread, NULL, spin_note_unlock, "a");
    verd_sleep(3 * VERD_MS); /* it may have got as far as to wait */
    cr_assert_str_eq(order, "");
    verd_pthread_spin_unlock(&spin);
    pthread_join(os_thread, NULL);
    cr_assert_str_eq(order, "a");
}
