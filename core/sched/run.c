/* SPDX-License-Identifier: MIT */
/* Who runs next, and the switch to it; the code under every green thread. */
#include <errno.h>

#include "context/fibre.h"
#include "sched/area.h"
#include "sched/carrier.h"
#include "sched/exceptions.h"
#include "sched/scheduler.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/timeout.h"
#include "stack/line.h"

static void stack_main(void *value);

/* Begins the next round if someone is in it and no look is owed. */
static inline bool begin_round(struct verd__scheduler *scheduler)
{
    if (scheduler->first == NULL || verd__wants_poll(scheduler))
        return false;
    verd__turn(scheduler);
    return true;
}

/* The next thread of the round, whatever its state, taken out of the run queue. NULL: there is none, or
 * something to look at before. */
static inline struct verd__thread *next_at_hand(struct verd__scheduler *scheduler)
{
    if (scheduler->batch == NULL && !begin_round(scheduler))
        return NULL;
    struct verd__thread *thread = scheduler->batch;
    scheduler->batch = thread->next;
    return thread;
}

/* The next thread of the round, taken out of the run queue: STARTED, or UNSTARTED and neither
 * cancelled nor killed. */
static struct verd__thread *next_thread(struct verd__scheduler *scheduler)
{
    for (;;) {
        struct verd__thread *thread = next_at_hand(scheduler);
        if (thread == NULL) {
            verd__round(scheduler);
            continue;
        }
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
    const struct verd__thread *next = scheduler->batch;
    if (next == NULL)
        return;
    __builtin_prefetch(next->context.sp);
    __builtin_prefetch(next->next);
}

/* There is no stack for an unstarted thread: it is the next to start where another one ends. */
static void starve(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (scheduler->starved == NULL) {
        struct verd__line line = {0};
        verd__line_text(&line, "no memory for the stack of thread ");
        verd__line_number(&line, verd__thread_number(thread));
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
static inline bool has_stack(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (thread->stack == NULL && scheduler->starved == NULL)
        thread->stack = verd__stack_get(scheduler, scheduler->default_class);
    return thread->stack != NULL;
}

/* Leaves the running thread for one that is suspended. The switch is the last act, so that whoever comes
 * back is at once where it called from: with its outcome, and its errno in place. */
static inline int switch_to(struct verd__scheduler *scheduler, struct verd__thread *self,
                            struct verd__thread *next)
{
    prefetch_next(scheduler);
    scheduler->budget = VERD__BUDGET;
    self->error = *scheduler->errno_location;
    *scheduler->errno_location = next->error;
    scheduler->running = next;
    if (verd__is_carried(scheduler))
        return verd__carrier_switch(scheduler, self, next, stack_main);
    return verd__context_switch(&self->context, &next->context, (void *)(intptr_t)next->outcome);
}

/* The same for one that has a stack, but has not started. */
static inline int enter(struct verd__scheduler *scheduler, struct verd__thread *self,
                        struct verd__thread *next)
{
    prefetch_next(scheduler);
    scheduler->budget = VERD__BUDGET;
    self->error = *scheduler->errno_location;
    scheduler->running = next;
    if (verd__is_carried(scheduler))
        return verd__carrier_switch(scheduler, self, next, stack_main);
    return verd__fibre_enter(&self->context, next->stack, scheduler, stack_main);
}

/* Goes on with the running thread itself. */
static inline int stay(struct verd__scheduler *scheduler, const struct verd__thread *self)
{
    scheduler->budget = VERD__BUDGET;
    *scheduler->errno_location = self->error;
    return self->outcome;
}

/* The next one is not started, or there is none, or it is time to look at the world. The looks and the mapping
 * of stacks change errno. */
static __attribute__((noinline)) int suspend_slowly(struct verd__scheduler *scheduler)
{
    struct verd__thread *self = scheduler->running;
    self->error = *scheduler->errno_location;
    for (;;) {
        struct verd__thread *next = next_thread(scheduler);
        if (next == self)
            return stay(scheduler, self);
        if (!has_stack(scheduler, next)) {
            starve(scheduler, next);
            continue;
        }
        *scheduler->errno_location = self->error;
        return next->state == VERD__STARTED ? switch_to(scheduler, self, next)
                                            : enter(scheduler, self, next);
    }
}

/* The next one is not started. Mostly it is to run, on a stack of the cache. */
static __attribute__((noinline)) int suspend_for_new(struct verd__scheduler *scheduler,
                                                     struct verd__thread *self,
                                                     struct verd__thread *next)
{
    const struct verd__stack_class *class = &scheduler->stacks.classes[scheduler->default_class];
    if (next->state != VERD__UNSTARTED || next->stack != NULL || class->cached == NULL ||
        scheduler->starved != NULL || verd__is_carried(scheduler)) {
        next->next = scheduler->batch; /* back to where it was */
        scheduler->batch = next;
        return suspend_slowly(scheduler);
    }
    next->flags &= (uint8_t)~VERD__QUEUED;
    next->stack = verd__stack_take(&scheduler->stacks, scheduler->default_class);
    return enter(scheduler, self, next);
}

/* The thread has C++ exceptions in work, which nobody else is to see. */
static __attribute__((noinline)) int suspend_with_exceptions(struct verd__scheduler *scheduler)
{
    struct verd__exceptions *exceptions = scheduler->exceptions;
    struct verd__exceptions own = *exceptions;
    *exceptions = (struct verd__exceptions){0};
    int outcome = suspend_slowly(scheduler);
    *exceptions = own;
    return outcome;
}

static __attribute__((noinline)) int arm_and_suspend(struct verd__scheduler *scheduler)
{
    verd__timeouts_arm(scheduler, scheduler->running);
    return verd__suspend(scheduler);
}

int verd__suspend(struct verd__scheduler *scheduler)
{
    struct verd__thread *self = scheduler->running;
    if (__builtin_expect(self->interrupt & VERD__INTERRUPT_UNARMED, 0))
        return arm_and_suspend(scheduler);
    if (__builtin_expect(verd__exceptions_any(scheduler), 0))
        return suspend_with_exceptions(scheduler);
    struct verd__thread *next = next_at_hand(scheduler);
    if (__builtin_expect(next == NULL, 0))
        return suspend_slowly(scheduler);
    if (__builtin_expect(next->state != VERD__STARTED, 0))
        return suspend_for_new(scheduler, self, next);
    if (__builtin_expect(next == self, 0)) {
        scheduler->budget = VERD__BUDGET;
        return self->outcome;
    }
    return switch_to(scheduler, self, next);
}

/* As one whose wait has ended already. */
int verd__give_way_with(struct verd__scheduler *scheduler, int result)
{
    struct verd__thread *self = scheduler->running;
    self->outcome = result;
    verd__ready(scheduler, self);
    return verd__suspend(scheduler);
}

void verd_yield(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (__builtin_expect(scheduler != NULL, 1))
        verd__give_way(scheduler);
}

/* Runs a thread from its start to its end, on the stack that it was bound to. */
static void run(struct verd__scheduler *scheduler, struct verd__thread *self)
{
    union verd__start start = self->start;
    void *result = NULL;
    struct verd__area *area = verd__area(self);
    area->member = self->owner;
    area->start = start;
    area->site = self->site;
    area->wait.thread = self;
    area->wait.entry.wait = &area->wait;
    area->posix.thread = NULL;
    area->posix.cleanups = NULL;
    area->posix.is_uncancelable = area->posix.is_asynchronous = false;
    self->state = VERD__STARTED;
    *scheduler->errno_location = 0;
    verd__float_control_set(&scheduler->float_control);
    if (self->flags & VERD__RESULT)
        result = start.call(self->arg);
    else
        start.run(self->arg);
    verd__area_clean(scheduler, self);
    area->name[0] = '\0';
    if (self->watches == NULL && self->owner == NULL && !(self->flags & VERD__HANDLE))
        verd__slab_give(scheduler, self); /* nobody will ask */
    else
        verd__thread_end(scheduler, self, result, 0);
}

struct verd__thread *verd__starved_pop(struct verd__scheduler *scheduler)
{
    struct verd__thread *thread;
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
static inline struct verd__thread *next_or_starved(struct verd__scheduler *scheduler,
                                                   const struct verd__stack *stack)
{
    if (__builtin_expect(scheduler->starved != NULL, 0) &&
        stack->class == scheduler->default_class) {
        struct verd__thread *thread = verd__starved_pop(scheduler);
        if (thread != NULL) {
            if (scheduler->expecting & VERD__OBSERVED)
                verd__observed_next(scheduler, thread);
            return thread;
        }
    }
    return next_thread(scheduler);
}

/* `next`, or who comes behind it, with a stack of its own. */
static __attribute__((noinline)) struct verd__thread *with_stack(struct verd__scheduler *scheduler,
                                                                 struct verd__thread *next)
{
    while (!has_stack(scheduler, next)) {
        starve(scheduler, next);
        next = next_thread(scheduler);
    }
    return next;
}

/* The next thread that does not run on `stack`, where one has just ended; those that have no stack yet
 * are run there first, one after the other. */
static struct verd__thread *run_on(struct verd__scheduler *scheduler, struct verd__stack *stack)
{
    for (;;) {
        run(scheduler, scheduler->running);
        struct verd__thread *next = next_or_starved(scheduler, stack);
        scheduler->budget = VERD__BUDGET;
        if (__builtin_expect(stack->class != scheduler->default_class, 0))
            next = with_stack(scheduler, next);
        else if (verd__is_carried(scheduler) && next->stack == NULL)
            next->stack = verd__stack_get(scheduler, scheduler->default_class);
        if (next->stack != NULL)
            return next;
        next->stack = stack;
        scheduler->running = next;
    }
}

/* What every stack runs, from its top: threads, until there is one with a stack of its own. */
static void stack_main(void *value)
{
    struct verd__scheduler *scheduler = value;
    struct verd__stack *stack = scheduler->running->stack;
    struct verd__thread *next = run_on(scheduler, stack);
    if (verd__is_carried(scheduler)) {
        scheduler->running = next;
        verd__carrier_leave(scheduler, stack, next, stack_main);
        return;
    }
    prefetch_next(scheduler);
    verd__stack_return(scheduler, stack);
    scheduler->running = next;
    *scheduler->errno_location = next->error;
    if (next->state == VERD__STARTED)
        verd__fibre_leave(&next->context, (void *)(intptr_t)next->outcome);
    else /* bound early, to a stack on which it has not begun */
        verd__fibre_replace(&scheduler->nowhere, next->stack, scheduler, stack_main);
}
