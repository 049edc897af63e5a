/* SPDX-License-Identifier: MIT */
#include "sched/timeout.h"

#include <errno.h>

#include "sched/wait.h"

#define INTERRUPT_OF_SCOPES (VERD__INTERRUPT_TIMEOUT | VERD__INTERRUPT_UNARMED)

/* The scope's deadline has come: the thread learns of it now if it waits, else at its next wait. */
static void fire(struct verd__timer *timer)
{
    struct verd_timeout *timeout = (struct verd_timeout *)timer; /* its first member */
    struct verd_thread *thread = timeout->thread;
    timeout->fired = true;
    thread->interrupt |= VERD__INTERRUPT_TIMEOUT;
    verd__wait_abort(thread, ETIMEDOUT);
}

_Static_assert(offsetof(struct verd_timeout, timer) == 0, "fire relies on it");

static bool is_open(const struct verd__room *room, const struct verd_timeout *wanted)
{
    const struct verd_timeout *timeout = room->timeouts;
    while (timeout != NULL && timeout != wanted)
        timeout = timeout->outer;
    return timeout != NULL;
}

/* Begins to count where there is no moment of the beginning: the deadline is known now. */
static __attribute__((noinline)) int start_slowly(verd_timeout *timeout, verd_duration after)
{
    uint8_t interrupt = 0;
    timeout->timer.deadline = after;
    timeout->begun = 0;
    if (after <= 0) {
        interrupt = VERD__INTERRUPT_TIMEOUT;
    } else if (after != VERD_FOREVER) {
        interrupt = VERD__INTERRUPT_UNARMED;
        timeout->timer.deadline = verd__time_after(verd_now(), after);
    }
    timeout->fired = after <= 0;
    timeout->thread->interrupt |= interrupt;
    return 0;
}

/* A scope on the running thread. What is unusual is in functions of its own, so that the rest needs no
 * frame. */
static inline int begin(struct verd__scheduler *scheduler, verd_timeout *timeout,
                        verd_duration after)
{
    struct verd_thread *self = scheduler->running;
    struct verd__room *room = verd__room(self);
    timeout->timer.next = NULL; /* not armed */
    timeout->timer.deadline = after;
    timeout->timer.fire = fire;
    timeout->outer = room->timeouts;
    timeout->thread = self;
    timeout->fired = false;
    room->timeouts = timeout;
    bool is_finite = after > 0 && after != VERD_FOREVER;
    if (__builtin_expect(!is_finite || !verd__clock_runs(&scheduler->moments), 0))
        return start_slowly(timeout, after);
    timeout->begun = verd__cycles();
    self->interrupt |= VERD__INTERRUPT_UNARMED;
    return 0;
}

/* There are others, this one perhaps among them, or this is the first of the OS thread. */
static __attribute__((noinline)) int begin_slowly(verd_timeout *timeout, verd_duration after)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL) {
        *timeout = (verd_timeout){.timer.fire = fire};
        return -1;
    }
    verd_timeout_end(timeout); /* a second begin would tie the list into a knot */
    verd__clock_start(&scheduler->moments);
    return begin(scheduler, timeout, after);
}

int verd_timeout_begin(verd_timeout *timeout, verd_duration after)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(scheduler == NULL || !verd__clock_runs(&scheduler->moments) ||
                             verd__room(scheduler->running)->timeouts != NULL,
                         0))
        return begin_slowly(timeout, after);
    return begin(scheduler, timeout, after);
}

/* The point in time at which the scope runs out. */
static verd_duration deadline_of(struct verd__scheduler *scheduler, struct verd_timeout *timeout)
{
    if (timeout->begun != 0) {
        verd_duration begun = verd__moment_time(&scheduler->moments, timeout->begun);
        if (begun < scheduler->clock) /* it has run ever since the last look */
            begun = scheduler->clock;
        timeout->timer.deadline = verd__time_after(begun, timeout->timer.deadline);
        timeout->begun = 0;
    }
    return timeout->timer.deadline;
}

