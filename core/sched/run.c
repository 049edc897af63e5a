/* SPDX-License-Identifier: MIT */
/* Who runs next, and the switch to it; the code under every green thread. */
#include <errno.h>

#include "context/enter.h"
#include "sched/exceptions.h"
#include "sched/fibre.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/timeout.h"
#include "sched/wait.h"
#include "stack/line.h"

static void worker(void *value);

/* Whether timers or the outside world want a look before the next round. */
static inline bool wants_look(const struct verd__scheduler *scheduler)
{
    return (scheduler->timers.armed | scheduler->expecting) != 0;
}

/* The next thread of the round, whatever its state, taken out of the run queue. NULL: there is none, or
 * something to look at before. */
static inline struct verd_thread *next_at_hand(struct verd__scheduler *scheduler)
{
    struct verd_thread *thread = scheduler->batch;
    if (thread == NULL) {
        thread = scheduler->first;
        if (thread == NULL || wants_look(scheduler))
            return NULL;
        verd__turn(scheduler);
    }
    scheduler->batch = thread->next;
    return thread;
}

/* The next thread of the round, taken out of the run queue: STARTED, or UNSTARTED and neither
 * cancelled nor killed. */
static struct verd_thread *next_thread(struct verd__scheduler *scheduler)
{
    for (;;) {
        struct verd_thread *thread = scheduler->batch;
        if (thread == NULL) {
            verd__round(scheduler);
            continue;
        }
        scheduler->batch = thread->next;
        if (thread->state == VERD__STARTED)
            return thread;
        thread->flags &= (uint8_t)~VERD__QUEUED;
        if (thread->state == VERD__UNSTARTED)
            return thread;
        verd__thread_drop(scheduler, thread);
    }
}

/* The thread's context and stack come into the cache while the one before it is switched to. */
static inline void prefetch_next(const struct verd__scheduler *scheduler)
{
    const struct verd_thread *next = scheduler->batch;
    if (next == NULL)
        return;
    __builtin_prefetch(next->context.sp);
    __builtin_prefetch(next->next);
}

/* There is no stack for an unstarted thread: it is the next to start where another one ends. */
static void starve(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    if (scheduler->starved == NULL) {
        struct verd__line line = {0};
        verd__line_text(&line, "no memory for the stack of thread ");
        verd__line_number(&line, verd_number(thread));
        verd__line_text(&line, ": it will start when another thread ends");
        verd__line_write(&line);
    }
    thread->next = NULL;
    thread->flags |= VERD__QUEUED;
    *scheduler->starved_last = thread;
    scheduler->starved_last = &thread->next;
}

/* Whether `thread` can be switched to; an unstarted one gets a stack for it, behind those that lack
 * one already. */
static inline bool has_stack(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    if (thread->stack == NULL && scheduler->starved == NULL)
        thread->stack = verd__stack_take(&scheduler->stacks, scheduler->default_class);
    return thread->stack != NULL;
}

/* Leaves the running thread for another one; returns when someone switches back. What it needs then, it
 * finds anew: so nothing has to be kept across the switch. */
static inline void switch_to(struct verd__scheduler *scheduler, struct verd_thread *self,
                             struct verd_thread *next, bool started)
{
    prefetch_next(scheduler);
    scheduler->budget = VERD__BUDGET;
    self->error = *scheduler->errno_location;
    scheduler->running = next;
    verd__fibre_leave(scheduler, &verd__room(self)->fibre, next);
    if (started)
        verd_context_switch(&self->context, &next->context, scheduler);
    else
        verd__context_enter(&self->context, next->stack, scheduler, worker);
    scheduler = verd__current;
    self = scheduler->running;
    verd__fibre_arrive(scheduler, verd__room(self)->fibre);
    *scheduler->errno_location = self->error;
}

/* The next one is not started, or there is none, or it is time to look at the world. */
static __attribute__((noinline)) void suspend_slowly(struct verd__scheduler *scheduler)
{
    struct verd_thread *self = scheduler->running;
    int saved = *scheduler->errno_location; /* the looks and the mapping of stacks change it */
    for (;;) {
        struct verd_thread *next = next_thread(scheduler);
        *scheduler->errno_location = saved;
        if (next == self) {
            scheduler->budget = VERD__BUDGET;
            return;
        }
        bool can_run = has_stack(scheduler, next);
        *scheduler->errno_location = saved;
        if (can_run) {
            switch_to(scheduler, self, next, next->state == VERD__STARTED);
            return;
        }
        starve(scheduler, next);
    }
}

/* The next one is not started. Mostly it is to run, on a stack of the cache. */
static __attribute__((noinline)) void suspend_for_new(struct verd__scheduler *scheduler,
                                                      struct verd_thread *self,
                                                      struct verd_thread *next)
{
    struct verd__stack_class *class = &scheduler->stacks.classes[scheduler->default_class];
    if (next->state != VERD__UNSTARTED || next->stack != NULL || class->cached == NULL ||
        scheduler->starved != NULL) {
        scheduler->batch = next; /* back to where it was */
        suspend_slowly(scheduler);
        return;
    }
    next->flags &= (uint8_t)~VERD__QUEUED;
    next->stack = verd__stack_take(&scheduler->stacks, scheduler->default_class);
    switch_to(scheduler, self, next, false);
}

/* The running thread has C++ exceptions, which nobody else is to see. */
static __attribute__((noinline)) void suspend_with_exceptions(struct verd__scheduler *scheduler)
{
    struct verd__exceptions *exceptions = scheduler->exceptions;
    struct verd__exceptions own = *exceptions;
    *exceptions = (struct verd__exceptions){0};
    suspend_slowly(scheduler);
    *exceptions = own;
}

