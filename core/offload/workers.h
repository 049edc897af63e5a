/* SPDX-License-Identifier: MIT */
/* The OS threads that run tasks, a pool for the whole process. All calls are from any OS thread. */
#ifndef VERD_OFFLOAD_WORKERS_H
#define VERD_OFFLOAD_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct verd__task;
struct verd_hub;

/* Puts a task at the end of the line. Returns 0, or -1 with errno EAGAIN: no OS thread runs, and none can
 * be started; or ENOMEM. */
int verd__workers_submit(struct verd__task *task);

/* Takes a task out of the line; false: it has begun. */
bool verd__workers_withdraw(struct verd__task *task);

/* Discards the tasks of a hub that ends, those that have not begun. */
void verd__workers_forsake(const struct verd_hub *inbox);

/* What tests look at. */
struct verd__workers_counts {
    size_t submitted; /* tasks, ever */
    size_t queued;    /* tasks in line */
    size_t threads;   /* OS threads that exist */
};
struct verd__workers_counts verd__workers_counts(void);

#endif
