/* SPDX-License-Identifier: MIT */
#include "sched/slab.h"

#include <stdlib.h>

#include <sys/mman.h>

#include "stack/memory.h"

_Atomic(struct verd__slab *) verd__slabs[VERD__SLABS_MAX];
static _Atomic(uint32_t) slab_count;
static _Atomic(uint32_t) unowned; /* slabs that some scheduler has given back */

/* Maps VERD__SLAB_SIZE bytes at a multiple of it: twice as much, less what lies around. */
static void *map_aligned(void)
{
    char *base =
        mmap(NULL, 2 * VERD__SLAB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)base & (VERD__SLAB_SIZE - 1);
    if (before != 0)
        munmap(base, before);
    munmap(base + before + VERD__SLAB_SIZE, VERD__SLAB_SIZE - before);
    return base + before;
}

/* A slab that had another scheduler, of which nothing is left but the generations. */
static struct verd__slab *take_unowned(uint64_t owner)
{
    if (atomic_load(&unowned) == 0)
        return NULL;
    uint32_t count = atomic_load(&slab_count);
    for (uint32_t i = 0; i < count && i < VERD__SLABS_MAX; i++) {
        struct verd__slab *slab = atomic_load(&verd__slabs[i]);
        uint64_t none = 0;
        if (slab == NULL || !atomic_compare_exchange_strong(&slab->owner, &none, owner))
            continue;
        atomic_fetch_sub(&unowned, 1);
        return slab;
    }
    return NULL;
}

/* Without memory for it, the number that it would have had stays unused. */
static struct verd__slab *make(uint64_t owner)
{
    struct verd__slab *slab = map_aligned();
    if (slab == NULL)
        return NULL;
    uint32_t number = atomic_fetch_add(&slab_count, 1);
    if (number >= VERD__SLABS_MAX) {
        atomic_fetch_sub(&slab_count, 1);
        munmap(slab, VERD__SLAB_SIZE);
        return NULL;
    }
    verd__memory_register(slab, VERD__SLAB_SIZE);
    slab->place = number * (uint32_t)VERD__SLAB_BLOCKS;
    atomic_store_explicit(&slab->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&verd__slabs[number], slab, memory_order_release);
    return slab;
}

struct verd__thread *verd__thread_none(const verd_thread *handle)
{
    const struct verd__scheduler *scheduler = verd__current;
    uint32_t number = (uint32_t)(uintptr_t)handle / (uint32_t)VERD__SLAB_BLOCKS;
    const struct verd__slab *slab =
        number < VERD__SLABS_MAX ? atomic_load(&verd__slabs[number]) : NULL;
    uint64_t owner = slab != NULL ? atomic_load(&slab->owner) : 0;
    bool others = slab != NULL && (scheduler == NULL || owner != scheduler->number);
    errno = others ? EPERM : EINVAL;
    return NULL;
}

struct verd__thread *verd__slab_more(struct verd__scheduler *scheduler)
{
    struct verd__slab *slab = scheduler->slabs;
    if (slab == NULL || slab->used == VERD__SLAB_BLOCKS) {
        struct verd__slab *fresh = take_unowned(scheduler->number);
        if (fresh == NULL)
            fresh = make(scheduler->number);
        if (fresh == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        fresh->next = slab;
        fresh->ordinal = slab == NULL ? 0 : slab->ordinal + 1;
        fresh->used = 1;
        fresh->freed_before = 0;
        scheduler->slabs = slab = fresh;
    }
    struct verd__thread *thread = &verd__slab_blocks(slab)[slab->used++];
    if (thread->generation == 0)
        thread->generation = 1;
    slab->freed_before += thread->generation;
    if (thread->generation == UINT32_MAX) /* it has no successor: the next one */
        return verd__slab_more(scheduler);
    return thread;
}

void verd__slabs_free(struct verd__scheduler *scheduler)
{
    while (scheduler->slabs != NULL) {
        struct verd__slab *slab = scheduler->slabs;
        scheduler->slabs = slab->next;
        for (size_t i = 1; i < slab->used; i++) {
            struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            if (thread->state != VERD__FREE)
                verd__slab_give(scheduler, thread);
        }
        free(slab->sights);
        slab->sights = NULL;
        atomic_store(&slab->owner, 0);
        atomic_fetch_add(&unowned, 1);
    }
    scheduler->free = NULL;
}

void verd__slabs_each(struct verd__scheduler *scheduler, const struct verd__thread *except,
                      void (*fn)(struct verd__scheduler *, struct verd__thread *))
{
    for (struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 1; i < slab->used; i++) {
            struct verd__thread *thread = &verd__slab_blocks(slab)[i];
            if (thread->state != VERD__FREE && thread != except)
                fn(scheduler, thread);
        }
    }
}

bool verd__scheduler_lives(uint64_t number)
{
    uint32_t count = atomic_load(&slab_count);
    for (uint32_t i = 0; i < count && i < VERD__SLABS_MAX; i++) {
        const struct verd__slab *slab = atomic_load(&verd__slabs[i]);
        if (slab != NULL && atomic_load(&slab->owner) == number)
            return true;
    }
    return false;
}
