/* SPDX-License-Identifier: MIT */
/*
 * What POSIX and libc say of threads, some 500 assertions, a line each. Compiled plainly, and with <verd/posix.h> and
 * <verd/pthread.h> before all else, it prints the same lines (tests/programs/pthread_conformance.sh). What libc leaves
 * undefined, or where the two C libraries differ, is not asked, or of glibc alone.
 */
#include "check.h"

#include <stdlib.h>

void check_is(const char *expression, long value, long expected)
{
    flockfile(stdout); /* others may be at it */
    printf("%s: %ld", expression, value);
    if (value != expected)
        printf(", expected %ld", expected);
    printf("\n");
    funlockfile(stdout);
}

struct timespec check_after(clockid_t clock, long ms)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    } else if (time.tv_nsec < 0) {
        time.tv_nsec += 1000000000;
        time.tv_sec--;
    }
    return time;
}

void *check_in_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, fn, arg) != 0 || pthread_join(thread, &result) != 0)
        abort();
    return result;
}

void check_wait(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    check_threads();
    check_ends();
    check_cancel();
    check_points();
    check_entries();
    check_mutexes();
    check_rwlocks();
    check_conditions();
    check_waits();
    check_keys();
    check_c11();
    check_main_exit();
}
