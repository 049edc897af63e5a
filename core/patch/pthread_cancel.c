/* SPDX-License-Identifier: MIT */
/* The end of a thread by its own will or another's: handlers, cancellation, pthread_exit. */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "patch/posix.h"
#include "patch/pthread_thread.h"
#include "sched/area.h"
#include "sched/local.h"
#include "sched/thread.h"
#include "stack/line.h"

static struct verd__posix *own_posix(struct verd__scheduler *scheduler)
{
    return &verd__area(scheduler->running)->posix;
}

/* ---- handlers ---- */

/* Without memory for a scheduler there is no thread that could be ended. */
void verd_pthread_cleanup_push(struct verd_pthread_cleanup *cleanup, void (*routine)(void *),
                               void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    cleanup->routine = routine;
    cleanup->arg = arg;
    if (scheduler == NULL)
        return;
    cleanup->next = own_posix(scheduler)->cleanups;
    own_posix(scheduler)->cleanups = cleanup;
}

void verd_pthread_cleanup_pop(struct verd_pthread_cleanup *cleanup, int execute)
{
    if (verd__current != NULL && own_posix(verd__current)->cleanups == cleanup)
        own_posix(verd__current)->cleanups = cleanup->next;
    if (execute)
        cleanup->routine(cleanup->arg);
}

static void run_cleanups(struct verd__posix *posix)
{
    struct verd_pthread_cleanup *cleanup;
    while ((cleanup = posix->cleanups) != NULL) {
        posix->cleanups = cleanup->next;
        cleanup->routine(cleanup->arg);
    }
}

/* ---- the end ---- */

/* Notes a thread of POSIX's that has not ended, where main's wait has room for it. */
static void note_other(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    bool is_unstarted = thread->state == VERD__UNSTARTED && verd__pthread_is_unstarted(thread);
    bool is_started = thread->state == VERD__STARTED && verd__area(thread)->posix.thread != NULL;
    if (is_unstarted || is_started)
        verd__area(scheduler->main)->wait.object = thread;
}

static struct verd__thread *any_other(struct verd__scheduler *scheduler)
{
    struct verd__wait *wait = &verd__area(scheduler->main)->wait;
    wait->object = NULL;
    verd__slabs_each(scheduler, scheduler->main, note_other);
    return wait->object;
}

/* main ends when all others have, and then its OS thread does; with the process's first the process ends, for the
 * library's own OS threads never do. */
static _Noreturn void leave_main(struct verd__scheduler *scheduler, void *result)
{
    struct verd__area *area = verd__area(scheduler->main);
    struct verd__thread *other;
    if (area->locals != NULL)
        verd__locals_end(area);
    while ((other = any_other(scheduler)) != NULL)
        verd_wait(verd__handle(other), NULL);
    if (getpid() == gettid())
        exit(0);
    pthread_exit(result);
}

/* Handlers and destructors may wait, and are not cancelled. */
void verd__pthread_leave(struct verd__scheduler *scheduler, void *result)
{
    struct verd__posix *posix = own_posix(scheduler);
    bool is_main = scheduler->running == scheduler->main;
    if (!is_main && posix->thread == NULL)
        verd__die("pthread_exit in a thread that pthread_create has not made");
    verd_shield_begin();
    run_cleanups(posix);
    if (is_main)
        leave_main(scheduler, result);
    posix->thread->result = result;
    longjmp(*posix->thread->exit, 1);
}

void verd_pthread_exit(void *result)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler != NULL)
        verd__pthread_leave(scheduler, result);
    verd__die("no memory for pthread_exit");
}

/* ---- cancellation ---- */

void verd__cancel_here(void)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL)
        return;
    const struct verd__thread *self = scheduler->running;
    const struct verd__posix *posix = own_posix(scheduler);
    bool is_posix = posix->thread != NULL || posix->is_cancelled;
    if (is_posix && (self->interrupt & VERD__INTERRUPT_KILL) && self->shield == 0)
        verd__pthread_leave(scheduler, PTHREAD_CANCELED);
}

void verd__point_reached(void)
{
    if (verd__is_green())
        verd__cancel_here();
}

void verd_pthread_testcancel(void)
{
    verd__cancel_here();
}

int verd_pthread_cancel(pthread_t handle)
{
    int error;
    struct verd__thread *thread = verd__pthread_find(handle, &error);
    if (thread == NULL)
        return error;
    if (thread->state == VERD__UNSTARTED && verd__pthread_is_unstarted(thread)) {
        verd__pthread_unstarted(thread)->is_cancelled =
            true; /* it begins, up to where it would wait */
        return 0;
    }
    if (thread == verd__current->main)
        verd__area(thread)->posix.is_cancelled = true;
    verd__thread_kill(verd__current, thread);
    if (thread == verd__current->running && own_posix(verd__current)->is_asynchronous)
        verd__cancel_here();
    return 0;
}

int verd_pthread_setcancelstate(int state, int *before)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
        return EINVAL;
    struct verd__posix *posix = own_posix(scheduler);
    bool was = posix->is_uncancelable;
    posix->is_uncancelable = state == PTHREAD_CANCEL_DISABLE;
    if (posix->is_uncancelable && !was)
        verd_shield_begin();
    else if (was && !posix->is_uncancelable)
        verd_shield_end();
    if (before != NULL)
        *before = was ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    if (posix->is_asynchronous)
        verd__cancel_here();
    return 0;
}

int verd_pthread_setcanceltype(int type, int *before)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
        return EINVAL;
    struct verd__posix *posix = own_posix(scheduler);
    if (before != NULL)
        *before = posix->is_asynchronous ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
    posix->is_asynchronous = type == PTHREAD_CANCEL_ASYNCHRONOUS;
    if (posix->is_asynchronous)
        verd__cancel_here();
    return 0;
}
