/* SPDX-License-Identifier: MIT */
/* What the floors above need of threads besides the public calls. */
#ifndef VERD_SCHED_THREAD_H
#define VERD_SCHED_THREAD_H

#include "sched/scheduler.h"
#include "sched/slab.h"

/* Makes a control block for a thread that is not in the run queue yet: UNSTARTED, with `flags`
 * (VERD__RESULT says which member of `start` it is). NULL with errno ENOMEM. */
static inline struct verd_thread *verd__thread_new(struct verd__scheduler *scheduler,
                                                   union verd__start start, void *arg,
                                                   unsigned flags)
{
    struct verd_thread *thread = verd__slab_take(scheduler);
    if (__builtin_expect(thread == NULL, 0))
        return NULL;
    *thread = (struct verd_thread){
        .start = start,
        .arg = arg,
        .state = VERD__UNSTARTED,
        .flags = (uint8_t)flags,
    };
    return thread;
}

/* Puts it there. */
static inline void verd__thread_start(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    thread->flags |= VERD__QUEUED;
    verd__ready(scheduler, thread);
}

/* The function of the running thread has returned: clears what it kept beside its stack, for the next one
 * there. */
void verd__room_clear(struct verd__scheduler *scheduler, struct verd_thread *thread);

/* Makes a control block with a handle, of a thread that has ended with `result` already. */
struct verd_thread *verd__thread_ended(struct verd__scheduler *scheduler, void *result);

/* Frees what a thread that will never run again holds besides its stack and control block. */
void verd__thread_abandon(struct verd_thread *thread);

/* verd_link with the caller's memory, which stays until the watch was called or taken back. The
 * thread has not ended. */
void verd__watch_add(struct verd_thread *thread, struct verd__watch *watch);
void verd__watch_remove(struct verd_thread *thread, struct verd__watch *watch);

/* Takes back all that verd_link has noted for the thread. */
void verd__links_forget(struct verd_thread *thread);

/* A thread that waits for its delay does so no more, and is in no queue. */
void verd__delay_end(struct verd__scheduler *scheduler, struct verd_thread *thread);

/* 0 if `thread` is one of this OS thread's that is alive or kept, else -1 with errno EINVAL or EPERM */
int verd__thread_check(const struct verd_thread *thread);

#endif
