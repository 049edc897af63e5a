/* SPDX-License-Identifier: MIT */
/*
 * Control blocks, dense: a slab is 64 KiB at a multiple of 64 KiB, a header and 1023 blocks behind
 * it, so that a block's address leads to its scheduler. Slabs are never unmapped before the
 * scheduler ends: a stale handle reads VERD__FREE instead of faulting.
 */
#ifndef VERD_SCHED_SLAB_H
#define VERD_SCHED_SLAB_H

#include "sched/scheduler.h"

#define VERD__SLAB_SIZE ((size_t)64 * 1024)
#define VERD__SLAB_THREADS (VERD__SLAB_SIZE / sizeof(struct verd_thread) - 1)

struct verd__slab {
    struct verd__scheduler *scheduler;
    struct verd__slab *next;
    size_t number; /* of the slab: 0 is the scheduler's first */
    size_t used;   /* blocks ever handed out; those behind are untouched */
    struct verd_thread threads[] __attribute__((aligned(64)));
};

static inline struct verd__slab *verd__slab_of(const struct verd_thread *thread)
{
    return (struct verd__slab *)((uintptr_t)thread & ~(uintptr_t)(VERD__SLAB_SIZE - 1));
}

/* Hands out a block for which the free list had none. NULL with errno ENOMEM. */
struct verd_thread *verd__slab_more(struct verd__scheduler *scheduler);

/* A control block; only `state` is defined, VERD__FREE. NULL with errno ENOMEM. */
static inline struct verd_thread *verd__slab_take(struct verd__scheduler *scheduler)
{
    struct verd_thread *thread = scheduler->free;
    if (__builtin_expect(thread == NULL, 0))
        return verd__slab_more(scheduler);
    scheduler->free = thread->next;
    return thread;
}

static inline void verd__slab_give(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    thread->state = VERD__FREE;
    thread->next = scheduler->free;
    scheduler->free = thread;
}

/* Unmaps all slabs. */
void verd__slabs_free(struct verd__scheduler *scheduler);

#endif
