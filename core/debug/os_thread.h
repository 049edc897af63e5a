/* SPDX-License-Identifier: MIT */
/* The library's own OS threads of this floor. */
#ifndef VERD_DEBUG_OS_THREAD_H
#define VERD_DEBUG_OS_THREAD_H

#include <pthread.h>

/* Starts one with a small stack, on which no signal's handler ever runs. 0, or an errno. */
int verd__os_thread_start(pthread_t *os_thread, void *(*run)(void *), void *arg);

#endif
