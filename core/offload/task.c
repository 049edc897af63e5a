/* SPDX-License-Identifier: MIT */
#include "offload/task.h"

#include <errno.h>
#include <stdlib.h>

#include "offload/interrupt.h"

bool verd__task_change(struct verd__task *task, int from, int to)
{
    return atomic_compare_exchange_strong(&task->state, &from, to);
}

void verd__task_release(const struct verd__task *task)
{
    int error = errno;
    if (task->release != NULL)
        task->release(task->arg, task->result);
    errno = error;
}

void verd__task_free(struct verd__task *task)
{
    int error = errno;
    free(task);
    errno = error;
}

void verd__task_drop(struct verd__task *task)
{
    if (atomic_fetch_sub(&task->shares, 1) == 1)
        verd__task_free(task);
}

/* The message of a task that is done. */
static void arrive(struct verd__message *message)
{
    struct verd__task *task = (struct verd__task *)message;
    struct verd__wait *wait = task->wait;
    if (wait != NULL)
        verd__wake(wait);
    verd__task_drop(task);
}

/* The caller's share went with its stack. */
static void lost(struct verd__message *message)
{
    struct verd__task *task = (struct verd__task *)message;
    if (atomic_load(&task->state) == VERD__TASK_DONE)
        verd__task_release(task);
    verd__task_free(task);
}

struct verd__task *verd__task_new(struct verd_hub *inbox, void *(*fn)(void *), void *arg,
                                  void (*release)(void *arg, void *result))
{
    struct verd__task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->message.arrive = arrive;
    task->message.lost = lost;
    task->fn = fn;
    task->arg = arg;
    task->release = release;
    task->inbox = inbox;
    task->shares = 2;
    verd__inbox_keep(inbox);
    return task;
}

void verd__task_run(struct verd__task *task)
{
    struct verd_hub *inbox = task->inbox;
    if (task->interruptible)
        verd__interrupt_allow(&task->interrupted);
    errno = 0;
    task->result = task->fn(task->arg);
    task->error = errno;
    if (task->interruptible)
        verd__interrupt_forbid();
    if (!verd__task_change(task, VERD__TASK_PENDING, VERD__TASK_DONE)) {
        verd__task_release(task);
        verd__task_drop(task);
    } else if (!verd__inbox_send(inbox, &task->message)) {
        lost(&task->message);
    }
    verd__inbox_drop(inbox);
}

void verd__task_discard(struct verd__task *task)
{
    verd__inbox_drop(task->inbox);
    verd__task_release(task);
    verd__task_free(task);
}
