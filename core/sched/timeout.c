/* SPDX-License-Identifier: MIT */
/*
 * Timeout scopes. What is known of a scope lies in the thread's area, and the address of the user's struct is
 * but its name: a function may return, or an exception leave it, with a scope open, and then nothing of the
 * frame is looked at any more. A scope costs no timer until the thread waits; then one timer is armed
 * for the earliest deadline of all.
 */
#include "sched/timeout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sched/slab.h"
#include "sched/wait.h"

#define INTERRUPT_OF_SCOPES (VERD__INTERRUPT_TIMEOUT | VERD__INTERRUPT_UNARMED)

static struct verd__scope *scopes_of(struct verd__area *area)
{
    return area->scopes != NULL ? area->scopes : area->own_scopes;
}

/* Whether the scope has a deadline that is still to come. */
static bool is_pending(const struct verd__scope *scope)
{
    return !scope->fired && scope->deadline != VERD_FOREVER;
}

/* The point in time at which the scope runs out. */
static verd_duration deadline_of(const struct verd__scheduler *scheduler, struct verd__scope *scope)
{
    if (scope->begun != 0) {
        verd_duration begun = verd__timestamp_time(&scheduler->timestamps, scope->begun);
        if (begun < scheduler->clock) /* it has run ever since the last look */
            begun = scheduler->clock;
        scope->deadline = verd__time_after(begun, scope->deadline);
        scope->begun = 0;
    }
    return scope->deadline;
}

static void fire(struct verd__timer *timer);

/* Arms the timer for the earliest deadline. If it is already, it keeps its place among those of others. */
static void arm(struct verd__scheduler *scheduler, struct verd__area *area)
{
    struct verd__scope *scopes = scopes_of(area);
    verd_duration earliest = VERD_FOREVER;
    for (unsigned i = 0; i < area->scope_count; i++) {
        if (is_pending(&scopes[i]) && deadline_of(scheduler, &scopes[i]) < earliest)
            earliest = scopes[i].deadline;
    }
    if (verd__timer_armed(&area->limit) && area->limit.deadline == earliest)
        return;
    verd__timer_cancel(&scheduler->timers, &area->limit);
    area->limit.fire = fire;
    if (earliest != VERD_FOREVER)
        verd__timer_arm(&scheduler->timers, &area->limit, earliest);
}

/* The errno of the outermost scope that has fired, of those that began within all the shields that there are. 0:
 * there is none. */
static int error_of(const struct verd__thread *thread)
{
    struct verd__area *area = verd__area(thread);
    const struct verd__scope *scopes = scopes_of(area);
    for (unsigned i = 0; i < area->scope_count; i++) {
        if (scopes[i].fired && scopes[i].shield >= thread->shield)
            return scopes[i].error != 0 ? scopes[i].error : ETIMEDOUT;
    }
    return 0;
}

/* A scope has fired: the thread learns of it now if it waits, else at its next wait. */
static void tell_fired(struct verd__scheduler *scheduler, struct verd__area *area, unsigned shield)
{
    struct verd__thread *thread = area->wait.thread;
    arm(scheduler, area);
    thread->interrupt |= VERD__INTERRUPT_TIMEOUT;
    verd__wait_abort(thread, error_of(thread), shield);
}

/* The earliest deadline has come. */
static void fire(struct verd__timer *timer)
{
    struct verd__scheduler *scheduler = verd__current;
    struct verd__area *area = VERD__CONTAINER_OF(timer, struct verd__area, limit);
    struct verd__scope *scopes = scopes_of(area);
    unsigned shield = 0;
    for (unsigned i = 0; i < area->scope_count; i++) {
        if (!is_pending(&scopes[i]) || deadline_of(scheduler, &scopes[i]) > scheduler->clock)
            continue;
        scopes[i].fired = true;
        if (scopes[i].shield > shield)
            shield = scopes[i].shield;
    }
    tell_fired(scheduler, area, shield);
}

/* The open scope of this name; NULL: there is none. */
static struct verd__scope *find(struct verd__area *area, const verd_timeout *timeout)
{
    struct verd__scope *scopes = scopes_of(area);
    unsigned i = area->scope_count;
    while (i > 0 && scopes[i - 1].timeout != timeout)
        i--;
    return i > 0 ? &scopes[i - 1] : NULL;
}

/* There is no place for another scope. */
static bool grow(struct verd__area *area)
{
    unsigned size = area->scope_count * 2;
    struct verd__scope *scopes = malloc(size * sizeof *scopes);
    if (scopes == NULL)
        return false;
    memcpy(scopes, scopes_of(area), area->scope_count * sizeof *scopes);
    free(area->scopes);
    area->scopes = scopes;
    area->scope_room = size;
    return true;
}

