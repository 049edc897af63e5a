/* SPDX-License-Identifier: MIT */
/* The green threads of POSIX beside libc's, by their own names. */
#ifndef TESTS_PATCH_THREADS_H
#define TESTS_PATCH_THREADS_H

#define VERD_PTHREAD_DECLARE_ONLY
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <threads.h>

#include <verd.h>
#include <verd/pthread.h>

#include "caller.h"

/* What has happened, a letter each. */
static char order[64];

static inline void note(void *letter)
{
    strcat(order, letter);
}

/* A green thread that runs until it waits, or ends. */
static inline pthread_t start(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    cr_assert_eq(verd_pthread_create(&thread, NULL, fn, arg), 0);
    callers_settle();
    return thread;
}

static inline verd_thread *handle_of(pthread_t thread)
{
    return (verd_thread *)(uintptr_t)thread;
}

static inline void *result_of(pthread_t thread)
{
    void *result = NULL;
    cr_assert_eq(verd_pthread_join(thread, &result), 0);
    return result;
}

/* Runs fn(arg) on another OS thread to its end. */
static inline intptr_t elsewhere(void *(*fn)(void *), void *arg)
{
    pthread_t os_thread;
    void *result = NULL;
    cr_assert_eq(pthread_create(&os_thread, NULL, fn, arg), 0);
    cr_assert_eq(pthread_join(os_thread, &result), 0);
    return (intptr_t)result;
}

/* As glibc's initializer has it, or an attribute. */
static inline void make_recursive(pthread_mutex_t *mutex)
{
#ifdef PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
    *mutex = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
#else
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    verd_pthread_mutex_init(mutex, &attr);
#endif
}

#endif
