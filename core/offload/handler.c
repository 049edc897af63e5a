/* SPDX-License-Identifier: MIT */
#include "offload/handler.h"

#include <errno.h>
#include <stdatomic.h>

#include "offload/inbox.h"
#include "sched/wait.h"

static _Atomic(bool) expected;

void verd__handlers_expect(void)
{
    atomic_store_explicit(&expected, true, memory_order_relaxed);
}

static bool prepare(struct verd__scheduler *scheduler)
{
    int error = errno;
    scheduler->handlers.inbox = verd__inbox(scheduler);
    errno = error;
    return scheduler->handlers.inbox != NULL;
}

bool verd__interruptible_begin(struct verd__scheduler *scheduler, enum verd__interruptible how)
{
    struct verd__area *area = verd__area(scheduler->running);
    if (!atomic_load_explicit(&expected, memory_order_relaxed) ||
        area->interruptible != VERD__NOT_INTERRUPTIBLE || !prepare(scheduler))
        return false;
    area->interruptible = (uint8_t)how;
    area->seen = (struct verd__handled){area->handled.all, area->handled.ending};
    verd__inbox_expect(scheduler->handlers.inbox);
    return true;
}

void verd__interruptible_end(struct verd__scheduler *scheduler, bool begun)
{
    if (!begun)
        return;
    verd__area(scheduler->running)->interruptible = VERD__NOT_INTERRUPTIBLE;
    verd__inbox_expect_no_more(scheduler->handlers.inbox);
}

bool verd__interruptible_go_on(struct verd__scheduler *scheduler, struct verd__since *since)
{
    struct verd__area *area = verd__area(scheduler->running);
    if (since->is_known)
        area->seen = since->seen;
    *since = (struct verd__since){.seen = area->seen, .is_known = true};
    if (!verd__is_interrupted(area))
        return true;
    errno = EINTR;
    return false;
}

bool verd__was_interrupted(const struct verd__scheduler *scheduler)
{
    return verd__is_interrupted(verd__area(scheduler->running));
}

/* ---- a handler has run ---- */

static void interrupt(struct verd__thread *thread)
{
    struct verd__area *area = thread->state == VERD__STARTED ? verd__area(thread) : NULL;
    if (area != NULL && area->wait.kind != NULL && verd__is_interrupted(area)) {
        area->interruptible = VERD__INTERRUPTED;
        verd__wait_abort(thread, EINTR, thread->shield);
    }
}

/* On a green thread of its own. */
static void interrupt_main(void *arg)
{
    (void)arg;
    interrupt(verd__current->main);
}

static void count(const struct verd__thread *thread, bool restarts)
{
    if (thread == NULL || thread->state != VERD__STARTED) /* main's OS thread ends */
        return;
    struct verd__area *area = verd__area(thread);
    area->handled.all++;
    if (!restarts)
        area->handled.ending++;
}

void verd__handler_has_run(bool restarts)
{
    int error = errno;
    if (verd__current == NULL)
        return;
    struct verd__handlers *handlers = &verd__current->handlers;
    struct verd__thread *addressee = handlers->addressee;
    count(addressee != NULL ? addressee : verd__current->main, restarts);
    if (handlers->inbox == NULL)
        return;
    if (addressee != NULL)
        interrupt(addressee);
    else
        verd_post(handlers->inbox, interrupt_main, NULL);
    errno = error;
}

struct verd__thread *verd__handler_address(struct verd__thread *thread)
{
    struct verd__handlers *handlers = &verd__current->handlers;
    struct verd__thread *before = handlers->addressee;
    handlers->addressee = thread;
    return before;
}
