/* SPDX-License-Identifier: MIT */
/* An arena: one mapping of guarded stacks of one size, drawn in stack.h. */
#ifndef VERD_STACK_ARENA_H
#define VERD_STACK_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/stack.h"

struct verd__arena {
    struct verd__arena *next, *previous; /* the class's ring */
    char *base;
    size_t size;    /* of a stack, without its guard */
    size_t guard;   /* bytes of one */
    size_t stride;  /* from a stack to the next: size and guard */
    uint64_t clean; /* bit i: stack i is clean and free */
    unsigned count; /* of stacks */
};

/* Maps an arena whose stacks have `size` bytes, all clean. NULL with errno ENOMEM. */
struct verd__arena *verd__arena_new(size_t size);
void verd__arena_free(struct verd__arena *arena);

/* The class's ring of arenas: *ring is the first. */
void verd__arena_insert(struct verd__arena **ring, struct verd__arena *arena);
void verd__arena_remove(struct verd__arena **ring, struct verd__arena *arena);
void verd__arena_move_last(struct verd__arena **ring, struct verd__arena *arena);

/* Where stack `index` has its struct, and its lowest usable byte. */
struct verd__stack *verd__arena_stack(const struct verd__arena *arena, unsigned index);
char *verd__arena_low(const struct verd__arena *arena, unsigned index);

/* Gives the pages of stack `index` back, `size` bytes of them from `offset` on; its guard stays. */
void verd__arena_clean(const struct verd__arena *arena, unsigned index, size_t offset, size_t size);

/* Whether all its stacks are clean. */
bool verd__arena_is_clean(const struct verd__arena *arena);

#endif
