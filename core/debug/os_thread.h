/* SPDX-License-Identifier: MIT */
/* The library's own OS threads of this floor, and what the kernel says of any. */
#ifndef VERD_DEBUG_OS_THREAD_H
#define VERD_DEBUG_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Starts one with a small stack, on which no signal's handler ever runs. 0, or an errno. */
int verd__os_thread_start(pthread_t *os_thread, void *(*run)(void *), void *arg);

/* What the kernel says of an OS thread of the process. */
struct verd__os_thread {
    bool runs;       /* on a processor, or could */
    uint64_t sleeps; /* how often it has given the processor away by itself */
};

/* False: it does not say, or there is none. errno stays. */
bool verd__os_thread_look(pid_t number, struct verd__os_thread *os_thread);

#endif
