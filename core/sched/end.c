/* SPDX-License-Identifier: MIT */
/* The end of a thread, seen by others: wait, link, cancel, kill; and the start that is still to come. */
#include <errno.h>
#include <stdlib.h>

#include "sched/carrier.h"
#include "sched/failure.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "stack/peek.h"

void verd__watch_add(struct verd__thread *thread, struct verd__watch *watch)
{
    struct verd__watch *first = thread->watches;
    if (first == NULL) {
        watch->next = watch->prev = watch;
        thread->watches = watch;
        return;
    }
    watch->next = first;
    watch->prev = first->prev;
    first->prev->next = watch;
    first->prev = watch;
}

void verd__watch_remove(struct verd__thread *thread, struct verd__watch *watch)
{
    if (watch->next == watch) {
        thread->watches = NULL;
    } else {
        watch->prev->next = watch->next;
        watch->next->prev = watch->prev;
        if (thread->watches == watch)
            thread->watches = watch->next;
    }
    watch->next = NULL;
}

int verd__thread_result(const struct verd__thread *thread, int error, void **result)
{
    return error == 0 ? verd__result_store(thread->result, result) : ESRCH;
}

/* The result is given and the handle given up here, as the control block may be gone when the joiner runs. */
static void joined(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    const struct verd__join *join = VERD__CONTAINER_OF(watch, struct verd__join, watch);
    struct verd__wait *wait = &VERD__CONTAINER_OF(join, struct verd__area, join)->wait;
    if (join->release)
        thread->flags &= (uint8_t)~VERD__HANDLE;
    verd__wait_end(wait, verd__thread_result(thread, error, wait->entry.value));
}

static void leave_join(struct verd__wait *wait, int error)
{
    struct verd__join *join = &VERD__CONTAINER_OF(wait, struct verd__area, wait)->join;
    (void)error;
    if (join->watch.next != NULL)
        verd__watch_remove(join->thread, &join->watch);
}

/* The thread may be another OS thread's: verd__handle, by copies. */
static verd_thread *awaited_one(const struct verd__wait *wait)
{
    const struct verd__thread *thread =
        VERD__CONTAINER_OF(wait, struct verd__area, wait)->join.thread;
    const struct verd__slab *slab = verd__slab_of(thread);
    uint32_t generation, place;
    if (!verd__peek(&generation, &thread->generation, sizeof generation) ||
        !verd__peek(&place, &slab->place, sizeof place))
        return NULL;
    place += (uint32_t)(thread - verd__slab_blocks(slab));
    return (verd_thread *)((uintptr_t)generation << 32 | place);
}

static const struct verd__wait_kind join_kind = {
    .name = "the end of a thread", .has_more = true, .ended = leave_join, .holder = awaited_one};

/* The thread has ended. */
static int take_result(struct verd__scheduler *scheduler, struct verd__thread *thread,
                       void **result, bool release)
{
    int error =
        verd__thread_result(thread, thread->state == VERD__ENDED ? thread->error : 0, result);
    if (release)
        verd__thread_release(scheduler, thread);
    return error == 0 ? verd__done(scheduler, 0) : verd__refuse(error);
}

static inline int await_end(struct verd__scheduler *scheduler, const verd_thread *t, void **result,
                            bool release)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (__builtin_expect(thread == NULL, 0))
        return verd__refuse(0);
    if (verd__thread_has_ended(scheduler, thread))
        return take_result(scheduler, thread, result, release);
    if (__builtin_expect(thread == scheduler->running, 0))
        return verd__refuse(EDEADLK);
    struct verd__area *area = verd__area(scheduler->running);
    area->join.watch.ended = joined;
    area->join.thread = thread;
    area->join.release = release;
    area->wait.entry.value = (void *)result;
    verd__watch_add(thread, &area->join.watch);
    return verd__wait(scheduler, &area->wait, &join_kind);
}

/* A link may ask for the result of its thread, though that was killed. */
static __attribute__((noinline)) int await_slowly(verd_thread *t, void **result, bool release)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return verd__refuse(0);
    bool is_own_end =
        (scheduler->running->flags & VERD__ENDING) && verd__thread_find(t) == scheduler->running;
    if (!is_own_end && !verd__may_wait(scheduler))
        return verd__refuse(0);
    return await_end(scheduler, t, result, release);
}

int verd_wait(verd_thread *t, void **result)
{
    return await_slowly(t, result, false);
}

int verd_join(verd_thread *t, void **result)
{
    struct verd__scheduler *scheduler = verd__current;
    return verd__is_clear(scheduler) ? await_end(scheduler, t, result, true)
                                     : await_slowly(t, result, true);
}

struct link {
    struct verd__watch watch;
    void (*fn)(verd_thread *, void *);
    void *arg;
};

static void call_link(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    (void)error;
    struct link *link = VERD__CONTAINER_OF(watch, struct link, watch);
    void (*fn)(verd_thread *, void *) = link->fn;
    void *arg = link->arg;
    free(link);
    fn(verd__handle(thread), arg);
}

