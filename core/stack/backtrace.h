/* SPDX-License-Identifier: MIT */
/*
 * The calls that have led to where a thread is, by the frame records that functions make which are compiled with frame
 * pointers: those of the library, and of programs with -fno-omit-frame-pointer. Where others come between, calls are missing;
 * and what is no record ends the walk. Nothing is read but by verd__peek, so it can be done in a signal's handler, on
 * stacks that change meanwhile, and on smashed ones.
 */
#ifndef VERD_STACK_BACKTRACE_H
#define VERD_STACK_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include <verd/context.h>

#include "stack/line.h"
#include "stack/symbol.h"

#define VERD__FRAMES_MAX 24

/* Words of the stack that are kept of what was interrupted. */
#define VERD__FRAME_WORDS 256

/* The innermost first. */
struct verd__backtrace {
    size_t count;
    uintptr_t pc[VERD__FRAMES_MAX];
    uintptr_t sp; /* where its stack is used down to */
    bool
        is_interrupted; /* the first is where it was interrupted, and no call's; and these are valid: */
    bool has_guess;     /* the second was found by verd__backtrace_mend */
    bool lacks_frame;   /* the registers are not known, but 0: nothing led to a second one yet */
    uintptr_t fp, link; /* the registers, as there are */
    uintptr_t words[VERD__FRAME_WORDS]; /* of the stack, from sp; 0: there is none */
};

/* Of what is suspended in a context, on a stack that ends at `high`; UINTPTR_MAX: it is not known where. */
void verd__backtrace_of_context(struct verd__backtrace *backtrace, const verd_context *context,
                                uintptr_t high);

/* The same of a frame as a switch leaves it. */
void verd__backtrace_of_frame(struct verd__backtrace *backtrace, const void *sp, uintptr_t high);

/* Of what a signal has interrupted. */
void verd__backtrace_of_signal(struct verd__backtrace *backtrace, const ucontext_t *context,
                               uintptr_t high);

/* Of what waits in a system call, of which nothing else is known. */
void verd__backtrace_of_waiting(struct verd__backtrace *backtrace, uintptr_t sp, uintptr_t pc);

/*
 * Adds the call that is missing where a function without a frame pointer was interrupted, as the C library has: that of the
 * program's code into it. It is the first word on the stack that is a return address of the program's, so it is a
 * guess.
 */
void verd__backtrace_mend(struct verd__backtrace *backtrace, struct verd__symbols *symbols,
                          uintptr_t high);

/* Of the caller. */
void verd__backtrace_of_caller(struct verd__backtrace *backtrace, uintptr_t high);

/* Writes a line for each call, with `prefix` before it, until an address is no code's. Calls of a function that calls itself
 * in one place are counted. */
void verd__backtrace_write(const struct verd__output *output, const char *prefix,
                           const struct verd__backtrace *backtrace, struct verd__symbols *symbols);

#endif
