/* SPDX-License-Identifier: MIT */
/* The OS threads that run tasks, a pool for the whole process. All calls are from any OS thread. */
#ifndef VERD_OFFLOAD_WORKERS_H
#define VERD_OFFLOAD_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include <verd/os.h>

struct verd__task;
struct verd_hub;

/* Puts a task at the end of its kind's line. Returns 0, or -1 with errno EAGAIN: no OS thread runs, and none
 * can be started; EBUSY: all that there may be are stuck in what was given up; or ENOMEM. */
int verd__workers_submit(struct verd__task *task);

/* Takes a task out of the line; false: it has begun. */
bool verd__workers_withdraw(struct verd__task *task);

/* A task's caller leaves it, whatever has become of it. From then on its OS thread counts no longer, and another
 * one may be started in its place. */
enum verd__leaving {
    VERD__LEFT_WITHDRAWN, /* it has not begun and never will */
    VERD__LEFT_RUNNING,   /* it is ABANDONED (task.h) */
    VERD__LEFT_DONE,      /* it has been done meanwhile */
};
enum verd__leaving verd__workers_leave(struct verd__task *task);

/* Interrupts the system call of a task that runs, which may just not have begun, or be over: so it is to be
 * done again and again, until the task is done. false: the task has not begun. */
bool verd__workers_interrupt(struct verd__task *task);

/* Discards the tasks of a hub that ends, those that have not begun. */
void verd__workers_forsake(const struct verd_hub *inbox);

/* verd_offload_resize for any kind. */
int verd__workers_resize(enum verd_offload_kind kind, size_t threads);

/* How many tasks in all may have been given up without counting. Returns what it was. For tests. */
size_t verd__workers_bound(size_t stuck);

/* What tests look at, of all kinds together. */
struct verd__workers_counts {
    size_t submitted; /* tasks, ever */
    size_t queued;    /* tasks in line */
    size_t threads;   /* OS threads that exist */
};
struct verd__workers_counts verd__workers_counts(void);

#endif
