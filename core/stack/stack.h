/* SPDX-License-Identifier: MIT */
/*
 * Guarded stacks and their cache. One struct verd__stacks serves one OS thread.
 *
 * Stacks come in classes, by size: powers of two. Each class has arenas, and an arena is one mapping
 * of up to 64 stacks, an odd number of pages apart:
 *
 *     base                     +stride                  +2 stride
 *      | guard | stack 0     ^ | guard | stack 1    ^   | guard | ...
 *      VERD_STACK_GUARD       |                    |
 *                              struct verd__stack, at the top less the stack's colour
 *
 * A guard is address space that faults: no page of it is ever there. It is wider than most frames, for a frame
 * may be entered without a touch of what lies between its ends.
 *
 * A power-of-two stride would put the parked frames of all stacks into the same few cache sets; the
 * odd stride spreads them over the sets of the outer caches, and the colour, a multiple of a cache
 * line, over those of the first, which sees only the offset within a page.
 *
 * A stack is clean (a bit in its arena; none of its pages is resident), in the cache (its top page is
 * resident and holds its struct), or taken. The cache is last in, first out, and needs no system
 * call; past its high-water mark a stack is cleaned for each that comes in.
 */
#ifndef VERD_STACK_STACK_H
#define VERD_STACK_STACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that the floor above may use beside each stack, for what a thread has only while it has one;
 * zero when the stack comes clean, else as they were left. */
#define VERD__STACK_AREA 448

struct verd__arena;

/* On the stack that it describes, above the first frame; so it costs no page of its own. */
struct verd__stack {
    _Alignas(16) struct verd__stack *next; /* in the cache */
    struct verd__arena *arena;
    char *low;     /* the lowest usable byte; the guard lies below */
    uint8_t index; /* in the arena */
    uint8_t class; /* in verd__stacks.classes */
    unsigned valgrind_id;
    char unused[32]; /* so that the first fields of the area share a cache line */
    _Alignas(16) char area[VERD__STACK_AREA];
};

_Static_assert(offsetof(struct verd__stack, area) == 64 && sizeof(struct verd__stack) % 64 == 0,
               "stacks end at cache lines, and so do these");

#define VERD__STACK_CLASSES 17 /* 16 KiB to 1 GiB */

struct verd__stack_class {
    struct verd__stack *cached;
    size_t cached_count;
    struct verd__arena *arenas; /* those with clean stacks first */
};

struct verd__stacks {
    struct verd__stack_class classes[VERD__STACK_CLASSES];
};

/* The class whose stacks have at least `size` bytes, VERD_STACK_SIZE_MIN..MAX, and a page. */
unsigned verd__stack_class(size_t size);

/* Takes a clean stack of class `number`; use verd__stack_take. */
struct verd__stack *verd__stack_take_clean(struct verd__stacks *stacks, unsigned number);

/* Takes a stack of a class. NULL with errno ENOMEM: no memory, or no mapping left for the guard
 * (then a line on stderr has named the limit). */
static inline struct verd__stack *verd__stack_take(struct verd__stacks *stacks, unsigned class)
{
    struct verd__stack *stack = stacks->classes[class].cached;
    if (__builtin_expect(stack == NULL, 0))
        return verd__stack_take_clean(stacks, class);
    stacks->classes[class].cached = stack->next;
    stacks->classes[class].cached_count--;
    return stack;
}

/* Stacks of a class that keep their pages while nobody uses them: as many as make up 1 GiB, but 4096
 * at most. At one dirty page each, a server that had its clients leave keeps 16 MiB. */
#define VERD__STACK_HIGH_WATER 4096

static inline size_t verd__stack_high_water(unsigned class)
{
    return class <= 4 ? VERD__STACK_HIGH_WATER : VERD__STACK_HIGH_WATER >> (class - 4);
}

/* Cleans one of the cached stacks of class `number`. */
void verd__stack_clean_one(struct verd__stacks *stacks, unsigned number);

/* Gives a stack back. The caller may still stand on it until someone takes a stack: it is the next to
 * be taken. */
static inline void verd__stack_give(struct verd__stacks *stacks, struct verd__stack *stack)
{
    struct verd__stack_class *class = &stacks->classes[stack->class];
    if (__builtin_expect(class->cached_count == verd__stack_high_water(stack->class), 0))
        verd__stack_clean_one(stacks, stack->class);
    stack->next = class->cached;
    class->cached = stack;
    class->cached_count++;
}

/* Unmaps all stacks, taken ones too. */
void verd__stacks_free(struct verd__stacks *stacks);

/* Usable bytes, from low up to the struct. */
static inline size_t verd__stack_size(const struct verd__stack *stack)
{
    return (size_t)((const char *)stack - stack->low);
}

/* What was asked for, rounded up to the class. */
size_t verd__stack_class_size(const struct verd__stack *stack);

/* Bytes of the guard below `low`. */
size_t verd__stack_guard(const struct verd__stack *stack);

/* The most bytes in use since the stack was clean. */
size_t verd__stack_used(const struct verd__stack *stack);

#endif
