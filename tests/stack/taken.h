/* SPDX-License-Identifier: MIT */
/* Stacks that a test takes without a scheduler. */
#ifndef TESTS_STACK_TAKEN_H
#define TESTS_STACK_TAKEN_H

#include <stddef.h>

#include "stack/stack.h"

static struct verd__stacks stacks;

static inline struct verd__stack *take(size_t size)
{
    return verd__stack_take(&stacks, verd__stack_class(size));
}

static inline size_t bytes_set(const char *at, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += at[i] != 0;
    return count;
}

#endif
