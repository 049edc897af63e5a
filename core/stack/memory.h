/* SPDX-License-Identifier: MIT */
/*
 * What AddressSanitizer is told of memory that the library maps: that pointers may lie in it, for the
 * leak check, and that an earlier mapping's shadow does not count. The leak check reads all of it that is
 * mapped readable. MemorySanitizer is told what assembly and the kernel have written. Nothing in other builds.
 */
#ifndef VERD_STACK_MEMORY_H
#define VERD_STACK_MEMORY_H

#include <stddef.h>

#include "stack/sanitizer.h"

#if VERD__ASAN
#define VERD__MEMORY_IS_READ 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define VERD__MEMORY_IS_READ 0
#endif

#if VERD__MSAN
#include <sanitizer/msan_interface.h>
#endif

static inline void verd__memory_register(void *base, size_t size)
{
#if VERD__ASAN
    __asan_unpoison_memory_region(base, size);
    __lsan_register_root_region(base, size);
#else
    (void)base, (void)size;
#endif
}

static inline void verd__memory_deregister(void *base, size_t size)
{
#if VERD__ASAN
    __asan_unpoison_memory_region(base, size);
    __lsan_unregister_root_region(base, size);
#else
    (void)base, (void)size;
#endif
}

/* What frames that will never return had on a stack does not count either. */
static inline void verd__memory_clean(const void *base, size_t size)
{
#if VERD__ASAN
    __asan_unpoison_memory_region(base, size);
#elif VERD__MSAN
    __msan_unpoison(base, size);
#else
    (void)base, (void)size;
#endif
}

#endif
