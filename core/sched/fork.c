/* SPDX-License-Identifier: MIT */
/*
 * After fork, the child has the thread that called it, alone, and shares no kernel object of the hub with
 * the parent. The others are gone as if they had never been started: their waits are undone, so that
 * queues, locks and pools are as whole as when nobody waits; their slots in pools are free; to wait for
 * one of them gives ECANCELED. Nothing of the user's is called for them: no link, no destructor. What
 * they had locked stays locked, as with OS threads.
 */
#include <errno.h>
#include <stdlib.h>

#include "sched/duty.h"
#include "sched/local.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/timeout.h"
#include "sched/wait.h"
#include "stack/memory.h"

/* Calls fn for each thread that has not ended, but the running one. */
static void for_each_other(struct verd__scheduler *scheduler,
                           void (*fn)(struct verd__scheduler *, struct verd_thread *))
{
    for (struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 0; i < slab->used; i++) {
            struct verd_thread *thread = &slab->threads[i];
            if (thread->state != VERD__FREE && thread != scheduler->running)
                fn(scheduler, thread);
        }
    }
}

/* First of all: nobody is in any line any more, and no timer is armed for anyone. */
static void undo_wait(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    if (thread->state != VERD__STARTED)
        return;
    if (thread->wait != NULL && thread->wait->kind->cancel != NULL)
        thread->wait->kind->cancel(thread->wait);
    thread->wait = NULL;
    struct verd__room *room = verd__room(thread);
    verd__timeouts_close(scheduler, thread);
    free(room->locals);
    room->locals = NULL;
}

/* Then: nothing is owed by those that are gone. */
static void settle(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    (void)scheduler;
    if (thread->state != VERD__STARTED)
        return;
    struct verd__room *room = verd__room(thread);
    struct verd__duty *duty;
    while ((duty = room->duties) != NULL) {
        room->duties = duty->outer;
        duty->settle(duty);
    }
}

static void end(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    thread->flags &= (uint8_t)~VERD__QUEUED;
    if (thread->state == VERD__ENDED) {
        verd__thread_drop(scheduler, thread);
        return;
    }
    verd__delay_end(scheduler, thread);
    if (thread == scheduler->main) {
        thread->flags |=
            VERD__HANDLE; /* its control block stays, as that of a main that has ended */
    } else if (thread->stack != NULL) {
        verd__room(thread)->name[0] = '\0';
        verd__memory_clean(thread->stack->low, verd__stack_size(thread->stack));
        verd__stack_give(&scheduler->stacks, thread->stack);
    }
    thread->stack = NULL;
    verd__links_forget(thread);
    verd__thread_end(scheduler, thread, NULL, ECANCELED);
}

void verd__fork_child(void)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL)
        return;
    scheduler->forked = true;
    for_each_other(scheduler, undo_wait);
    for_each_other(scheduler, settle);
    scheduler->batch = NULL;
    scheduler->first = NULL;
    scheduler->last = &scheduler->first;
    scheduler->starved = NULL;
    scheduler->starved_last = &scheduler->starved;
    for_each_other(scheduler, end);
    scheduler->forked = false;
    if (scheduler->outside != NULL)
        scheduler->outside->forked(scheduler->outside);
}
