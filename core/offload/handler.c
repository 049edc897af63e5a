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
    area->handled = scheduler->handlers.run;
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

bool verd__was_interrupted(const struct verd__scheduler *scheduler)
{
    return verd__area(scheduler->running)->interruptible == VERD__INTERRUPTED;
}

/* ---- a handler has run ---- */

/* What has been handled, as a post's argument. */
union event {
    void *arg;
    struct {
        uint32_t number;
        uint32_t least; /* enum verd__interruptible: what a wait has to be */
    };
};

static void interrupt(struct verd__thread *thread, union event event)
{
    struct verd__area *area = thread->state == VERD__STARTED ? verd__area(thread) : NULL;
    if (area != NULL && area->wait.kind != NULL && area->interruptible >= event.least &&
        (int32_t)(area->handled - event.number) < 0) { /* else it began later */
        area->interruptible = VERD__INTERRUPTED;
        verd__wait_abort(thread, EINTR, thread->shield);
    }
}

/* On a green thread of its own. */
static void interrupt_main(void *arg)
{
    interrupt(verd__current->main, (union event){.arg = arg});
}

void verd__handler_has_run(bool restarts)
{
    int error = errno;
    if (verd__current == NULL)
        return;
    struct verd__handlers *handlers = &verd__current->handlers;
    union event now = {.number = ++handlers->run,
                       .least = restarts ? VERD__BY_ALL : VERD__UNLESS_RESTARTED};
    if (handlers->inbox == NULL)
        return;
    if (handlers->addressee != NULL)
        interrupt(handlers->addressee, now);
    else
        verd_post(handlers->inbox, interrupt_main, now.arg);
    errno = error;
}

struct verd__thread *verd__handler_address(struct verd__thread *thread)
{
    struct verd__handlers *handlers = &verd__current->handlers;
    struct verd__thread *before = handlers->addressee;
    handlers->addressee = thread;
    return before;
}