/* Runs others until someone makes the running thread ready, which may have happened already. */
static inline void suspend(struct verd__scheduler *scheduler, struct verd_thread *self)
{
    if (__builtin_expect(verd__exceptions_any(scheduler), 0)) {
        suspend_with_exceptions(scheduler);
        return;
    }
    struct verd_thread *next = next_at_hand(scheduler);
    if (__builtin_expect(next == NULL, 0))
        suspend_slowly(scheduler);
    else if (__builtin_expect(next->state != VERD__STARTED, 0))
        suspend_for_new(scheduler, self, next);
    else if (__builtin_expect(next != self, 1))
        switch_to(scheduler, self, next, true);
    else
        scheduler->budget = VERD__BUDGET;
}

/* Runs a thread from its start to its end, on the stack that it was bound to. */
static void run(struct verd__scheduler *scheduler, struct verd_thread *self)
{
    union verd__start start = self->start;
    void *result = NULL;
    struct verd__room *room = verd__room(self);
    room->member = self->owner;
    self->wait = NULL;
    self->state = VERD__STARTED;
    *scheduler->errno_location = 0;
    verd__float_control_set(&scheduler->float_control);
    if (self->flags & VERD__RESULT)
        result = start.call(self->arg);
    else
        start.run(self->arg);
    if (__builtin_expect(room->locals != NULL || room->timeouts != NULL, 0))
        verd__room_clear(scheduler, self);
    room->name[0] = '\0';
    if (self->watches == NULL && self->owner == NULL && !(self->flags & VERD__HANDLE))
        verd__slab_give(scheduler, self); /* nobody will ask */
    else
        verd__thread_end(scheduler, self, result, 0);
}

struct verd_thread *verd__starved_pop(struct verd__scheduler *scheduler)
{
    struct verd_thread *thread;
    while ((thread = scheduler->starved) != NULL) {
        scheduler->starved = thread->next;
        if (thread->next == NULL)
            scheduler->starved_last = &scheduler->starved;
        thread->flags &= (uint8_t)~VERD__QUEUED;
        if (thread->state == VERD__UNSTARTED)
            break;
        verd__thread_drop(scheduler, thread);
    }
    return thread;
}

/* The next thread, where `stack` has become free. */
static inline struct verd_thread *next_or_starved(struct verd__scheduler *scheduler,
                                                  const struct verd__stack *stack)
{
    if (__builtin_expect(scheduler->starved != NULL, 0) &&
        stack->class == scheduler->default_class) {
        struct verd_thread *thread = verd__starved_pop(scheduler);
        if (thread != NULL)
            return thread;
    }
    return next_thread(scheduler);
}

/* The next thread that does not run on `stack`, where one has just ended; those that have no stack yet
 * are run there first, one after the other. */
static struct verd_thread *run_on(struct verd__scheduler *scheduler, struct verd__stack *stack)
{
    for (;;) {
        run(scheduler, scheduler->running);
        struct verd_thread *next = next_or_starved(scheduler, stack);
        scheduler->budget = VERD__BUDGET;
        while (next->stack == NULL && stack->class != scheduler->default_class &&
               !has_stack(scheduler, next)) {
            starve(scheduler, next);
            next = next_thread(scheduler);
        }
        if (next->stack != NULL)
            return next;
        next->stack = stack;
        scheduler->running = next;
    }
}

/* What every stack runs, from its top: threads, until there is one with a stack of its own. */
static void worker(void *value)
{
    struct verd__scheduler *scheduler = value;
    struct verd__stack *stack = scheduler->running->stack;
    verd__fibre_arrive(scheduler, NULL);
    struct verd_thread *next = run_on(scheduler, stack);
    prefetch_next(scheduler);
    verd__stack_give(&scheduler->stacks, stack);
    scheduler->running = next;
    verd__fibre_leave(scheduler, NULL, next);
    if (next->state == VERD__STARTED)
        verd__context_leave(&next->context, scheduler);
    else /* bound early, to a stack on which it has not begun */
        verd__context_enter(&scheduler->nowhere, next->stack, scheduler, worker);
}

void verd_yield(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (__builtin_expect(scheduler == NULL, 0))
        return;
    struct verd_thread *self = scheduler->running;
    if (__builtin_expect(self->interrupt & VERD__INTERRUPT_UNARMED, 0))
        verd__timeouts_arm(scheduler, self);
    scheduler->yielded = true;
    verd__ready(scheduler, self);
    suspend(scheduler, self);
}

void verd__give_way(struct verd__scheduler *scheduler)
{
    struct verd_thread *self = scheduler->running;
    if (self->interrupt & VERD__INTERRUPT_UNARMED)
        verd__timeouts_arm(scheduler, self);
    scheduler->yielded = true;
    verd__ready(scheduler, self);
    suspend(scheduler, self);
}

int verd__wait(struct verd__scheduler *scheduler, struct verd__wait *wait)
{
    struct verd_thread *self = scheduler->running;
    if (__builtin_expect(self->interrupt & VERD__INTERRUPT_UNARMED, 0))
        verd__timeouts_arm(scheduler, self);
    wait->thread = self;
    wait->since = scheduler->clock;
    wait->error = 0;
    self->wait = wait;
    suspend(scheduler, self);
    if (__builtin_expect(wait->error == 0, 1))
        return 0;
    errno = wait->error;
    return -1;
}

void verd__wait_abort(struct verd_thread *thread, int error)
{
    struct verd__wait *wait = thread->wait;
    if (thread->state != VERD__STARTED || wait == NULL || thread->shield != 0)
        return;
    if (wait->kind->cancel != NULL)
        wait->kind->cancel(wait);
    verd__wait_end(wait, error);
}

void verd__leave_line(struct verd__wait *wait)
{
    verd__waiters_remove(wait->line, wait);
}
