/* SPDX-License-Identifier: MIT */
/* Offloading as the caller sees it. */
#include "offload/offload.h"

#include <errno.h>
#include <string.h>

#include "offload/inbox.h"
#include "offload/task.h"
#include "offload/workers.h"
#include "sched/wait.h"

struct call {
    struct verd__wait wait; /* first: `cancel` gets it */
    struct verd__task *task;
};

static void cancel(struct verd__wait *wait)
{
    ((struct call *)wait)->task->wait = NULL;
}

static const struct verd__wait_kind kind = {"an offloaded function", cancel};

/* Waits for the message that the task is done. */
static int await(struct verd__scheduler *scheduler, struct verd__task *task)
{
    struct call call = {.wait.kind = &kind, .task = task};
    task->wait = &call.wait;
    verd__inbox_expect(task->inbox);
    int result = verd__wait(scheduler, &call.wait);
    int error = errno;
    verd__inbox_expect_no_more(call.task->inbox);
    errno = error;
    return result;
}

/* The task is done, and its result the caller's, with its errno. */
static int take(struct verd__task *task, void **result)
{
    int error = task->error;
    atomic_store(&task->state, VERD__TASK_TAKEN);
    if (result != NULL)
        *result = task->result;
    verd__task_drop(task);
    if (error != 0)
        errno = error;
    return 0;
}

/* The task was taken out of the line. */
static void take_back(struct verd__task *task)
{
    verd__inbox_drop(task->inbox);
    verd__task_free(task);
}

/* The wait has ended without the message, and errno says why. Timeouts leave a result that is there to
 * the caller; but kills do not. */
static int give_up(struct verd__task *task, void **result)
{
    int error = errno;
    if (verd__workers_withdraw(task)) {
        verd__task_release(task);
        take_back(task);
    } else if (verd__task_change(task, VERD__TASK_PENDING, VERD__TASK_ABANDONED)) {
        verd__task_drop(task);
    } else if (error == ETIMEDOUT) {
        return take(task, result);
    } else {
        atomic_store(&task->state, VERD__TASK_TAKEN);
        verd__task_release(task);
        verd__task_drop(task);
    }
    errno = error;
    return -1;
}

/* Puts a new task in the line; NULL: there was no memory for it. errno stays unless it fails. */
static struct verd__task *submit(struct verd__task *task)
{
    int error = errno;
    if (task == NULL)
        return NULL;
    if (verd__workers_submit(task) != 0) {
        take_back(task);
        return NULL;
    }
    errno = error;
    return task;
}

int verd_offload_with(void *(*fn)(void *), void *arg, void (*release)(void *arg, void *result),
                      void **result)
{
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL) {
        int error = errno;
        if (error != ENOMEM && release != NULL)
            release(arg, NULL);
        errno = error;
        return -1;
    }
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return -1;
    struct verd__task *task = submit(verd__task_new(inbox, fn, arg, 0, release));
    if (task == NULL)
        return -1;
    return await(scheduler, task) == 0 ? take(task, result) : give_up(task, result);
}

int verd_offload(void *(*fn)(void *), void *arg, void **result)
{
    return verd_offload_with(fn, arg, NULL, result);
}

/* The task is done, and what it did to its payload the caller's. */
static int take_whole(struct verd__task *task, void *arg, size_t size)
{
    memcpy(arg, task->payload, size);
    return take(task, NULL);
}

int verd__offload_whole(struct verd__scheduler *scheduler, void *(*fn)(void *), void *arg,
                        size_t size)
{
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return -1;
    struct verd__task *task = submit(verd__task_new(inbox, fn, arg, size, NULL));
    if (task == NULL)
        return -1;
    if (await(scheduler, task) == 0)
        return take_whole(task, arg, size);
    int error = errno;
    if (verd__workers_withdraw(task)) {
        take_back(task);
        errno = error;
        return -1;
    }
    /* Between the end of the wait and here, the message may have come and found nobody. */
    verd_shield_begin();
    if (atomic_load(&task->shares) == 2)
        await(scheduler, task);
    verd_shield_end();
    return take_whole(task, arg, size);
}
