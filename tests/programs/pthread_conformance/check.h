/* SPDX-License-Identifier: MIT */
/* What the parts of the conformance program have in common. Nothing here knows how it was compiled. */
#ifndef TESTS_PTHREAD_CONFORMANCE_CHECK_H
#define TESTS_PTHREAD_CONFORMANCE_CHECK_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Prints what an expression gives, a number, and what is wrong about it. */
#define IS(expression, expected) check_is(#expression, (long)(expression), (long)(expected))

void check_is(const char *expression, long value, long expected);

/* A point in time, so many milliseconds from now, or before. */
struct timespec check_after(clockid_t clock, long ms);

/* Runs fn(arg) in a thread to its end, and returns its result. */
void *check_in_thread(void *(*fn)(void *), void *arg);

/* Waits for another thread's post. */
void check_wait(sem_t *semaphore);

void check_threads(void);
void check_ends(void);
void check_cancel(void);
void check_points(void);
void check_entries(void);
void check_mutexes(void);
void check_rwlocks(void);
void check_conditions(void);
void check_waits(void);
void check_keys(void);
void check_c11(void);
void check_main_exit(void);

#endif