static bool has_place(const struct verd__area *area)
{
    return area->scope_count < (area->scopes != NULL ? area->scope_room : VERD__SCOPES_MIN);
}

/* Begins to count where there is no timestamp of the beginning: the deadline is known now. */
static __attribute__((noinline)) int start_slowly(struct verd__thread *self,
                                                  struct verd__scope *scope, verd_duration after)
{
    scope->begun = 0;
    scope->fired = after <= 0;
    if (after <= 0) {
        self->interrupt |= VERD__INTERRUPT_TIMEOUT;
    } else if (after != VERD_FOREVER) {
        self->interrupt |= VERD__INTERRUPT_UNARMED;
        scope->deadline = verd__time_after(verd_now(), after);
    }
    return 0;
}

/* A scope on the running thread, for which there is a place. What is unusual is in functions of its own, so that
 * the rest needs no frame. */
static inline int begin(struct verd__scheduler *scheduler, const verd_timeout *timeout,
                        verd_duration after)
{
    struct verd__thread *self = scheduler->running;
    struct verd__area *area = verd__area(self);
    struct verd__scope *scope = &scopes_of(area)[area->scope_count++];
    scope->timeout =
        timeout; /* NOLINT(clang-analyzer-unix.Malloc): the room doubles, and is never 0 */
    scope->deadline = after;
    scope->state = self->shield;
    bool is_finite = after > 0 && after != VERD_FOREVER;
    if (__builtin_expect(!is_finite || !verd__clock_runs(&scheduler->timestamps), 0))
        return start_slowly(self, scope, after);
    scope->begun = verd__cycles();
    self->interrupt |= VERD__INTERRUPT_UNARMED;
    return 0;
}

/* Recomputes what is pending from the scopes that are still open. The timer is not left armed in vain. */
static void note_open(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    struct verd__area *area = verd__area(thread);
    const struct verd__scope *scopes = scopes_of(area);
    verd_duration earliest = VERD_FOREVER;
    uint8_t interrupt = 0;
    for (unsigned i = 0; i < area->scope_count; i++) {
        if (scopes[i].fired)
            interrupt |= VERD__INTERRUPT_TIMEOUT;
        else if (is_pending(&scopes[i]) && scopes[i].begun != 0)
            interrupt |= VERD__INTERRUPT_UNARMED;
        else if (scopes[i].deadline < earliest)
            earliest = scopes[i].deadline;
    }
    if (verd__timer_armed(&area->limit) && area->limit.deadline != earliest)
        verd__timer_cancel(&scheduler->timers, &area->limit);
    if (earliest != VERD_FOREVER && !verd__timer_armed(&area->limit))
        interrupt |= VERD__INTERRUPT_UNARMED;
    thread->interrupt = (uint8_t)((thread->interrupt & ~INTERRUPT_OF_SCOPES) | interrupt);
}

/* Whether the scope lies deeper in the stack than a frame that calls verd_timeout_begin or _end: then it was left
 * open in one that is gone. It is not known of the main thread how far its stack goes. */
static bool is_left(const struct verd__scheduler *scheduler, const struct verd__scope *scope,
                    const void *frame)
{
    const struct verd__thread *self = scheduler->running;
    return self != scheduler->main && (uintptr_t)scope->timeout >= (uintptr_t)self->stack->low &&
           (uintptr_t)scope->timeout < (uintptr_t)frame;
}

/* Ends the scopes that were left open, and none of those that began after them. */
static void drop_left(struct verd__scheduler *scheduler, const void *frame)
{
    struct verd__area *area = verd__area(scheduler->running);
    struct verd__scope *scopes = scopes_of(area);
    unsigned kept = 0;
    for (unsigned i = 0; i < area->scope_count; i++) {
        if (!is_left(scheduler, &scopes[i], frame))
            scopes[kept++] = scopes[i];
    }
    if (kept == area->scope_count)
        return;
    area->scope_count = kept;
    note_open(scheduler, scheduler->running);
}

/* There are others, this one perhaps among them, or this is the first of the OS thread. */
static __attribute__((noinline)) int begin_slowly(verd_timeout *timeout, verd_duration after)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (timeout == NULL || scheduler == NULL) {
        errno = timeout == NULL ? EINVAL : ENOMEM;
        return -1;
    }
    struct verd__area *area = verd__area(scheduler->running);
    drop_left(scheduler, __builtin_frame_address(0));
    if (find(area, timeout) != NULL)
        verd_timeout_end(timeout);
    if (!has_place(area) && !grow(area)) {
        errno = ENOMEM;
        return -1;
    }
    if (!verd__clock_runs(&scheduler->timestamps))
        verd__clock_start(&scheduler->timestamps);
    return begin(scheduler, timeout, after);
}

