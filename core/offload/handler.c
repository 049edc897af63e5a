/* SPDX-License-Identifier: MIT */
#include "offload/handler.h"

#include <errno.h>
#include <stdatomic.h>

#include "offload/inbox.h"
#include "sched/slab.h"
#include "sched/wait.h"

static _Atomic(bool) expected;

/* The inbox of this OS thread while somebody is interruptible there; NULL: nobody has been. */
static _Thread_local struct verd_hub *inbox;

/* How many signals have been handled on this OS thread. */
static _Thread_local volatile uint32_t handled;

void verd__handlers_expect(void)
{
    atomic_store_explicit(&expected, true, memory_order_relaxed);
}

static bool prepare(struct verd__scheduler *scheduler)
{
    int error = errno;
    inbox = verd__inbox(scheduler);
    errno = error;
    return inbox != NULL;
}

bool verd__interruptible_begin(struct verd__scheduler *scheduler, enum verd__interruptible how)
{
    struct verd__area *area = verd__area(scheduler->running);
    if (!atomic_load_explicit(&expected, memory_order_relaxed) ||
        area->interruptible != VERD__NOT_INTERRUPTIBLE || !prepare(scheduler))
        return false;
    area->interruptible = (uint8_t)how;
    area->handled = handled;
    verd__inbox_expect(inbox);
    return true;
}

void verd__interruptible_end(struct verd__scheduler *scheduler, bool begun)
{
    if (!begun)
        return;
    verd__area(scheduler->running)->interruptible = VERD__NOT_INTERRUPTIBLE;
    verd__inbox_expect_no_more(inbox);
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

/* Whom it interrupts, while they are gone through. */
static _Thread_local struct verd__thread *chosen;
static _Thread_local union event event;

static bool is_later(const struct verd__thread *thread, const struct verd__thread *other)
{
    return verd__area(thread)->wait.since >= verd__area(other)->wait.since;
}

static void choose(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    const struct verd__area *area = thread->state == VERD__STARTED ? verd__area(thread) : NULL;
    if (area == NULL || area->wait.kind == NULL || area->interruptible < event.least ||
        (int32_t)(area->handled - event.number) >= 0) /* it began later */
        return;
    if (chosen == NULL || thread == scheduler->main ||
        (chosen != scheduler->main && is_later(thread, chosen)))
        chosen = thread;
}

/* On a green thread of its own. */
static void interrupt_one(void *arg)
{
    event.arg = arg;
    chosen = NULL;
    verd__slabs_each(verd__current, NULL, choose);
    if (chosen != NULL)
        verd__wait_abort(chosen, EINTR, chosen->shield);
}

void verd__handler_has_run(bool restarts)
{
    union event now = {.number = ++handled,
                       .least = restarts ? VERD__BY_ALL : VERD__UNLESS_RESTARTED};
    int error = errno;
    if (verd__current != NULL && inbox != NULL)
        verd_post(inbox, interrupt_one, now.arg);
    errno = error;
}
