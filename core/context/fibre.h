/* SPDX-License-Identifier: MIT */
/*
 * The beginning and the end of what runs on a guarded stack. They are those of enter.h; but in a library
 * built with a sanitizer, which has to be told on which stack the code runs, they are made of
 * verd_context_make and verd_context_switch, which tell it (fibre.c).
 */
#ifndef VERD_CONTEXT_FIBRE_H
#define VERD_CONTEXT_FIBRE_H

#include <verd/context.h>

#include "context/enter.h"
#include "stack/sanitizer.h"
#include "stack/stack.h"

#if VERD__ANNOUNCED

/* In switch.S: the switch itself. */
__attribute__((visibility("hidden"))) void *
verd__context_switch_raw(verd_context *from, const verd_context *to, void *value);

/* As verd_context_make, on a stack that is as it should be. */
__attribute__((visibility("hidden"))) void verd__context_prepare(verd_context *ctx, void *stack,
                                                                 size_t size, verd_context_fn fn);

/* As verd__context_leave. */
__attribute__((visibility("hidden"))) void verd__fibre_leave(const verd_context *to, void *value);

/* The lowest address that what is suspended in `context` uses. */
__attribute__((visibility("hidden"))) const char *verd__fibre_low(const verd_context *context);

/* What is suspended in `context` will never be resumed. */
__attribute__((visibility("hidden"))) void verd__fibre_abandon(const verd_context *context);

/* As verd__context_enter. */
static inline int verd__fibre_enter(verd_context *from, struct verd__stack *stack, void *value,
                                    verd_context_fn fn)
{
    verd_context start;
    verd__context_prepare(&start, stack->low, verd__stack_size(stack), fn);
    return verd__context_switch(from, &start, value);
}

/* As verd__context_enter into a `nowhere` that is not resumed: the caller's stack is empty from then on. */
static inline void verd__fibre_replace(verd_context *nowhere, struct verd__stack *stack,
                                       void *value, verd_context_fn fn)
{
    (void)nowhere;
    verd_context start;
    verd__context_prepare(&start, stack->low, verd__stack_size(stack), fn);
    verd__fibre_leave(&start, value);
}

#else

static inline void verd__fibre_leave(const verd_context *to, void *value)
{
    verd__context_leave(to, value);
}

static inline const char *verd__fibre_low(const verd_context *context)
{
    return context->sp;
}

static inline void verd__fibre_abandon(const verd_context *context)
{
    (void)context;
}

static inline int verd__fibre_enter(verd_context *from, struct verd__stack *stack, void *value,
                                    verd_context_fn fn)
{
    return verd__context_enter(from, stack, value, fn);
}

static inline void verd__fibre_replace(verd_context *nowhere, struct verd__stack *stack,
                                       void *value, verd_context_fn fn)
{
    verd__context_enter(nowhere, stack, value, fn);
}

#endif
#endif
