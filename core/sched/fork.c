/* SPDX-License-Identifier: MIT */
/*
 * The end of all threads but one, without a turn for any of them: in the child of a fork, and at the end of
 * the OS thread.
 *
 * After fork, the child has the thread that called it, alone, and shares no kernel object of the hub with
 * the parent. The others are gone as if they had never been started: their waits are undone, so that
 * queues, locks and pools are as whole as when nobody waits; what they were handed is settled; to wait for
 * one of them gives ESRCH. Nothing of the user's is called for them: no link, no destructor; but what an
 * offloaded function has left is released. What they had locked stays locked, as with OS threads.
 */
#include <errno.h>
#include <stdlib.h>

#include "context/fibre.h"
#include "sched/carrier.h"
#include "sched/local.h"
#include "sched/monitor.h"
#include "sched/obligation.h"
#include "sched/registry.h"
#include "sched/report.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/timeout.h"
#include "sched/wait.h"
#include "stack/memory.h"

static void leave_area(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    struct verd__area *area = verd__area(thread);
    verd__scopes_close(scheduler, thread);
    free(area->locals);
    area->locals = NULL;
}

/* First of all: nobody is in any queue any more, and no timer is armed for anyone. */
static void undo_wait(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (thread->state != VERD__STARTED)
        return;
    struct verd__wait *wait = &verd__area(thread)->wait;
    if (wait->kind != NULL)
        verd__wait_unlink(wait, ECANCELED);
    leave_area(scheduler, thread);
}

/* The same at the end of the OS thread. An object of the user's may lie in a frame on the OS thread's stack, and
 * those are gone; whoever uses it later finds that it waits for nobody (sync/home.h). */
static void forget_wait(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (thread->state != VERD__STARTED)
        return;
    struct verd__wait *wait = &verd__area(thread)->wait;
    if (wait->kind != NULL && wait->kind->forget != NULL)
        wait->kind->forget(wait);
    else if (wait->kind != NULL && wait->kind->is_users)
        wait->kind = NULL;
    undo_wait(scheduler, thread);
}

/* Then: nothing is owed by those that are gone. */
static void settle(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    (void)scheduler;
    if (thread->state == VERD__STARTED)
        verd__obligations_settle(thread);
}

static void end(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    thread->flags &= (uint8_t)~VERD__QUEUED;
    if (thread->state == VERD__ENDED) {
        verd__thread_drop(scheduler, thread);
        return;
    }
    verd__delay_end(scheduler, thread);
    if (thread->state == VERD__STARTED && !verd__is_carried(scheduler))
        verd__fibre_abandon(&thread->context);
    if (thread == scheduler->main) {
        thread->flags |=
            VERD__HANDLE; /* its control block stays, as that of a main that has ended */
    } else if (thread->stack != NULL) {
        verd__area(thread)->name[0] = '\0';
        verd__memory_clean(thread->stack->low, verd__stack_size(thread->stack));
        verd__stack_return(scheduler, thread->stack);
    }
    thread->stack = NULL;
    verd__links_forget(thread);
    verd__thread_end(scheduler, thread, NULL, ECANCELED);
}

void verd__threads_end(struct verd__scheduler *scheduler, bool lasting)
{
    const struct verd__thread *self = scheduler->running;
    scheduler->ending = true;
    verd__slabs_each(scheduler, self, lasting ? undo_wait : forget_wait);
    verd__slabs_each(scheduler, self, settle);
    scheduler->batch = NULL;
    scheduler->first = NULL;
    scheduler->last = &scheduler->first;
    verd__observed_clear(scheduler);
    scheduler->starved = NULL;
    scheduler->starved_last = &scheduler->starved;
    verd__slabs_each(scheduler, self, end);
    scheduler->ending = false;
}

void verd__fork_child(void)
{
    struct verd__scheduler *scheduler = verd__current;
    verd__registry_forked(scheduler);
    verd__report_forked();
    verd__debug_forked();
    if (scheduler == NULL)
        return;
    scheduler->forked = true;
    verd__carriers_forked(scheduler);
    verd__threads_end(scheduler, true);
    scheduler->forked = false;
    if (scheduler->poller != NULL)
        scheduler->poller->forked(scheduler->poller);
}
