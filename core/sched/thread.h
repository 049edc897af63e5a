/* SPDX-License-Identifier: MIT */
/* What the floors above need of threads besides the public calls. */
#ifndef VERD_SCHED_THREAD_H
#define VERD_SCHED_THREAD_H

#include "sched/area.h"
#include "sched/scheduler.h"
#include "sched/slab.h"

/*
 * `site`, here and below: where the call of the user's by which the thread is spawned returns to, for messages;
 * NULL: it is the library's own. It is __builtin_return_address(0) of the public function, which therefore is never
 * made a part of its caller (noinline).
 */
static inline void verd__thread_init(struct verd__thread *thread, union verd__start start,
                                     void *arg, unsigned flags, const void *site)
{
    thread->site = site;
    thread->start = start;
    thread->arg = arg;
    thread->owner = NULL;
    thread->stack = NULL;
    thread->watches = NULL;
    thread->state = VERD__UNSTARTED;
    thread->flags = (uint8_t)flags;
    thread->interrupt = 0;
    thread->shield = 0;
}

/* Makes a control block for a thread that is not in the run queue yet: UNSTARTED, with `flags`
 * (VERD__RESULT says which member of `start` it is). NULL with errno ENOMEM. */
static inline struct verd__thread *verd__thread_new(struct verd__scheduler *scheduler,
                                                    union verd__start start, void *arg,
                                                    unsigned flags, const void *site)
{
    struct verd__thread *thread = verd__slab_take(scheduler);
    if (__builtin_expect(thread != NULL, 1))
        verd__thread_init(thread, start, arg, flags, site);
    return thread;
}

/* Puts it there. */
static inline void verd__thread_start(struct verd__scheduler *scheduler,
                                      struct verd__thread *thread)
{
    thread->flags |= VERD__QUEUED;
    verd__ready(scheduler, thread);
}

/* verd_spawn, of a function that is not NULL. NULL with errno ENOMEM. */
static inline struct verd__thread *verd__spawn(struct verd__scheduler *scheduler,
                                               void *(*fn)(void *), void *arg, const void *site)
{
    union verd__start start = {.call = fn};
    struct verd__thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT, site);
    if (__builtin_expect(thread != NULL, 1))
        verd__thread_start(scheduler, thread);
    return thread;
}

/* The same with attributes, as verd_spawn_with. NULL with errno EINVAL or ENOMEM. */
struct verd__thread *verd__spawn_with(struct verd__scheduler *scheduler, const verd_attr *attr,
                                      void *(*fn)(void *), void *arg, const void *site);

/* The function of the running thread has returned: clears what it kept beside its stack, for the next one
 * there. */
void verd__area_clear(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* The same; mostly there is nothing. */
static inline void verd__area_clean(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    const struct verd__area *area = verd__area(thread);
    if (__builtin_expect(area->locals != NULL || area->scope_count != 0 || area->scopes != NULL, 0))
        verd__area_clear(scheduler, thread);
}

/* Makes a control block with a handle, of a thread that has ended with `result` already. */
struct verd__thread *verd__thread_ended(struct verd__scheduler *scheduler, void *result);

/* verd_link with the caller's memory, which stays until the watch was called or taken back. The
 * thread has not ended. */
void verd__watch_add(struct verd__thread *thread, struct verd__watch *watch);
void verd__watch_remove(struct verd__thread *thread, struct verd__watch *watch);

/* Takes back all that verd_link has noted for the thread. */
void verd__links_forget(struct verd__thread *thread);

/* The timer of the delay that a thread waits for. */
const struct verd__timer *verd__delay_timer(const struct verd__thread *thread);

/* A thread that waits for its delay does so no more, and is in no queue. */
void verd__delay_end(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* Starts a thread of the library's own, with a name and without a handle. NULL with errno ENOMEM. */
struct verd__thread *verd__spawn_named(const char *name, void *(*fn)(void *), void *arg,
                                       const void *site);

/* The site of the running thread: of those that it spawns for its own spawner. */
static inline const void *verd__own_site(const struct verd__scheduler *scheduler)
{
    return verd__area(scheduler->running)->site;
}

/* Binds a stack of `size` bytes to a thread that has not started, 0: of the default. -1 with errno ENOMEM. */
int verd__thread_bind(struct verd__scheduler *scheduler, struct verd__thread *thread, size_t size);

/* Gives the handle up. */
static inline void verd__thread_release(struct verd__scheduler *scheduler,
                                        struct verd__thread *thread)
{
    thread->flags &= (uint8_t)~VERD__HANDLE;
    if (thread->state == VERD__ENDED)
        verd__thread_drop(scheduler, thread);
}

/* Whether a wait for the thread does not block. A link of the running thread may ask for its result, which is
 * there already. */
static inline bool verd__thread_has_ended(const struct verd__scheduler *scheduler,
                                          const struct verd__thread *thread)
{
    return thread->state == VERD__ENDED ||
           (thread == scheduler->running && (thread->flags & VERD__ENDING));
}

/* What a thread that has ended gives to whoever waited: 0 and *result (unless NULL), or the errno instead; `error`
 * as of a watch. */
int verd__thread_result(const struct verd__thread *thread, int error, void **result);

/* verd_kill, of a thread that has not been freed. */
void verd__thread_kill(struct verd__scheduler *scheduler, struct verd__thread *thread);

/* The same, but one that has not started runs all the same: so it can release what it was given. */
void verd__thread_stop(struct verd__thread *thread);

/* That, for each thread of this owner. */
void verd__threads_stop(const struct verd__scheduler *scheduler, const struct verd__owner *owner);

/* A number for messages. */
size_t verd__thread_number(const struct verd__thread *thread);

#endif
