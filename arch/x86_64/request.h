/* SPDX-License-Identifier: MIT */

/* How a program asks valgrind something (stack/valgrind.h, which has the only use): rdi is rotated by 128 bits in all,
 * and rbx is exchanged with itself. */
#ifndef VERD_ARCH_REQUEST_H
#define VERD_ARCH_REQUEST_H

#include <stdint.h>

/* The answer. It stays `fallback` where there is no valgrind. */
static inline uintptr_t verd__request(const uintptr_t question[6], uintptr_t fallback)
{
    __asm__ volatile("rolq $3, %%rdi\n\t"
                     "rolq $13, %%rdi\n\t"
                     "rolq $61, %%rdi\n\t"
                     "rolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(fallback)
                     : "a"(question)
                     : "cc", "memory");
    return fallback;
}

#endif
