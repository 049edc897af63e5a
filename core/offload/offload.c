/* SPDX-License-Identifier: MIT */
/* Offloading as the caller sees it. */
#include "offload/offload.h"

#include <errno.h>
#include <stdlib.h>
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

static void time_up(struct verd__timer *timer)
{
    verd__wait_end(verd__wait_of_timer(timer), ETIME);
}

/* Waits for the message that the task is done. -1 and errno, which is ETIME at the deadline. */
static int await(struct verd__scheduler *scheduler, struct verd__task *task, verd_duration deadline)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    struct verd_hub *inbox = task->inbox;
    wait->object = task;
    task->wait = wait;
    if (deadline != VERD_FOREVER)
        verd__wait_limit(scheduler, wait, deadline, time_up);
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
    switch (verd__workers_leave(task)) {
    case VERD__LEFT_WITHDRAWN:
        verd__task_release(task);
        take_back(task);
        return;
    case VERD__LEFT_DONE:
        atomic_store(&task->state, VERD__TASK_TAKEN);
        verd__task_release(task);
        break;
    case VERD__LEFT_RUNNING:
        break;
    }
    verd__task_drop(task);
}

/* The caller's OS thread ends, and nobody is left to interrupt what runs time and again: once has to do. In the
 * child of a fork nobody runs it. */
static void settle(struct verd__obligation *obligation)
{
    struct verd__task *task = VERD__CONTAINER_OF(obligation, struct call, obligation)->task;
    if (verd__current->forked) {
        verd__task_free(task);
        return;
    }
    if (task->interruptible)
        verd__workers_interrupt(task);
    abandon(task);
}

/* The wait has ended without the message, and errno says why. Timeouts leave a result that is there to
 * the caller; but kills do not. */
static int give_up(struct verd__task *task, void **result)
{
    int error = errno;
    if (verd__is_timeout(error) && atomic_load(&task->state) == VERD__TASK_DONE)
        return take(task, result);
    abandon(task);
    errno = error;
    return -1;
}

/* Makes a task and puts it in the line; NULL and errno if it cannot be. Else errno stays. */
static struct verd__task *submit(struct verd_hub *inbox, const struct verd__offload *offload,
                                 bool interruptible)
{
    int error = errno;
    struct verd__task *task = verd__task_new(inbox, offload->fn, offload->arg, offload->release);
    if (task == NULL)
        return NULL;
    task->kind = offload->kind;
    task->interruptible = interruptible;
    if (verd__workers_submit(task) != 0) {
        take_back(task);
        return NULL;
    }
    errno = error;
    return task;
}

int verd__offload(const struct verd__offload *offload, void **result)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL) {
        int error = errno;
        if (error != ENOMEM && offload->release != NULL)
            offload->release(offload->arg, NULL);
        return verd__refuse(error);
    }
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return verd__refuse(0);
    struct call call = {.task = submit(inbox, offload, false)};
    if (call.task == NULL)
        return verd__refuse(0);
    verd__obligation_begin(scheduler, &call.obligation, settle);
    int waited = await(scheduler, call.task, VERD_FOREVER);
    verd__obligation_end(scheduler, &call.obligation);
    return waited == 0 ? take(call.task, result) : give_up(call.task, result);
}

int verd_offload_with(void *(*fn)(void *), void *arg, void (*release)(void *arg, void *result),
                      void **result)
{
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_FUNCTIONS,
        .fn = fn,
        .arg = arg,
        .release = release,
    };
    if (fn != NULL)
        return verd__offload(&offload, result);
    errno = EINVAL;
    return -1;
}

int verd_offload(void *(*fn)(void *), void *arg, void **result)
{
    return verd_offload_with(fn, arg, NULL, result);
}

/* ---- what is finished ---- */

#define INTERRUPT_MIN (100 * VERD_US)
#define INTERRUPT_MAX (20 * VERD_MS)

/* Whether the task's message has come, or found nobody. */
static bool has_arrived(const struct verd__task *task)
{
    return atomic_load(&task->shares) < 2;
}

static verd_duration longer(verd_duration pause)
{
    return pause * 2 < INTERRUPT_MAX ? pause * 2 : INTERRUPT_MAX;
}

/* Waits for the end of a task, which is interrupted when it has run for a slice. 0, or -1 and errno. */
static int await_end(struct verd__scheduler *scheduler, struct verd__task *task,
                     verd_duration slice)
{
    verd_duration pause = INTERRUPT_MIN;
    verd_duration limit = slice > 0 ? verd__time_after(verd_now(), slice) : VERD_FOREVER;
    while (await(scheduler, task, limit) != 0) {
        if (errno != ETIME)
            return -1;
        if (has_arrived(task)) /* between the time's end and here */
            return 0;
        bool runs = verd__workers_interrupt(task);
        limit = verd__time_after(verd_now(), runs ? pause : slice);
        if (runs)
            pause = longer(pause);
    }
    return 0;
}

/* The same for a caller that has given up. false: the task does not end. */
static bool insist(struct verd__scheduler *scheduler, struct verd__task *task)
{
    verd_duration pause = INTERRUPT_MIN;
    verd_duration limit = verd__time_after(verd_now(), VERD__OFFLOAD_PATIENCE);
    verd_shield_begin();
    while (!has_arrived(task) && verd_now() < limit) {
        verd__workers_interrupt(task);
        await(scheduler, task, verd__time_after(verd_now(), pause));
        pause = longer(pause);
    }
    verd_shield_end();
    return has_arrived(task);
}

int verd__offload_finish(struct verd__scheduler *scheduler, const struct verd__offload *offload)
{
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return -1;
    struct call call = {.task = submit(inbox, offload, true)};
    if (call.task == NULL)
        return -1;
    verd__obligation_begin(scheduler, &call.obligation, settle);
    int error = await_end(scheduler, call.task, offload->slice) == 0 ? 0 : errno;
    bool withdrawn = error != 0 && verd__workers_withdraw(call.task);
    bool done = !withdrawn && (error == 0 || insist(scheduler, call.task));
    verd__obligation_end(scheduler, &call.obligation);
    if (done) {
        take(call.task, NULL);
        if (errno == EINTR)
            errno = EAGAIN;
        return 0;
    }
    if (withdrawn) {
        verd__task_release(call.task);
        take_back(call.task);
    } else {
        abandon(call.task);
    }
    errno = error;
    return -1;
}

int verd__offload_failed(const struct verd__offload *offload)
{
    int error = errno;
    if (!verd__is_interruption(error) && error != EINTR)
        offload->release(offload->arg, NULL);
    errno = error;
    return -1;
}

void verd__offload_free(void *arg, void *result)
{
    int error = errno;
    (void)result;
    free(arg);
    errno = error;
}