int verd_link(verd_thread *t, void (*fn)(verd_thread *, void *), void *arg)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (thread->state == VERD__ENDED) {
        fn(t, arg);
        return 0;
    }
    struct link *link = malloc(sizeof *link);
    if (link == NULL)
        return -1;
    *link = (struct link){.watch.ended = call_link, .fn = fn, .arg = arg};
    verd__watch_add(thread, &link->watch);
    return 0;
}

static struct verd__watch *next_watch(const struct verd__thread *thread,
                                      const struct verd__watch *watch)
{
    return watch->next == thread->watches ? NULL : watch->next;
}

void verd__links_forget(struct verd__thread *thread)
{
    struct verd__watch *watch = thread->watches;
    while (watch != NULL) {
        struct verd__watch *next = next_watch(thread, watch);
        if (watch->ended == call_link) {
            verd__watch_remove(thread, watch);
            free(VERD__CONTAINER_OF(watch, struct link, watch));
        }
        watch = next;
    }
}

int verd_unlink(verd_thread *t, void (*fn)(verd_thread *, void *), void *arg)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    struct verd__watch *watch = thread->watches;
    for (; watch != NULL; watch = next_watch(thread, watch)) {
        struct link *link = VERD__CONTAINER_OF(watch, struct link, watch);
        if (watch->ended != call_link || link->fn != fn || link->arg != arg)
            continue;
        verd__watch_remove(thread, watch);
        free(link);
        return 0;
    }
    errno = ENOENT;
    return -1;
}

/* An unstarted thread that waits for its time. */
struct verd__delay {
    struct verd__timer timer;
    struct verd__thread *thread;
};

static void delay_over(struct verd__timer *timer)
{
    struct verd__delay *delay = VERD__CONTAINER_OF(timer, struct verd__delay, timer);
    struct verd__thread *thread = delay->thread;
    free(delay);
    thread->owner = NULL; /* was: delay */
    thread->flags &= (uint8_t)~VERD__DELAYED;
    verd__thread_start(verd__current, thread);
}

const struct verd__timer *verd__delay_timer(const struct verd__thread *thread)
{
    return &thread->delay->timer;
}

__attribute__((noinline)) verd_thread *verd_spawn_after(verd_duration after, void *(*fn)(void *),
                                                        void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    const void *site = __builtin_return_address(0);
    if (after <= 0) {
        const struct verd__thread *thread = verd__spawn(scheduler, fn, arg, site);
        return thread != NULL ? verd__handle(thread) : NULL;
    }
    struct verd__delay *delay = calloc(1, sizeof *delay);
    if (delay == NULL)
        return NULL;
    union verd__start start = {.call = fn};
    struct verd__thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT | VERD__DELAYED, site);
    if (thread == NULL) {
        free(delay);
        return NULL;
    }
    delay->timer.fire = delay_over;
    delay->thread = thread;
    thread->delay = delay;
    verd__timer_arm(&scheduler->timers, &delay->timer, verd__time_after(verd_now(), after));
    return verd__handle(thread);
}

void verd__delay_end(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (!(thread->flags & VERD__DELAYED))
        return;
    verd__timer_cancel(&scheduler->timers, &thread->delay->timer);
    free(thread->delay);
    thread->owner = NULL; /* was: delay */
    thread->flags &= (uint8_t)~VERD__DELAYED;
}

/* Ends a thread that never ran. If it is in the run queue, it stays there until its turn. */
static void end_unstarted(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    verd__delay_end(scheduler, thread);
    if (thread->stack != NULL) {
        verd__area(thread)->name[0] = '\0';
        verd__stack_return(scheduler, thread->stack);
        thread->stack = NULL;
    }
    verd__thread_end(scheduler, thread, NULL, ECANCELED);
}

int verd_cancel(verd_thread *t)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    if (thread->state != VERD__UNSTARTED) {
        errno = EBUSY;
        return -1;
    }
    end_unstarted(verd__current, thread);
    return 0;
}

void verd__thread_kill(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (thread->state == VERD__UNSTARTED) {
        end_unstarted(scheduler, thread);
    } else if (thread->state == VERD__STARTED) {
        thread->interrupt |= VERD__INTERRUPT_KILL;
        verd__wait_abort(thread, ECANCELED, 0);
    }
}

void verd__thread_stop(struct verd__thread *thread)
{
    thread->interrupt |= VERD__INTERRUPT_KILL;
    verd__wait_abort(thread, ECANCELED, 0);
}

/* Nothing of the user's runs meanwhile, and no thread ends. */
void verd__threads_stop(const struct verd__scheduler *scheduler, const struct verd__owner *owner)
{
    for (struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 1; i < slab->used; i++) {
            struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            if (thread->owner == owner &&
                (thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED))
                verd__thread_stop(thread);
        }
    }
}

int verd_kill(verd_thread *t)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    verd__thread_kill(verd__current, thread);
    return 0;
}
