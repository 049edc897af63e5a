/* SPDX-License-Identifier: MIT */

/* How a program asks valgrind something (stack/valgrind.h, which has the only use): x12 is rotated by 128 bits in all,
 * and x10 is moved to itself. */
#ifndef VERD_ARCH_REQUEST_H
#define VERD_ARCH_REQUEST_H

#include <stdint.h>

/* The answer. It stays `fallback` where there is no valgrind. */
static inline uintptr_t verd__request(const uintptr_t question[6], uintptr_t fallback)
{
    register uintptr_t answer __asm__("x3") = fallback;
    register const uintptr_t *where __asm__("x4") = question;
    __asm__ volatile("ror x12, x12, #3\n\t"
                     "ror x12, x12, #13\n\t"
                     "ror x12, x12, #51\n\t"
                     "ror x12, x12, #61\n\t"
                     "orr x10, x10, x10"
                     : "+r"(answer)
                     : "r"(where)
                     : "cc", "memory");
    return answer;
}

#endif
