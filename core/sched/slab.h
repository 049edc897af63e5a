/* SPDX-License-Identifier: MIT */
/*
 * Control blocks, dense, and the handles of threads.
 *
 * A slab is 64 KiB at a multiple of 64 KiB: a header, and 1023 blocks behind it. Slabs belong to the
 * process and are never unmapped; one whose scheduler has ended goes to the next that needs one.
 *
 * A handle is a number, not an address: the block's generation above its place, among all blocks of the
 * process. The generation counts how often the block has been freed, and a block whose generation has no
 * successor is not used again. So no two threads ever have the same handle, and a stale one is known by
 * it, however late and on whatever OS thread.
 */
#ifndef VERD_SCHED_SLAB_H
#define VERD_SCHED_SLAB_H

#include <errno.h>
#include <stdatomic.h>

#include "sched/scheduler.h"

#define VERD__SLAB_SIZE ((size_t)64 * 1024)
#define VERD__SLAB_BLOCKS \
    (VERD__SLAB_SIZE / sizeof(struct verd__thread)) /* the first is the header */
#define VERD__SLABS_MAX 16384

struct verd__slab {
    _Atomic(uint64_t) owner; /* the number of the scheduler that has it; 0: none */
    struct verd__slab *next; /* of the scheduler's */
    uint32_t place;          /* of the header, among all blocks of the process */
    uint32_t ordinal;        /* among the scheduler's slabs: 0 is its first */
    size_t used;             /* blocks in use or used once, and the header; those behind are free */
    uint64_t freed_before;   /* generations of those, as they came into use here */
    struct verd__sight *sights; /* by block, of those that are observed; NULL: none yet */
};

_Static_assert(sizeof(struct verd__slab) <= sizeof(struct verd__thread), "a header is one block");

extern _Atomic(struct verd__slab *) verd__slabs[VERD__SLABS_MAX];

static inline struct verd__slab *verd__slab_of(const struct verd__thread *thread)
{
    return (struct verd__slab *)((uintptr_t)thread & ~(uintptr_t)(VERD__SLAB_SIZE - 1));
}

/* The blocks of a slab, beginning with the header. */
static inline struct verd__thread *verd__slab_blocks(const struct verd__slab *slab)
{
    return (struct verd__thread *)(uintptr_t)slab;
}

static inline verd_thread *verd__handle(const struct verd__thread *thread)
{
    const struct verd__slab *slab = verd__slab_of(thread);
    uintptr_t place = slab->place + (uintptr_t)(thread - verd__slab_blocks(slab));
    return (verd_thread *)((uintptr_t)thread->generation << 32 | place);
}

/* Why there is no thread of this OS thread's for a handle: EINVAL or EPERM, into errno. NULL. */
struct verd__thread *verd__thread_none(const verd_thread *handle);

/* The thread of a handle. NULL with errno EINVAL (NULL, or released) or EPERM (another OS thread's). */
static inline struct verd__thread *verd__thread_find(const verd_thread *handle)
{
    const struct verd__scheduler *scheduler = verd__current;
    uint32_t place = (uint32_t)(uintptr_t)handle;
    struct verd__slab *slab =
        place < VERD__SLABS_MAX * VERD__SLAB_BLOCKS
            ? atomic_load_explicit(&verd__slabs[place / VERD__SLAB_BLOCKS], memory_order_acquire)
            : NULL;
    if (__builtin_expect(slab == NULL || scheduler == NULL ||
                             atomic_load_explicit(&slab->owner, memory_order_relaxed) !=
                                 scheduler->number,
                         0))
        return verd__thread_none(handle);
    struct verd__thread *thread = verd__slab_blocks(slab) + place % VERD__SLAB_BLOCKS;
    if (__builtin_expect(thread->generation != (uintptr_t)handle >> 32 ||
                             thread->state == VERD__FREE || place % VERD__SLAB_BLOCKS == 0,
                         0))
        return verd__thread_none(handle);
    return thread;
}

/* Hands out a block for which the free list had none. NULL with errno ENOMEM. */
struct verd__thread *verd__slab_more(struct verd__scheduler *scheduler);

/* A control block; only `generation` and `state` are defined, VERD__FREE. NULL with errno ENOMEM. */
static inline struct verd__thread *verd__slab_take(struct verd__scheduler *scheduler)
{
    struct verd__thread *thread = scheduler->free;
    if (__builtin_expect(thread == NULL, 0))
        return verd__slab_more(scheduler);
    scheduler->free = thread->next;
    return thread;
}

static inline void verd__slab_give(struct verd__scheduler *scheduler, struct verd__thread *thread)
{
    thread->state = VERD__FREE;
    if (__builtin_expect(thread->generation == UINT32_MAX, 0))
        return;
    thread->generation++;
    thread->next = scheduler->free;
    scheduler->free = thread;
}

/* Gives all slabs back. */
void verd__slabs_free(struct verd__scheduler *scheduler);

/* Calls fn for each block of the scheduler's that is not free, but `except`. */
void verd__slabs_each(struct verd__scheduler *scheduler, const struct verd__thread *except,
                      void (*fn)(struct verd__scheduler *, struct verd__thread *));

/* Whether the scheduler with this number lives, on whatever OS thread. */
bool verd__scheduler_lives(uint64_t number);

#endif
