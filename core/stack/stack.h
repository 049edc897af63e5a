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
 * resident and holds its struct), or taken. The cache is last in, first out, and needs no system call. It
 * has two generations: whoever sees to it that memory goes back has the cache age once in a while. What is
 * in it then is spare: taken before a clean one still, and given back if it was not by the next time. So
 * nothing is given back on the way of a take or a give, and what was in use of late stays.
 */
#ifndef VERD_STACK_STACK_H
#define VERD_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/thread.h>

#include "stack/carriers.h"

/* Bytes that the floor above may use beside each stack, for what a thread has only while it has one;
 * zero when the stack comes clean, else as they were left. */
#define VERD__STACK_AREA 448

struct verd__arena;
struct verd__carrier;

/* On the stack that it describes, above the first frame; so it costs no page of its own. */
struct verd__stack {
    _Alignas(16) struct verd__stack *next; /* in the cache */
    struct verd__arena *arena;
    char *low;     /* the lowest usable byte; the guard lies below */
    uint8_t index; /* in the arena */
    uint8_t class; /* in verd__stacks.classes */
    unsigned valgrind_id;
    struct verd__carrier *carrier; /* the floor above's (sched/carrier.h); NULL: it has none */
    char unused[24];               /* so that the first fields of the area share a cache line */
    _Alignas(16) char area[VERD__STACK_AREA];
};

_Static_assert(offsetof(struct verd__stack, area) == 64 && sizeof(struct verd__stack) % 64 == 0,
               "stacks end at cache lines, and so do these");

#define VERD__STACK_CLASSES 17 /* 16 KiB to 1 GiB */

struct verd__stack_class {
    struct verd__stack *cached; /* given since the cache has aged */
    size_t cached_count;
    struct verd__stack *spare; /* given before that */
    size_t spare_count;
    size_t warm;    /* stacks that are not clean: taken, cached or spare */
    size_t cleaned; /* bytes of the first spare one, from its low end, that have gone back */
    struct verd__arena *arenas; /* those with clean stacks first */
};

struct verd__stacks {
    struct verd__stack_class classes[VERD__STACK_CLASSES];
    size_t warm,
        warm_peak; /* bytes of those that are not clean: now, and the most that there have been */
};

/* Whether it may be asked for; 0 is the default. */
static inline bool verd__stack_size_is_valid(size_t size)
{
    return size == 0 || (size >= VERD_STACK_SIZE_MIN && size <= VERD_STACK_SIZE_MAX);
}

#if VERD__CARRIERS
/* Bytes that each stack has beside what is asked for, in whole pages. Set before the first is made. */
extern size_t verd__stack_extra;
#else
#define verd__stack_extra ((size_t)0)
#endif

/* The class whose stacks have at least `size` bytes, VERD_STACK_SIZE_MIN..MAX, and a page. */
unsigned verd__stack_class(size_t size);

/* Takes a spare stack of class `number`, or a clean one; use verd__stack_take. */
struct verd__stack *verd__stack_take_other(struct verd__stacks *stacks, unsigned number);

/* Takes a stack of a class. NULL with errno ENOMEM: no memory, or no mapping left for the guard
 * (then a line on stderr has named the limit). */
static inline struct verd__stack *verd__stack_take(struct verd__stacks *stacks, unsigned class)
{
    struct verd__stack *stack = stacks->classes[class].cached;
    if (__builtin_expect(stack == NULL, 0))
        return verd__stack_take_other(stacks, class);
    stacks->classes[class].cached = stack->next;
    stacks->classes[class].cached_count--;
    return stack;
}

/* So many stacks of a class, of 2 MiB, are cached without a word. */
#define VERD__STACK_KEPT 8

static inline size_t verd__stack_kept(unsigned class)
{
    return class <= 4 ? VERD__STACK_KEPT : VERD__STACK_KEPT >> (class - 4);
}

/* Gives a stack back. The caller may still stand on it until someone takes a stack: it is the next to
 * be taken. Returns whether there are more now than are kept: then the cache is to age. */
static inline bool verd__stack_give(struct verd__stacks *stacks, struct verd__stack *stack)
{
    struct verd__stack_class *class = &stacks->classes[stack->class];
    stack->next = class->cached;
    class->cached = stack;
    return class->cached_count++ == verd__stack_kept(stack->class);
}

/* All that is cached is spare from now on; nothing was. Returns whether there is any. */
bool verd__stacks_age(struct verd__stacks *stacks);

/* Gives a piece of a spare stack back, of VERD__STACK_PIECE at most. False: there is none. */
bool verd__stacks_clean_some(struct verd__stacks *stacks);

/* Bytes that go back to the kernel by one call: some 20 us, if all were in use. */
#define VERD__STACK_PIECE ((size_t)256 * 1024)

/* Gives a piece back of what lies below `end` on a taken stack, whose first `done` bytes have gone. Returns how
 * many have now; there is more if that is less than verd__stack_below(stack, end). */
size_t verd__stack_clean_below(const struct verd__stack *stack, const char *end, size_t done);

/* Bytes in whole pages from the stack's low end to `end`. */
size_t verd__stack_below(const struct verd__stack *stack, const char *end);

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

/* The most bytes in use since the stack was clean, or what lies below a frame was. */
size_t verd__stack_used(const struct verd__stack *stack);

#endif
