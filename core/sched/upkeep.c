/* SPDX-License-Identifier: MIT */
#include "sched/upkeep.h"

#include <errno.h>
#include <verd/thread.h>

#include "context/fibre.h"
#include "sched/area.h"
#include "sched/carrier.h"
#include "sched/scheduler.h"
#include "sched/slab.h"

/* It works so long at a time, or until the system call that it is at has come back, and then leaves twenty times
 * as long to others. If there are none who could run, only the poller is looked at between. */
#define SLICE (50 * VERD_US)
#define PAUSE (VERD_MS)

/* A stack goes back when nobody has used it for so long, to twice that. */
#define AGE (2 * VERD_SEC)

/* What a function may use below the stack pointer without saying so (x86-64's ABI; AArch64 has none). */
#define RED_ZONE 128

void verd__upkeep_init(struct verd__upkeep *upkeep)
{
    upkeep->due = upkeep->aging = upkeep->walking = VERD_FOREVER;
    upkeep->long_wait = VERD_RECLAIM_AFTER;
}

static void set_due(struct verd__upkeep *upkeep)
{
    upkeep->due = upkeep->aging < upkeep->walking ? upkeep->aging : upkeep->walking;
}

static void bring_forward(struct verd__upkeep *upkeep, verd_duration when)
{
    if (upkeep->due > when)
        upkeep->due = when;
}

void verd__upkeep_expect(struct verd__scheduler *scheduler)
{
    struct verd__upkeep *upkeep = &scheduler->upkeep;
    if (upkeep->walking == VERD_FOREVER) {
        upkeep->walking = verd__time_after(scheduler->clock, upkeep->long_wait);
        bring_forward(upkeep, upkeep->walking);
    }
    if ((scheduler->expecting & VERD__SURPLUS) && upkeep->aging == VERD_FOREVER) {
        upkeep->aging = scheduler->clock + AGE;
        bring_forward(upkeep, upkeep->aging);
    }
}

/* Returns whether there is more to do now. */
static bool age(struct verd__scheduler *scheduler, verd_duration now)
{
    if (verd__stacks_clean_some(&scheduler->stacks))
        return true;
    if (verd__stacks_age(&scheduler->stacks)) {
        scheduler->upkeep.aging = now + AGE;
    } else {
        scheduler->upkeep.aging = VERD_FOREVER;
        scheduler->expecting &= ~VERD__SURPLUS;
    }
    return false;
}

/* The wait of a thread whose stack can be trimmed, or NULL. */
static const struct verd__wait *wait_of(const struct verd__scheduler *scheduler,
                                        const struct verd__thread *thread)
{
    if (thread->state != VERD__STARTED || thread == scheduler->running ||
        thread == scheduler->main || verd__is_carried(scheduler))
        return NULL;
    const struct verd__wait *wait = &verd__area(thread)->wait;
    return wait->kind != NULL && verd__area(thread)->trimmed != wait->since ? wait : NULL;
}

/* Gives a piece back of what lies below the frames of a thread. Returns whether nothing is left there to be. */
static bool trim(struct verd__upkeep *upkeep, const struct verd__thread *thread)
{
    const char *low = verd__fibre_low(&thread->context) - RED_ZONE;
    if (low <= thread->stack->low)
        return true;
    upkeep->done = verd__stack_clean_below(thread->stack, low, upkeep->done);
    return upkeep->done == verd__stack_below(thread->stack, low);
}

/* At the thread that the walk has come to; returns whether it may go on to the next. */
static bool visit(struct verd__scheduler *scheduler, struct verd__thread *thread, verd_duration now)
{
    struct verd__upkeep *upkeep = &scheduler->upkeep;
    const struct verd__wait *wait = wait_of(scheduler, thread);
    if (wait == NULL)
        return true;
    if (now - wait->since < upkeep->long_wait) {
        upkeep->has_younger = true;
        return true;
    }
    if (!trim(upkeep, thread))
        return false;
    verd__area(thread)->trimmed = wait->since;
    return true;
}

static void end_walk(struct verd__upkeep *upkeep, verd_duration now)
{
    upkeep->slab = NULL;
    upkeep->walking =
        upkeep->has_younger ? verd__time_after(now, upkeep->long_wait / 2) : VERD_FOREVER;
    upkeep->has_younger = false;
}

/* A step through the blocks of the slabs. Returns whether there is more to do now. */
static bool walk(struct verd__scheduler *scheduler, verd_duration now)
{
    struct verd__upkeep *upkeep = &scheduler->upkeep;
    if (upkeep->slab == NULL) {
        upkeep->slab = scheduler->slabs;
        upkeep->block = 1;
    }
    if (upkeep->block == upkeep->slab->used) {
        upkeep->slab = upkeep->slab->next;
        upkeep->block = 1;
        if (upkeep->slab == NULL)
            end_walk(upkeep, now);
        return upkeep->slab != NULL;
    }
    if (visit(scheduler, &verd__slab_blocks(upkeep->slab)[upkeep->block], now)) {
        upkeep->block++;
        upkeep->done = 0;
    }
    return true;
}

static bool step(struct verd__scheduler *scheduler, verd_duration now)
{
    if (now >= scheduler->upkeep.aging && age(scheduler, now))
        return true;
    return now >= scheduler->upkeep.walking && walk(scheduler, now);
}

void verd__upkeep(struct verd__scheduler *scheduler)
{
    struct verd__upkeep *upkeep = &scheduler->upkeep;
    verd_duration begin = verd_now(), now = begin;
    bool more;
    while ((more = step(scheduler, now)) && now - begin < SLICE)
        now = verd_now();
    set_due(upkeep);
    if (more)
        upkeep->due = scheduler->first != NULL ? now + PAUSE : now;
}

int verd_reclaim_after(verd_duration wait)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    if (wait <= 0) {
        errno = EINVAL;
        return -1;
    }
    scheduler->upkeep.long_wait = wait;
    scheduler->upkeep.slab = NULL;
    scheduler->upkeep.walking = VERD_FOREVER; /* the end of this round sets it */
    return 0;
}
