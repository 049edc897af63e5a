/* SPDX-License-Identifier: MIT */

/* The portable half of contexts: a fresh stack is made to look like a suspended one. The other
 * half is arch/<arch>/switch.S, which draws these stacks. */
#include <verd/context.h>

#include <stdint.h>
#include <string.h>

#include "context/fibre.h"
#include "frame.h"
#include "stack/line.h"
#include "stack/memory.h"
#include "stack/valgrind.h"

void verd__context_returned(void)
{
    verd__die("the function of a context returned");
}

#if !VERD__ANNOUNCED

#define STACK_ALIGNMENT 16 /* of the stack pointer at a call, on both architectures */

/* The topmost bytes of a stack that was never run. */
struct fresh {
    struct verd__frame frame; /* popped by the first switch to it */
    void *base_record[2];     /* stays: the frame below which nothing lies; all zero */
};

_Static_assert(sizeof(struct fresh) % STACK_ALIGNMENT == 0, "the base frame would be misaligned");

static void verd__context_prepare(verd_context *ctx, void *stack, size_t size, verd_context_fn fn)
{
    size_t misaligned = ((uintptr_t)stack + size) % STACK_ALIGNMENT;
    char *top = (char *)stack + size - misaligned;
    struct fresh *fresh = (struct fresh *)(void *)(top - sizeof *fresh);

    memset(fresh, 0, sizeof *fresh);
    verd__context_stamp(&fresh->frame, fn);
    ctx->sp = &fresh->frame;
}

#endif

void verd_context_make(verd_context *ctx, void *stack, size_t size, verd_context_fn fn)
{
    if (size < VERD_CONTEXT_STACK_MIN)
        verd__die("a context's stack is smaller than VERD_CONTEXT_STACK_MIN");
    verd__memory_clean(stack, size);
    /* Each time anew: of several that lie there, valgrind believes the latest. */
    (void)verd__valgrind_register(stack, (char *)stack + size);
    verd__context_prepare(ctx, stack, size, fn);
}
