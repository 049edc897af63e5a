/* SPDX-License-Identifier: MIT */
/* For tests that need more than some systems let them have. */
#ifndef TESTS_SUPPORT_SHORTAGE_H
#define TESTS_SUPPORT_SHORTAGE_H

#include <criterion/criterion.h>
#include <sys/mman.h>

#include <verd.h>

#include "process.h"

/* Skips the test where it may not have so many descriptors open at a time. */
static inline void need_descriptors(size_t count)
{
    if (process_descriptors_up_to(count) < count)
        cr_skip_test("the limit of descriptors is too low");
}

/* Skips the test where it may not map so many more bytes. */
static inline void need_address_space(size_t bytes)
{
    void *space = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        cr_skip_test("the limit of address space is too low");
    munmap(space, bytes);
}

/* The same for so many threads. */
static inline void need_stacks(size_t count)
{
    need_address_space(count * (VERD_STACK_SIZE + VERD_STACK_GUARD));
}

#endif
