/* SPDX-License-Identifier: MIT */
/* Where a signal has interrupted a thread, for backtraces. */
#ifndef VERD_ARCH_INTERRUPTED_H
#define VERD_ARCH_INTERRUPTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "stack/peek.h"

static inline uintptr_t verd__interrupted_pc(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

static inline uintptr_t verd__interrupted_fp(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
}

static inline uintptr_t verd__interrupted_sp(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

/* Where a function that has not called any returns to; 0: that lies on the stack. */
static inline uintptr_t verd__interrupted_link(const ucontext_t *context)
{
    (void)context;
    return 0;
}

/* Whether there is a call in front of an address of code: direct, or indirect by a register or memory. */
static inline bool verd__follows_call(uintptr_t pc)
{
    unsigned char code[7]; /* that end there */
    if (!verd__peek(code, (const void *)(pc - sizeof code), sizeof code))
        return false;
    if (code[2] == 0xe8)
        return true;
    for (size_t length = 2; length <= sizeof code; length++) {
        const unsigned char *call = code + sizeof code - length;
        if (call[0] == 0xff && (call[1] & 0x38) == 0x10)
            return true;
    }
    return false;
}

/* What a call in front of an address has called; 0: that is not in the instruction, or there is none. */
static inline uintptr_t verd__called(uintptr_t pc)
{
    struct __attribute__((packed)) {
        unsigned char operation;
        int32_t distance;
    } call;
    bool is_known =
        verd__peek(&call, (const void *)(pc - sizeof call), sizeof call) && call.operation == 0xe8;
    return is_known ? pc + (uintptr_t)(intptr_t)call.distance : 0;
}

/* Whether there is a system call in front of an address of code. */
static inline bool verd__follows_system_call(uintptr_t pc)
{
    unsigned char code[2];
    return verd__peek(code, (const void *)(pc - sizeof code), sizeof code) && code[0] == 0x0f &&
           code[1] == 0x05;
}

/* A return address as it was before it was signed. */
static inline uintptr_t verd__unsigned_pc(uintptr_t pc)
{
    return pc;
}

#endif
