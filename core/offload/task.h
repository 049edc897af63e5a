/* SPDX-License-Identifier: MIT */
/*
 * A task: a function that is offloaded, between its caller and the OS thread that runs it.
 *
 * It belongs to both, and is freed when both have let go of it. Who is left with the result is decided
 * by its state, which both change with compare-and-swap:
 *
 *     PENDING -> DONE       the function has returned, and the caller gets the result
 *     PENDING -> ABANDONED  the caller has given up first: the worker releases the result
 *     DONE -> TAKEN         the caller has taken or released the result
 *
 * Of DONE the caller is told by a message to its hub's inbox, which carries the worker's share. If the
 * hub has ended, so has the caller, and whoever notices releases the result and frees the task.
 */
#ifndef VERD_OFFLOAD_TASK_H
#define VERD_OFFLOAD_TASK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "offload/inbox.h"

enum verd__task_state {
    VERD__TASK_PENDING,
    VERD__TASK_DONE,
    VERD__TASK_ABANDONED,
    VERD__TASK_TAKEN,
};

struct verd__task {
    struct verd__message message;   /* first */
    struct verd__task *next, *prev; /* in the line of its kind; the workers' */
    enum verd_offload_kind kind;
    void *(*fn)(void *);
    void *arg;
    void (*release)(void *arg, void *result); /* NULL: nothing to do */
    void *result;                             /* from DONE on */
    int error;                                /* and what fn left in errno */
    struct verd_hub *inbox;                   /* kept by the worker's share */
    struct verd__wait *wait;     /* the hub's own: the caller's; NULL: it has given up */
    _Atomic(int) state;          /* enum verd__task_state */
    _Atomic(int) shares;         /* 2, 1; 0: freed */
    _Atomic(bool) interrupted;   /* its system call is to return */
    bool interruptible;          /* while it runs, verd__workers_interrupt has an effect */
    bool queued;                 /* in the line; the workers' */
    struct verd__worker *worker; /* that runs it, while it is PENDING or ABANDONED; the workers' */
};

/* Makes a task of fn(arg). Nobody has it yet but the caller, who holds both shares. NULL with errno
 * ENOMEM. */
struct verd__task *verd__task_new(struct verd_hub *inbox, void *(*fn)(void *), void *arg,
                                  void (*release)(void *arg, void *result));

/* Runs the task, on a worker, and gives the worker's share away. */
void verd__task_run(struct verd__task *task);

/* The task will not run; its caller is gone. */
void verd__task_discard(struct verd__task *task);

/* Changes the state; false: it was not `from`. */
bool verd__task_change(struct verd__task *task, int from, int to);

/* Calls `release`, if there is one. errno stays. */
void verd__task_release(const struct verd__task *task);

/* Lets go of one share. */
void verd__task_drop(struct verd__task *task);

/* Frees a task of which there is no other share; errno stays. */
void verd__task_free(struct verd__task *task);

#endif
