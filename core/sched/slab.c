/* SPDX-License-Identifier: MIT */
#include "sched/slab.h"

#include <errno.h>

#include <sys/mman.h>

#include "stack/memory.h"

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

struct verd_thread *verd__slab_more(struct verd__scheduler *scheduler)
{
    struct verd__slab *slab = scheduler->slabs;
    if (slab == NULL || slab->used == VERD__SLAB_THREADS) {
        struct verd__slab *fresh = map_aligned();
        if (fresh == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        verd__memory_register(fresh, VERD__SLAB_SIZE);
        fresh->scheduler = scheduler;
        fresh->next = slab;
        fresh->number = slab == NULL ? 0 : slab->number + 1;
        scheduler->slabs = slab = fresh;
    }
    return &slab->threads[slab->used++];
}

void verd__slabs_free(struct verd__scheduler *scheduler)
{
    while (scheduler->slabs != NULL) {
        struct verd__slab *slab = scheduler->slabs;
        scheduler->slabs = slab->next;
        verd__memory_deregister(slab, VERD__SLAB_SIZE);
        munmap(slab, VERD__SLAB_SIZE);
    }
    scheduler->free = NULL;
}

size_t verd_number(const verd_thread *thread)
{
    if (thread == NULL)
        return 0;
    const struct verd__slab *slab = verd__slab_of(thread);
    return slab->number * VERD__SLAB_THREADS + (size_t)(thread - slab->threads);
}
