/* SPDX-License-Identifier: MIT */
/* The life of a thread: spawn, end, and who waits for it or ends it. */
#include "sched/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "sched/area.h"
#include "sched/carrier.h"
#include "sched/local.h"
#include "sched/name.h"
#include "sched/slab.h"
#include "sched/timeout.h"

struct verd__thread *verd__thread_ended(struct verd__scheduler *scheduler, void *result)
{
    union verd__start none = {.call = NULL};
    struct verd__thread *thread = verd__thread_new(scheduler, none, NULL, VERD__HANDLE, NULL);
    if (thread == NULL)
        return NULL;
    thread->state = VERD__ENDED;
    thread->error = 0;
    thread->result = result;
    return thread;
}

void verd__thread_drop(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    if (!(thread->flags & (VERD__HANDLE | VERD__QUEUED | VERD__ENDING)))
        verd__slab_give(scheduler, thread);
}

void verd__area_clear(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    struct verd__area *area = verd__area(thread);
    verd__scopes_close(scheduler, thread);
    if (area->locals == NULL)
        return;
    verd__locals_end(area);
    verd__scopes_close(scheduler, thread); /* a destructor's */
}

/* A watch may do on the ending thread what any function may: take back others, add some, release
 * the handle, set locals, make calls that give way. So until then the thread counts as started. */
static void call_watches(struct verd__scheduler *scheduler, struct verd__thread *thread, int error)
{
    while (thread->watches != NULL) {
        struct verd__watch *watch = thread->watches;
        verd__watch_remove(thread, watch);
        watch->ended(watch, thread, error);
    }
    if (thread->stack != NULL &&
        scheduler->running == thread) /* else it never ran, or is gone after a fork */
        verd__area_clean(scheduler, thread);
}

void verd__thread_end(struct verd__scheduler *scheduler, struct verd__thread *thread, void *result,
                      int error)
{
    struct verd__owner *owner = thread->owner;
    if (thread->state == VERD__UNSTARTED) {
        thread->state = VERD__ENDED;
        thread->error = error;
    }
    thread->result = result;
    thread->flags |= VERD__ENDING;
    if (thread->watches != NULL)
        call_watches(scheduler, thread, error);
    thread->state = VERD__ENDED;
    thread->error = error;
    if (owner != NULL)
        owner->ended(owner, thread);
    thread->flags &= (uint8_t)~VERD__ENDING;
    verd__thread_drop(scheduler, thread);
}

/* Whether a spawn needs no call: so it has no frame, and nothing to keep in one. */
static inline bool can_spawn_at_once(const struct verd__scheduler *scheduler)
{
    return __builtin_expect(scheduler != NULL && scheduler->free != NULL, 1);
}

static __attribute__((noinline)) verd_thread *spawn_slowly(void *(*fn)(void *), void *arg,
                                                           const void *site)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    const struct verd__thread *thread = verd__spawn(scheduler, fn, arg, site);
    return thread != NULL ? verd__handle(thread) : NULL;
}

__attribute__((noinline)) verd_thread *verd_spawn(void *(*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__current;
    const void *site = __builtin_return_address(0);
    return fn != NULL && can_spawn_at_once(scheduler)
               ? verd__handle(verd__spawn(scheduler, fn, arg, site))
               : spawn_slowly(fn, arg, site);
}

static inline int spawn_n(struct verd__scheduler *scheduler, void (*fn)(void *), void *arg,
                          const void *site)
{
    union verd__start start = {.run = fn};
    struct verd__thread *thread = verd__thread_new(scheduler, start, arg, 0, site);
    if (thread == NULL)
        return -1;
    verd__thread_start(scheduler, thread);
    return 0;
}

static __attribute__((noinline)) int spawn_n_slowly(void (*fn)(void *), void *arg, const void *site)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    return spawn_n(scheduler, fn, arg, site);
}

__attribute__((noinline)) int verd_spawn_n(void (*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__current;
    const void *site = __builtin_return_address(0);
    return fn != NULL && can_spawn_at_once(scheduler) ? spawn_n(scheduler, fn, arg, site)
                                                      : spawn_n_slowly(fn, arg, site);
}

int verd__thread_bind(struct verd__scheduler *scheduler, struct verd__thread *thread, size_t size)
{
    unsigned class = size == 0 ? scheduler->default_class : verd__stack_class(size);
    thread->stack = verd__stack_get(scheduler, class);
    return thread->stack != NULL ? 0 : -1;
}

struct verd__thread *verd__spawn_with(struct verd__scheduler *scheduler, const verd_attr *attr,
                                      void *(*fn)(void *), void *arg, const void *site)
{
    if (!verd__stack_size_is_valid(attr->stack_size)) {
        errno = EINVAL;
        return NULL;
    }
    union verd__start start = {.call = fn};
    struct verd__thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT, site);
    if (thread == NULL)
        return NULL;
    if (verd__thread_bind(scheduler, thread, attr->stack_size) != 0) {
        verd__slab_give(scheduler, thread);
        errno = ENOMEM;
        return NULL;
    }
    verd__name_copy(verd__area(thread)->name, attr->name);
    verd__thread_start(scheduler, thread);
    return thread;
}

struct verd__thread *verd__spawn_named(const char *name, void *(*fn)(void *), void *arg,
                                       const void *site)
{
    struct verd__scheduler *scheduler = verd__current;
    const verd_attr attr = {.name = name};
    struct verd__thread *thread = verd__spawn_with(scheduler, &attr, fn, arg, site);
    if (thread != NULL)
        verd__thread_release(scheduler, thread);
    return thread;
}

__attribute__((noinline)) verd_thread *verd_spawn_with(const verd_attr *attr, void *(*fn)(void *),
                                                       void *arg)
{
    static const verd_attr defaults = VERD_ATTR_INIT;
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    const struct verd__thread *thread = verd__spawn_with(scheduler, attr != NULL ? attr : &defaults,
                                                         fn, arg, __builtin_return_address(0));
    return thread != NULL ? verd__handle(thread) : NULL;
}

void verd_release(verd_thread *t)
{
    struct verd__thread *thread = verd__thread_find(t);
    if (thread != NULL)
        verd__thread_release(verd__current, thread);
}

verd_thread *verd_self(void)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    return scheduler != NULL ? verd__handle(scheduler->running) : NULL;
}

bool verd_active(void)
{
    return verd__current != NULL;
}

bool verd_killed(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    return scheduler != NULL && (scheduler->running->interrupt & VERD__INTERRUPT_KILL);
}

bool verd_ended(const verd_thread *t)
{
    int error = errno;
    const struct verd__thread *thread = verd__thread_find(t);
    errno = error;
    return thread != NULL && verd__thread_has_ended(verd__current, thread);
}

size_t verd__thread_number(const struct verd__thread *thread)
{
    const struct verd__slab *slab = verd__slab_of(thread);
    return slab->ordinal * (VERD__SLAB_BLOCKS - 1) + (size_t)(thread - verd__slab_blocks(slab)) - 1;
}

size_t verd_number(const verd_thread *t)
{
    int error = errno;
    const struct verd__thread *thread = verd__thread_find(t);
    errno = error;
    return thread != NULL ? verd__thread_number(thread) : 0;
}

ssize_t verd_stack_used(verd_thread *t)
{
    const struct verd__thread *thread = verd__thread_find(t);
    if (thread == NULL)
        return -1;
    if (thread == verd__current->main) {
        errno = ENOTSUP;
        return -1;
    }
    if (thread->state != VERD__STARTED) {
        errno = EINVAL;
        return -1;
    }
    return (ssize_t)verd__stack_used(thread->stack);
}
