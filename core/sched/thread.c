/* SPDX-License-Identifier: MIT */
/* The life of a thread: spawn, end, and who waits for it or ends it. */
#include "sched/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "sched/local.h"
#include "sched/slab.h"
#include "sched/timeout.h"
#include "sched/wait.h"

int verd__thread_check(const struct verd_thread *thread)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (thread == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (scheduler == NULL || verd__slab_of(thread)->scheduler != scheduler) {
        errno = EPERM;
        return -1;
    }
    if (thread->state == VERD__FREE) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

struct verd_thread *verd__thread_ended(struct verd__scheduler *scheduler, void *result)
{
    union verd__start none = {0};
    struct verd_thread *thread = verd__thread_new(scheduler, none, NULL, VERD__HANDLE);
    if (thread == NULL)
        return NULL;
    thread->state = VERD__ENDED;
    thread->result = result;
    return thread;
}

void verd__thread_drop(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    if (!(thread->flags & (VERD__HANDLE | VERD__QUEUED | VERD__ENDING)))
        verd__slab_give(scheduler, thread);
}

void verd__room_clear(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    struct verd__room *room = verd__room(thread);
    verd__timeouts_forget(scheduler, thread);
    if (room->locals == NULL)
        return;
    verd__locals_end(room);
    verd__timeouts_forget(scheduler, thread); /* a destructor's */
}

/* A watch may do on the ending thread what any function may: take back others, add some, release
 * the handle, set locals, make calls that give way. So until then the thread counts as started. */
static void call_watches(struct verd__scheduler *scheduler, struct verd_thread *thread, int error)
{
    while (thread->watches != NULL) {
        struct verd__watch *watch = thread->watches;
        verd__watch_remove(thread, watch);
        thread->error = error; /* is its errno while it is suspended */
        watch->ended(watch, thread);
    }
    if (thread->stack != NULL) /* else it never ran, or is gone after a fork */
        verd__room_clear(scheduler, thread);
}

void verd__thread_end(struct verd__scheduler *scheduler, struct verd_thread *thread, void *result,
                      int error)
{
    struct verd__owner *owner = thread->owner;
    if (thread->state == VERD__UNSTARTED)
        thread->state = VERD__ENDED;
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

verd_thread *verd_spawn(void *(*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    union verd__start start = {.call = fn};
    struct verd_thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT);
    if (thread != NULL)
        verd__thread_start(scheduler, thread);
    return thread;
}

int verd_spawn_n(void (*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    union verd__start start = {.run = fn};
    struct verd_thread *thread = verd__thread_new(scheduler, start, arg, 0);
    if (thread == NULL)
        return -1;
    verd__thread_start(scheduler, thread);
    return 0;
}

static struct verd__stack *stack_for(struct verd__scheduler *scheduler, size_t size)
{
    if (size == 0)
        size = VERD_STACK_SIZE;
    if (size < VERD_STACK_SIZE_MIN || size > VERD_STACK_SIZE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return verd__stack_take(&scheduler->stacks, verd__stack_class(size));
}

static void set_name(char *name, const char *wanted)
{
    size_t i = 0;
    for (; wanted != NULL && wanted[i] != '\0' && i < VERD_NAME_SIZE - 1; i++)
        name[i] = wanted[i];
    name[i] = '\0';
}

verd_thread *verd_spawn_with(const verd_attr *attr, void *(*fn)(void *), void *arg)
{
    static const verd_attr defaults = VERD_ATTR_INIT;
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (attr == NULL)
        attr = &defaults;
    if (fn == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct verd__stack *stack = stack_for(scheduler, attr->stack_size);
    if (stack == NULL)
        return NULL;
    union verd__start start = {.call = fn};
    struct verd_thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT);
    if (thread == NULL) {
        verd__stack_give(&scheduler->stacks, stack);
        return NULL;
    }
    thread->stack = stack;
    set_name(verd__room(thread)->name, attr->name);
    verd__thread_start(scheduler, thread);
    return thread;
}

void verd_release(verd_thread *thread)
{
    if (verd__thread_check(thread) != 0)
        return;
    thread->flags &= (uint8_t)~VERD__HANDLE;
    if (thread->state == VERD__ENDED)
        verd__thread_drop(verd__current, thread);
}

verd_thread *verd_self(void)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    return scheduler != NULL ? scheduler->running : NULL;
}

bool verd_killed(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    return scheduler != NULL && (scheduler->running->interrupt & VERD__INTERRUPT_KILL);
}

bool verd_ended(const verd_thread *thread)
{
    return thread != NULL && thread->state == VERD__ENDED;
}

ssize_t verd_stack_used(verd_thread *thread)
{
    if (verd__thread_check(thread) != 0)
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
