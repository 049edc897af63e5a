/* SPDX-License-Identifier: MIT */
/* Whether what is done over and over leaves blocks behind. */
#ifndef TESTS_SUPPORT_LEAK_H
#define TESTS_SUPPORT_LEAK_H

#include <stdbool.h>
#include <stddef.h>

/* Whether malloc tells what is allocated. That of a sanitizer or of valgrind does not, but looks for leaks itself. */
bool leak_is_told(void);

/* Bytes that are allocated, or kept by the allocator for the next of their size, which is not much; 0 where that is
 * not told. */
size_t leak_allocated(void);

/* The same with blocks that are so large that they are the system's again once they are freed. */
size_t leak_in_use(void);

/* Asserts that a deed does not leave a block behind each time, of which the smallest is 32 bytes. */
void leak_expect_none(void (*deed)(void));

#endif
