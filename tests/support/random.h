/* SPDX-License-Identifier: MIT */
/* Chance that is the same in each run: xorshift (Marsaglia, 2003). */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static inline size_t random_below(size_t bound)
{
    static uint64_t state = 0x9e3779b97f4a7c15U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

#endif
