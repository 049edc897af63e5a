/* SPDX-License-Identifier: MIT */

/* The portable half of contexts: a fresh stack is made to look like a suspended one. The other
 * half is arch/<arch>/switch.S, which draws these stacks. */
#include <verd/context.h>

#include <stdint.h>
#include <string.h>

#include "frame.h"
#include "stack/line.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define STACK_ALIGNMENT 16 /* of the stack pointer at a call, on both architectures */

/* The topmost bytes of a stack that was never run. */
struct fresh {
    struct verd__frame frame; /* popped by the first switch to it */
    void *base_record[2];     /* stays: the frame below which nothing lies; all zero */
};

_Static_assert(sizeof(struct fresh) % STACK_ALIGNMENT == 0, "the base frame would be misaligned");

/* In switch.S: writes into a zeroed frame what only the assembly knows. */
__attribute__((visibility("hidden"))) void verd__context_stamp(struct verd__frame *frame,
                                                               verd_context_fn fn);

/* Called by switch.S when a context's function came to its end. */
__attribute__((visibility("hidden"), noreturn)) void verd__context_returned(void);

void verd__context_returned(void)
{
    verd__die("the function of a context returned");
}

void verd_context_make(verd_context *ctx, void *stack, size_t size, verd_context_fn fn)
{
    if (size < VERD_CONTEXT_STACK_MIN)
        verd__die("a context's stack is smaller than VERD_CONTEXT_STACK_MIN");

    /* AddressSanitizer may still hold the variables of an earlier context's frames for poisoned. */
    ASAN_UNPOISON_MEMORY_REGION(stack, size);

    size_t misaligned = ((uintptr_t)stack + size) % STACK_ALIGNMENT;
    char *top = (char *)stack + size - misaligned;
    struct fresh *fresh = (struct fresh *)(void *)(top - sizeof *fresh);

    memset(fresh, 0, sizeof *fresh);
    verd__context_stamp(&fresh->frame, fn);
    ctx->sp = &fresh->frame;
}
