/* SPDX-License-Identifier: MIT */
#include "stack/stack.h"

#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <verd/thread.h>

#include "stack/arena.h"
#include "stack/valgrind.h"

#if VERD__CARRIERS
size_t verd__stack_extra;
#endif

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

/* One more is not clean, or one less. */
static void note_warm(struct verd__stacks *stacks, unsigned number, int change)
{
    size_t size = VERD_STACK_SIZE_MIN << number;
    stacks->classes[number].warm += (size_t)change;
    stacks->warm += (size_t)change * size;
    if (stacks->warm_peak < stacks->warm)
        stacks->warm_peak = stacks->warm;
}

static struct verd__stack *take_clean(struct verd__stacks *stacks, unsigned number)
{
    struct verd__stack_class *class = &stacks->classes[number];
    struct verd__arena *arena =
        arena_with_clean(class, (VERD_STACK_SIZE_MIN << number) + verd__stack_extra);
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
    stack->valgrind_id = verd__valgrind_register(stack->low, (char *)stack);
    note_warm(stacks, number, 1);
    return stack;
}

static void free_arena(struct verd__stack_class *class, struct verd__arena *arena)
{
    verd__arena_remove(&class->arenas, arena);
    verd__arena_free(arena);
}

struct verd__stack *verd__stack_take_other(struct verd__stacks *stacks, unsigned number)
{
    struct verd__stack_class *class = &stacks->classes[number];
    struct verd__stack *stack = class->spare;
    if (stack == NULL)
        return take_clean(stacks, number);
    class->spare = stack->next;
    class->spare_count--;
    class->cleaned = 0;
    return stack;
}

/* A stack has become clean. Of the arenas all of whose stacks are, only the first in the ring is kept. */
static void note_clean(struct verd__stack_class *class, struct verd__arena *arena, unsigned index)
{
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

bool verd__stacks_age(struct verd__stacks *stacks)
{
    bool any = false;
    for (unsigned i = 0; i < VERD__STACK_CLASSES; i++) {
        struct verd__stack_class *class = &stacks->classes[i];
        class->spare = class->cached;
        class->spare_count = class->cached_count;
        class->cached = NULL;
        class->cached_count = 0;
        any = any || class->spare != NULL;
    }
    return any;
}

/* From the low end, so that the struct goes last. */
static void clean_some(struct verd__stacks *stacks, unsigned number)
{
    struct verd__stack_class *class = &stacks->classes[number];
    struct verd__stack *stack = class->spare;
    struct verd__arena *arena = stack->arena;
    unsigned index = stack->index;
    size_t rest = arena->size - class->cleaned;
    if (rest > VERD__STACK_PIECE) {
        verd__arena_clean(arena, index, class->cleaned, VERD__STACK_PIECE);
        class->cleaned += VERD__STACK_PIECE;
        return;
    }
    class->spare = stack->next;
    class->spare_count--;
    note_warm(stacks, number, -1);
    verd__valgrind_deregister(stack->valgrind_id);
    verd__arena_clean(arena, index, class->cleaned,
                      rest); /* `stack` itself is gone with its page */
    class->cleaned = 0;
    note_clean(class, arena, index);
}

bool verd__stacks_clean_some(struct verd__stacks *stacks)
{
    for (unsigned i = 0; i < VERD__STACK_CLASSES; i++) {
        if (stacks->classes[i].spare == NULL)
            continue;
        clean_some(stacks, i);
        return true;
    }
    return false;
}

size_t verd__stack_below(const struct verd__stack *stack, const char *end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size_t)(end - stack->low) / page * page;
}

size_t verd__stack_clean_below(const struct verd__stack *stack, const char *end, size_t done)
{
    size_t rest = verd__stack_below(stack, end) - done;
    size_t piece = rest < VERD__STACK_PIECE ? rest : VERD__STACK_PIECE;
    if (piece > 0)
        verd__arena_clean(stack->arena, stack->index, done, piece);
    return done + piece;
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
    return stack->arena->size - verd__stack_extra;
}

size_t verd__stack_guard(const struct verd__stack *stack)
{
    return stack->arena->guard;
}

/* Stacks are zero until written to, so the lowest byte that is not zero is the deepest that was
 * reached; pages that are not resident are skipped, as reading would make them so. */
static size_t used(const struct verd__stack *stack)
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

/* Memcheck takes what lies below the frames that there are for nobody's to read. */
size_t verd__stack_used(const struct verd__stack *stack)
{
    verd__valgrind_silence(1);
    size_t size = used(stack);
    verd__valgrind_silence(-1);
    return size;
}
