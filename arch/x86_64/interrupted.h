/* SPDX-License-Identifier: MIT */
/* Where a signal has interrupted a thread, for backtraces. */
#ifndef VERD_ARCH_INTERRUPTED_H
#define VERD_ARCH_INTERRUPTED_H

#include <stdint.h>
#include <ucontext.h>

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

/* A return address as it was before it was signed. */
static inline uintptr_t verd__unsigned_pc(uintptr_t pc)
{
    return pc;
}

#endif
