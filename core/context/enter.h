/* SPDX-License-Identifier: MIT */
/* Contexts whose beginning and end are cheaper than a switch; in arch/<arch>/enter.S. */
#ifndef VERD_CONTEXT_ENTER_H
#define VERD_CONTEXT_ENTER_H

#include <verd/context.h>

/* verd_context_switch under a name to which the value that comes back is an int, passed as a pointer's low
 * bits: as the last act of a function that returns one, it is a jump, and no frame has to be returned
 * through. */
int verd__context_switch(verd_context *from, const verd_context *to,
                         void *value) __asm__("verd_context_switch");
struct verd__frame;

/* In switch.S: writes into a zeroed frame what only the assembly knows. */
__attribute__((visibility("hidden"))) void verd__context_stamp(struct verd__frame *frame,
                                                               verd_context_fn fn);

/* Called by switch.S when a context's function came to its end. */
__attribute__((visibility("hidden"), noreturn)) void verd__context_returned(void);

/* Suspends the caller into `from` and calls fn(value) on the empty stack below `top`, which is 16-byte
 * aligned. fn must not return, but end in verd__context_leave. The floating-point control state stays as
 * it is. Returns the value of the switch or leave that resumes `from`, an int as above. */
__attribute__((visibility("hidden"))) int verd__context_enter(verd_context *from, void *top,
                                                              void *value, verd_context_fn fn);

/* Resumes `to`, where `value` is returned; the caller's stack is empty from then on. Never returns, and
 * is to be the last call of a function that returns void: so that it is a jump, as enter.S wants. */
__attribute__((visibility("hidden"))) void *verd__context_leave(const verd_context *to,
                                                                void *value);

#endif