void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    struct verd_timeout *timeout = verd__room(thread)->timeouts;
    for (; timeout != NULL; timeout = timeout->outer) {
        if (!timeout->fired && timeout->timer.deadline != VERD_FOREVER &&
            !verd__timer_armed(&timeout->timer))
            verd__timer_arm(&scheduler->timers, &timeout->timer, deadline_of(scheduler, timeout));
    }
    thread->interrupt &= (uint8_t)~VERD__INTERRUPT_UNARMED;
}

/* Recomputes what is pending from the scopes that are still open. */
static void note_open(struct verd_thread *thread, const struct verd_timeout *timeout)
{
    thread->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
    for (; timeout != NULL; timeout = timeout->outer) {
        if (timeout->fired)
            thread->interrupt |= VERD__INTERRUPT_TIMEOUT;
        else if (timeout->timer.deadline != VERD_FOREVER && !verd__timer_armed(&timeout->timer))
            thread->interrupt |= VERD__INTERRUPT_UNARMED;
    }
}

/* Closes the scopes from the innermost to `last`, which is among them. */
static void close_until(struct verd__scheduler *scheduler, struct verd__room *room,
                        const struct verd_timeout *last)
{
    struct verd_timeout *timeout;
    do {
        timeout = room->timeouts;
        room->timeouts = timeout->outer;
        if (verd__timer_armed(&timeout->timer))
            verd__timer_cancel(&scheduler->timers, &timeout->timer);
        timeout->thread = NULL;
    } while (timeout != last);
}

void verd__timeout_expire(struct verd_timeout *timeout)
{
    if (timeout->fired || timeout->thread == NULL)
        return;
    verd__timer_cancel(&verd__current->timers, &timeout->timer);
    fire(&timeout->timer);
}

/* There are others, or it is armed. */
static __attribute__((noinline)) bool end_slowly(struct verd__scheduler *scheduler,
                                                 verd_timeout *timeout)
{
    struct verd_thread *self = scheduler->running;
    struct verd__room *room = verd__room(self);
    if (!is_open(room, timeout))
        return false;
    close_until(scheduler, room, timeout);
    note_open(self, room->timeouts);
    return timeout->fired;
}

bool verd_timeout_end(verd_timeout *timeout)
{
    struct verd__scheduler *scheduler = verd__current;
    if (timeout == NULL || scheduler == NULL)
        return false;
    struct verd_thread *self = scheduler->running;
    struct verd__room *room = verd__room(self);
    bool is_only = room->timeouts == timeout && timeout->outer == NULL;
    if (__builtin_expect(!is_only || verd__timer_armed(&timeout->timer), 0))
        return end_slowly(scheduler, timeout);
    room->timeouts = NULL;
    timeout->thread = NULL;
    self->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
    return timeout->fired;
}

void verd__timeouts_end(struct verd__scheduler *scheduler, struct verd__room *room)
{
    const struct verd_timeout *last = room->timeouts;
    while (last->outer != NULL)
        last = last->outer;
    close_until(scheduler, room, last);
}

int verd_with_timeout(verd_duration after, void *(*fn)(void *), void *arg, void **result)
{
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    verd_timeout timeout;
    if (verd_timeout_begin(&timeout, after) != 0)
        return -1;
    void *returned = fn(arg);
    if (result != NULL)
        *result = returned;
    if (!verd_timeout_end(&timeout))
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

void verd_shield_begin(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler != NULL && scheduler->running->shield < UINT8_MAX)
        scheduler->running->shield++;
}

void verd_shield_end(void)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL && scheduler->running->shield > 0)
        scheduler->running->shield--;
}

int verd__interrupted(struct verd__scheduler *scheduler)
{
    const struct verd_thread *self = scheduler->running;
    if (self->shield != 0)
        return 0;
    errno = self->interrupt & VERD__INTERRUPT_KILL ? ECANCELED : ETIMEDOUT;
    return -1;
}
