/* SPDX-License-Identifier: MIT */
#include "sched/timeout.h"

#include <errno.h>

#include "sched/wait.h"

#define INTERRUPT_OF_SCOPES (VERD__INTERRUPT_TIMEOUT | VERD__INTERRUPT_UNARMED)

/* The timer is the thread's and not the scopes', whose frames may be gone when the thread ends. */

/* Whether the scope has a deadline that is still to come. */
static bool is_pending(const struct verd_timeout *timeout)
{
    return !timeout->fired && timeout->deadline != VERD_FOREVER;
}

/* The point in time at which the scope runs out. */
static verd_duration deadline_of(struct verd__scheduler *scheduler, struct verd_timeout *timeout)
{
    if (timeout->begun != 0) {
        verd_duration begun = verd__moment_time(&scheduler->moments, timeout->begun);
        if (begun < scheduler->clock) /* it has run ever since the last look */
            begun = scheduler->clock;
        timeout->deadline = verd__time_after(begun, timeout->deadline);
        timeout->begun = 0;
    }
    return timeout->deadline;
}

static void fire(struct verd__timer *timer);

/* Arms the timer for the earliest deadline. If it is already, it keeps its place among those of others. */
static void arm(struct verd__scheduler *scheduler, struct verd__room *room)
{
    verd_duration earliest = VERD_FOREVER;
    for (struct verd_timeout *timeout = room->timeouts; timeout != NULL; timeout = timeout->outer) {
        if (is_pending(timeout) && deadline_of(scheduler, timeout) < earliest)
            earliest = timeout->deadline;
    }
    if (verd__timer_armed(&room->limit) && room->limit.deadline == earliest)
        return;
    verd__timer_cancel(&scheduler->timers, &room->limit);
    room->limit.fire = fire;
    if (earliest != VERD_FOREVER)
        verd__timer_arm(&scheduler->timers, &room->limit, earliest);
}

/* A scope of the thread has fired: it learns of it now if it waits, else at its next wait. */
static void tell_fired(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    arm(scheduler, verd__room(thread));
    thread->interrupt |= VERD__INTERRUPT_TIMEOUT;
    verd__wait_abort(thread, ETIMEDOUT);
}

/* The earliest deadline has come. */
static void fire(struct verd__timer *timer)
{
    struct verd__scheduler *scheduler = verd__current;
    struct verd__room *room =
        (struct verd__room *)(void *)((char *)timer - offsetof(struct verd__room, limit));
    struct verd_thread *thread = room->timeouts->thread;
    for (struct verd_timeout *timeout = room->timeouts; timeout != NULL; timeout = timeout->outer) {
        if (is_pending(timeout) && deadline_of(scheduler, timeout) <= scheduler->clock)
            timeout->fired = true;
    }
    tell_fired(scheduler, thread);
}

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
    timeout->deadline = after;
    timeout->begun = 0;
    if (after <= 0) {
        interrupt = VERD__INTERRUPT_TIMEOUT;
    } else if (after != VERD_FOREVER) {
        interrupt = VERD__INTERRUPT_UNARMED;
        timeout->deadline = verd__time_after(verd_now(), after);
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
    timeout->deadline = after;
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
        *timeout = (verd_timeout){0};
        return -1;
    }
    if (is_open(verd__room(scheduler->running), timeout))
        verd_timeout_end(timeout); /* a second begin would tie the list into a knot */
    if (!verd__clock_runs(&scheduler->moments))
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

void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    arm(scheduler, verd__room(thread));
    thread->interrupt &= (uint8_t)~VERD__INTERRUPT_UNARMED;
}

/* Recomputes what is pending from the scopes that are still open. The timer is not left armed in vain. */
static void note_open(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    struct verd__room *room = verd__room(thread);
    verd_duration earliest = VERD_FOREVER;
    uint8_t interrupt = 0;
    for (const struct verd_timeout *timeout = room->timeouts; timeout != NULL;
         timeout = timeout->outer) {
        if (timeout->fired)
            interrupt |= VERD__INTERRUPT_TIMEOUT;
        else if (is_pending(timeout) && timeout->begun != 0)
            interrupt |= VERD__INTERRUPT_UNARMED;
        else if (timeout->deadline < earliest)
            earliest = timeout->deadline;
    }
    if (verd__timer_armed(&room->limit) && room->limit.deadline != earliest)
        verd__timer_cancel(&scheduler->timers, &room->limit);
    if (earliest != VERD_FOREVER && !verd__timer_armed(&room->limit))
        interrupt |= VERD__INTERRUPT_UNARMED;
    thread->interrupt = (uint8_t)((thread->interrupt & ~INTERRUPT_OF_SCOPES) | interrupt);
}

/* Closes the scopes from the innermost to `last`, which is among them. */
static void close_until(struct verd__room *room, const struct verd_timeout *last)
{
    struct verd_timeout *timeout;
    do {
        timeout = room->timeouts;
        room->timeouts = timeout->outer;
        timeout->thread = NULL;
    } while (timeout != last);
}

void verd__timeout_expire(struct verd_timeout *timeout)
{
    struct verd_thread *thread = timeout->thread;
    if (timeout->fired || thread == NULL)
        return;
    timeout->fired = true;
    tell_fired(verd__current, thread);
}

/* There are others, or it is armed. */
static __attribute__((noinline)) bool end_slowly(struct verd__scheduler *scheduler,
                                                 verd_timeout *timeout)
{
    struct verd_thread *self = scheduler->running;
    struct verd__room *room = verd__room(self);
    if (!is_open(room, timeout))
        return false;
    close_until(room, timeout);
    note_open(scheduler, self);
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
    if (__builtin_expect(!is_only || verd__timer_armed(&room->limit), 0))
        return end_slowly(scheduler, timeout);
    room->timeouts = NULL;
    timeout->thread = NULL;
    self->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
    return timeout->fired;
}

void verd__timeouts_forget(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    struct verd__room *room = verd__room(thread);
    if (room->timeouts == NULL)
        return;
    room->timeouts = NULL;
    verd__timer_cancel(&scheduler->timers, &room->limit);
    thread->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
}

void verd__timeouts_close(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    struct verd_timeout *timeout = verd__room(thread)->timeouts;
    for (; timeout != NULL; timeout = timeout->outer)
        timeout->thread = NULL;
    verd__timeouts_forget(scheduler, thread);
}

int verd_with_timeout(verd_duration after, void *(*fn)(void *), void *arg, void **result)
{
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    verd_timeout timeout = {0};
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
