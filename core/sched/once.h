/* SPDX-License-Identifier: MIT */
/* What a process does once, and which may fail: then the next to need it tries again. */
#ifndef VERD_SCHED_ONCE_H
#define VERD_SCHED_ONCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* Zero at first. */
struct verd__once {
    _Atomic(bool) done;
    _Atomic(pid_t) owner; /* of the process that is at it; 0: nobody is */
};

/* Calls `prepare` unless it has succeeded before, which is to return 0, or an errno. From any OS thread.
 * Returns what it returned. */
int verd__once(struct verd__once *once, int (*prepare)(void));

#endif
