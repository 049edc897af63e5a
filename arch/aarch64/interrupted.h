/* SPDX-License-Identifier: MIT */
/* Where a signal has interrupted a thread, for backtraces. */
#ifndef VERD_ARCH_INTERRUPTED_H
#define VERD_ARCH_INTERRUPTED_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "stack/peek.h"

static inline uintptr_t verd__interrupted_pc(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.pc;
}

static inline uintptr_t verd__interrupted_fp(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.regs[29];
}

static inline uintptr_t verd__interrupted_sp(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.sp;
}

/* The signature takes the bits above those of an address: 48, unless a program asks for more. */
static inline uintptr_t verd__unsigned_pc(uintptr_t pc)
{
    return pc & ((UINT64_C(1) << 48) - 1);
}

/* Whether there is a call in front of an address of code: bl, blr and its signed kinds. */
static inline bool verd__follows_call(uintptr_t pc)
{
    uint32_t code;
    return verd__peek(&code, (const void *)(pc - sizeof code), sizeof code) &&
           ((code & 0xfc000000) == 0x94000000 || (code & 0xfefff800) == 0xd63f0000 ||
            (code & 0xfefff800) == 0xd63f0800);
}

/* What a call in front of an address has called; 0: that is not in the instruction, or there is none. */
static inline uintptr_t verd__called(uintptr_t pc)
{
    uint32_t code;
    if (!verd__peek(&code, (const void *)(pc - sizeof code), sizeof code) ||
        (code & 0xfc000000) != 0x94000000)
        return 0;
    int32_t distance = (int32_t)(code << 6) >> 4; /* in bytes */
    return pc - sizeof code + (uintptr_t)(intptr_t)distance;
}

/* Whether there is a system call in front of an address of code: svc #0. */
static inline bool verd__follows_system_call(uintptr_t pc)
{
    uint32_t code;
    return verd__peek(&code, (const void *)(pc - sizeof code), sizeof code) && code == 0xd4000001;
}

/* Where a function that has not called any returns to. */
static inline uintptr_t verd__interrupted_link(const ucontext_t *context)
{
    return verd__unsigned_pc((uintptr_t)context->uc_mcontext.regs[30]);
}

#endif
