/* SPDX-License-Identifier: MIT */
#include "stack/stack.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <verd/thread.h>

#include "stack/arena.h"
#include "stack/valgrind.h"

unsigned verd__stack_class(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned class = 0;
    if (size < page)
        size = page;
    while (VERD_STACK_SIZE_MIN << class < size)
        class ++;
    return class;
}

/* The first arena of the class that has a clean stack; a new one if need be. */
static struct verd__arena *arena_with_clean(struct verd__stack_class *class, size_t size)
{
    if (class->arenas == NULL || class->arenas->clean == 0) {
        struct verd__arena *arena = verd__arena_new(size);
        if (arena == NULL)
            return NULL;
        verd__arena_insert(&class->arenas, arena);
    }
    return class->arenas;
}

struct verd__stack *verd__stack_take_clean(struct verd__stacks *stacks, unsigned number)
{
    struct verd__stack_class *class = &stacks->classes[number];
    struct verd__arena *arena = arena_with_clean(class, VERD_STACK_SIZE_MIN << number);
    if (arena == NULL)
        return NULL;
    unsigned index = (unsigned)__builtin_ctzll(arena->clean);
    arena->clean &= arena->clean - 1;
    if (arena->clean == 0) /* behind those that still have some */
        verd__arena_move_last(&class->arenas, arena);

    struct verd__stack *stack = verd__arena_stack(arena, index);
    stack->arena = arena;
    stack->index = (uint8_t)index;
    stack->class = (uint8_t)number;
    stack->low = verd__arena_low(arena, index);
    stack->valgrind_id = VERD__VALGRIND_REGISTER(stack->low, (char *)stack);
    return stack;
}

static void free_arena(struct verd__stack_class *class, struct verd__arena *arena)
{
    verd__arena_remove(&class->arenas, arena);
    verd__arena_free(arena);
}

/* Of the arenas all of whose stacks are clean, only the first in the ring is kept. */
void verd__stack_clean_one(struct verd__stacks *stacks, unsigned number)
{
    struct verd__stack_class *class = &stacks->classes[number];
    struct verd__stack *stack = class->cached;
    struct verd__arena *arena = stack->arena;
    unsigned index = stack->index;
    class->cached = stack->next;
    class->cached_count--;
    VERD__VALGRIND_DEREGISTER(stack->valgrind_id);
    verd__arena_clean(arena, index); /* `stack` itself is gone with its page */
    bool had_none = arena->clean == 0;
    arena->clean |= UINT64_C(1) << index;
    struct verd__arena *first = class->arenas;
    if (arena == first)
        return;
    if (verd__arena_is_clean(arena) && first->clean != 0) {
        free_arena(class, arena);
    } else if (had_none) {
        verd__arena_remove(&class->arenas, arena);
        verd__arena_insert(&class->arenas, arena);
        if (verd__arena_is_clean(first)) /* it was kept for being the first */
            free_arena(class, first);
    }
}

void verd__stacks_free(struct verd__stacks *stacks)
{
    for (unsigned i = 0; i < VERD__STACK_CLASSES; i++) {
        struct verd__arena **arenas = &stacks->classes[i].arenas;
        while (*arenas != NULL) {
            struct verd__arena *arena = *arenas;
            verd__arena_remove(arenas, arena);
            verd__arena_free(arena);
        }
    }
    memset(stacks, 0, sizeof *stacks);
}

size_t verd__stack_class_size(const struct verd__stack *stack)
{
    return stack->arena->size;
}

size_t verd__stack_guard(const struct verd__stack *stack)
{
    return stack->arena->guard;
}

/* Stacks are zero until written to, so the lowest byte that is not zero is the deepest that was
 * reached; pages that are not resident are skipped, as reading would make them so. */
size_t verd__stack_used(const struct verd__stack *stack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *end = (const char *)stack;
    for (const char *at = stack->low; at < end; at += page) {
        unsigned char resident = 0;
        if (mincore((void *)(uintptr_t)at, page, &resident) != 0 || !(resident & 1))
            continue;
        const char *limit = end - at < (ptrdiff_t)page ? end : at + page;
        for (const char *word = at; word < limit; word += sizeof(long)) {
            if (*(const long *)(const void *)word != 0)
                return (size_t)(end - word);
        }
    }
    return 0;
}
