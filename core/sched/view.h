/* SPDX-License-Identifier: MIT */
/*
 * A thread as reports see it: copies of its control block and of what lies beside its stack. They are taken by
 * verd__peek, so they can be of a thread of another OS thread, which runs meanwhile; then a copy may be of two
 * moments, but never leads anywhere where it would fault.
 */
#ifndef VERD_SCHED_VIEW_H
#define VERD_SCHED_VIEW_H

#include <stdbool.h>

#include "sched/area.h"
#include "sched/scheduler.h"

struct verd__view {
    const struct verd__scheduler *scheduler;
    const struct verd__thread *at; /* where it really is */
    struct verd__thread thread;
    bool is_main;
    bool is_running;
    bool has_stack; /* and `stack` is valid */
    struct verd__stack stack;
};

/* Takes one. False: there is no such thread (any more). */
bool verd__view_take(struct verd__view *view, const struct verd__scheduler *scheduler,
                     const struct verd__thread *thread);

/* Calls fn for each thread of a scheduler that has not ended. The scheduler stays meanwhile (registry.h). */
void verd__views_each(const struct verd__scheduler *scheduler,
                      void (*fn)(const struct verd__view *view, void *arg), void *arg);

static inline const struct verd__area *verd__view_area(const struct verd__view *view)
{
    return (const struct verd__area *)(const void *)view->stack.area;
}

/* What it waits for; NULL: it does not. */
const struct verd__wait *verd__view_wait(const struct verd__view *view);

/* Who has what it waits for. False: nobody, or it is not known; or *has_ended. */
bool verd__view_holder(const struct verd__view *view, struct verd__view *holder, bool *has_ended);

/* Where its stack ends, behind the last byte; UINTPTR_MAX: it is an OS thread's own. */
static inline uintptr_t verd__view_high(const struct verd__view *view)
{
    return view->is_main || !view->has_stack ? UINTPTR_MAX : (uintptr_t)view->thread.stack;
}

/* The function that it was started with; 0: it is not known. And where it was spawned; NULL: by the library. */
uintptr_t verd__view_start(const struct verd__view *view);
const void *verd__view_site(const struct verd__view *view);

#endif
