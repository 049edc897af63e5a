/* SPDX-License-Identifier: MIT */
/* Offloading as the caller sees it. */
#include "offload/offload.h"

#include <errno.h>
#include <string.h>

#include "offload/inbox.h"
#include "offload/task.h"
#include "offload/workers.h"
#include "sched/obligation.h"
#include "sched/wait.h"

/* A call, while it answers for its task. */
struct call {
    struct verd__obligation obligation;
    struct verd__task *task;
};

/* The message finds nobody. */
static void stop_waiting(struct verd__wait *wait, int error)
{
    struct verd__task *task = wait->object;
    (void)error;
    task->wait = NULL;
}

static const struct verd__wait_kind kind = {
    .name = "an offloaded function", .has_more = true, .ended = stop_waiting};

/* Waits for the message that the task is done. */
static int await(struct verd__scheduler *scheduler, struct verd__task *task)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    struct verd_hub *inbox = task->inbox;
    wait->object = task;
    task->wait = wait;
    verd__inbox_expect(inbox);
    int result = verd__wait(scheduler, wait, &kind);
    int error = errno;
    verd__inbox_expect_no_more(inbox);
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

/* The caller has no use for the task, whatever has become of it. */
static void abandon(struct verd__task *task)
{
    if (verd__workers_withdraw(task)) {
        verd__task_release(task);
        take_back(task);
        return;
    }
    if (!verd__task_change(task, VERD__TASK_PENDING, VERD__TASK_ABANDONED)) {
        atomic_store(&task->state, VERD__TASK_TAKEN);
        verd__task_release(task);
    }
    verd__task_drop(task);
}

/* In the child of a fork the task is the parent's, whose OS thread runs it. */
static void settle(struct verd__obligation *obligation)
{
    if (!verd__current->forked)
        abandon(VERD__CONTAINER_OF(obligation, struct call, obligation)->task);
}

/* The wait has ended without the message, and errno says why. Timeouts leave a result that is there to
 * the caller; but kills do not. */
static int give_up(struct verd__task *task, void **result)
{
    int error = errno;
    if (error == ETIMEDOUT && atomic_load(&task->state) == VERD__TASK_DONE)
        return take(task, result);
    abandon(task);
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
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL) {
        int error = errno;
        if (error != ENOMEM && release != NULL)
            release(arg, NULL);
        return verd__refuse(error);
    }
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return verd__refuse(0);
    struct call call = {.task = submit(verd__task_new(inbox, fn, arg, 0, release))};
    if (call.task == NULL)
        return verd__refuse(0);
    verd__obligation_begin(scheduler, &call.obligation, settle);
    int waited = await(scheduler, call.task);
    verd__obligation_end(scheduler, &call.obligation);
    return waited == 0 ? take(call.task, result) : give_up(call.task, result);
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
    struct call call = {.task = submit(verd__task_new(inbox, fn, arg, size, NULL))};
    if (call.task == NULL)
        return -1;
    verd__obligation_begin(scheduler, &call.obligation, settle);
    int error = await(scheduler, call.task) == 0 ? 0 : errno;
    bool withdrawn = error != 0 && verd__workers_withdraw(call.task);
    /* Between the end of the wait and here, the message may have come and found nobody. */
    verd_shield_begin();
    if (error != 0 && !withdrawn && atomic_load(&call.task->shares) == 2)
        await(scheduler, call.task);
    verd_shield_end();
    verd__obligation_end(scheduler, &call.obligation);
    if (!withdrawn)
        return take_whole(call.task, arg, size);
    take_back(call.task);
    errno = error;
    return -1;
}