int verd_timeout_begin(verd_timeout *timeout, verd_duration after)
{
    struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(timeout == NULL || scheduler == NULL ||
                             !verd__clock_runs(&scheduler->timestamps) ||
                             verd__area(scheduler->running)->scope_count != 0,
                         0))
        return begin_slowly(timeout, after);
    return begin(scheduler, timeout, after);
}

int verd_timeout_begin_as(verd_timeout *timeout, verd_duration after, int error)
{
    if (error < VERD_ERROR_OWN || error > VERD_FAILURE_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (verd_timeout_begin(timeout, after) != 0)
        return -1;
    find(verd__area(verd__current->running), timeout)->error = (uint16_t)error;
    return 0;
}

void verd__timeouts_arm(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    arm(scheduler, verd__area(thread));
    thread->interrupt &= (uint8_t)~VERD__INTERRUPT_UNARMED;
}

void verd__timeout_expire(struct verd__thread *thread, const verd_timeout *timeout)
{
    if (thread->state != VERD__STARTED)
        return;
    struct verd__area *area = verd__area(thread);
    struct verd__scope *scope = find(area, timeout);
    if (scope == NULL)
        return;
    scope->fired = true;
    tell_fired(verd__current, area, scope->shield);
}

/* There are others, or the timer is armed. */
static __attribute__((noinline)) bool end_slowly(struct verd__scheduler *scheduler,
                                                 const verd_timeout *timeout)
{
    struct verd__area *area = verd__area(scheduler->running);
    drop_left(scheduler, __builtin_frame_address(0));
    const struct verd__scope *scope = find(area, timeout);
    if (scope == NULL)
        return false;
    bool fired = scope->fired;
    area->scope_count = (unsigned)(scope - scopes_of(area));
    note_open(scheduler, scheduler->running);
    return fired;
}

bool verd_timeout_end(verd_timeout *timeout)
{
    struct verd__scheduler *scheduler = verd__current;
    if (timeout == NULL || scheduler == NULL)
        return false;
    struct verd__thread *self = scheduler->running;
    struct verd__area *area = verd__area(self);
    const struct verd__scope *scope = scopes_of(area);
    bool is_only = area->scope_count == 1 && scope->timeout == timeout;
    if (__builtin_expect(!is_only || verd__timer_armed(&area->limit), 0))
        return end_slowly(scheduler, timeout);
    area->scope_count = 0;
    self->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
    return scope->fired;
}

verd_duration verd_timeout_left(const verd_timeout *timeout)
{
    struct verd__scheduler *scheduler = verd__current;
    struct verd__scope *scope =
        scheduler != NULL ? find(verd__area(scheduler->running), timeout) : NULL;
    if (scope == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (scope->fired)
        return 0;
    if (scope->deadline == VERD_FOREVER)
        return VERD_FOREVER;
    verd_duration left = deadline_of(scheduler, scope) - verd_now();
    return left > 0 ? left : 0;
}

int verd_timeout_move(verd_thread *t, verd_timeout *timeout, verd_duration after)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    struct verd__scheduler *scheduler = verd__current;
    struct verd__area *area = thread->state == VERD__STARTED ? verd__area(thread) : NULL;
    struct verd__scope *scope = area != NULL ? find(area, timeout) : NULL;
    if (scope == NULL) {
        errno = EINVAL;
        return -1;
    }
    scope->begun = 0;
    scope->fired = after <= 0;
    if (after > 0)
        scope->deadline = verd__time_after(verd_now(), after);
    note_open(scheduler, thread);
    if (scope->fired)
        tell_fired(scheduler, area, scope->shield);
    else
        verd__timeouts_arm(scheduler, thread);
    return 0;
}

void verd__scopes_close(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    struct verd__area *area = verd__area(thread);
    area->scope_count = 0;
    verd__timer_cancel(&scheduler->timers, &area->limit);
    thread->interrupt &= (uint8_t)~INTERRUPT_OF_SCOPES;
    free(area->scopes);
    area->scopes = NULL;
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

int verd__interrupted(const struct verd__scheduler *scheduler)
{
    const struct verd__thread *self = scheduler->running;
    if ((self->interrupt & VERD__INTERRUPT_KILL) && self->shield == 0) {
        errno = ECANCELED;
        return -1;
    }
    int error = self->interrupt & VERD__INTERRUPT_TIMEOUT ? error_of(self) : 0;
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}
