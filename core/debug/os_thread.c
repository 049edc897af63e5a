/* SPDX-License-Identifier: MIT */
#include "debug/os_thread.h"

#include <signal.h>

#define STACK_SIZE ((size_t)128 * 1024)

int verd__os_thread_start(pthread_t *os_thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, own;
    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &own);
    error = pthread_create(os_thread, &attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &own, NULL);
    pthread_attr_destroy(&attr);
    return error;
}
