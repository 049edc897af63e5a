/* SPDX-License-Identifier: MIT */

/* Contexts: the raw switch between stacks, usable alone.
 *
 * A context is a suspended flow of control: a stack, and the registers that wait on top of it.
 * This floor knows no scheduler; it neither allocates nor calls the system. Most programs want
 * the threads of <verd/thread.h>, which are made of contexts.
 *
 *     static verd_context here, there;
 *     static void echo(void *value) { for (;;) value = verd_context_switch(&there, &here, value); }
 *
 *     verd_context_make(&there, stack, sizeof stack, echo);
 *     void *answer = verd_context_switch(&here, &there, "hello");
 *
 * What a switch keeps is what the platform's procedure call standard lets a caller keep across a
 * call:
 *
 *     x86-64    rsp, rbx, rbp, r12-r15, the control bits of mxcsr and the x87 control word
 *               (System V ABI, AMD64 supplement, 3.2.1 "Registers and the Stack Frame")
 *     AArch64   sp, x19-x30, d8-d15 and FPCR
 *               (AAPCS64, 6.1 "Machine Registers")
 *
 * So the rounding mode, the x87 precision and the trap masks belong to a context. The exception
 * flags that <fenv.h> tests do not: as across any call, they may change. Neither does the signal
 * mask, nor errno.
 */
#ifndef VERD_CONTEXT_H
#define VERD_CONTEXT_H

#include <verd/platform.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fewest bytes that verd_context_make takes for a stack. They hold the first frames and a
 * small function. A signal handler without an alternate stack needs sysconf(_SC_MINSIGSTKSZ)
 * bytes more, and one call of printf about 8 KiB. */
#define VERD_CONTEXT_STACK_MIN 4096

/* A suspended flow of control. While it is suspended, `sp` is the lowest address in use on its
 * stack (in a library built with a sanitizer, a place in that stack whose first word is this address);
 * while it runs, or before it is made, `sp` means nothing. The struct needs no clean-up
 * and may be copied, but each suspension can be resumed only once. */
typedef struct verd_context {
    void *sp;
} verd_context;

/* What a context runs, with the value of the first switch to it. It must not return: there is
 * nothing below it. One that does ends the process with a line on stderr and abort(). For the same
 * reason no C++ exception may leave it: the unwinder finds the end of the stack and calls
 * std::terminate(). Inside, exceptions work as usual, but the C++ runtime keeps those that are
 * being handled per OS thread: a catch block that switches away must be resumed before any catch
 * block that was entered earlier, on whichever stack, ends. */
typedef void (*verd_context_fn)(void *value);

/* Makes `ctx` a context that will call `fn` on the given stack when it is first switched to.
 *
 *     ctx     written; nothing else refers to it later
 *     stack   the lowest address of the stack, of any alignment; stays the caller's, and must live
 *             as long as the context may run
 *     size    the stack's length in bytes, any number from VERD_CONTEXT_STACK_MIN up; the top is
 *             aligned down as the ABI demands, so up to 15 bytes of it may stay unused
 *     fn      the function to call
 *
 * The new context starts with the floating-point control state (rounding, precision, trap masks)
 * that its maker has now, as a new OS thread would, and with all exception flags of its own clear
 * where the switch keeps them (mxcsr).
 *
 * Writes to the topmost 256 bytes of the stack and to no others. A stack that is too small is one
 * line on stderr and abort(). Never blocks; may be called from any thread. The context may be run
 * by an OS thread other than its maker's. */
void verd_context_make(verd_context *ctx, void *stack, size_t size, verd_context_fn fn);

/* Suspends the caller into `from` and resumes `to`.
 *
 *     from    written; whoever later switches to it makes this call return
 *     to      a context that was made, or suspended, and has not been resumed since; may be `from`
 *             itself, which returns at once
 *     value   what the resumed call of verd_context_switch returns, or, the first time, what `fn`
 *             gets
 *
 * Returns the `value` of the switch that resumed `from`. To leave a context for good, suspend it
 * into a `from` that nobody resumes, and free its stack from the other side.
 *
 * Makes no system call, and does not itself block: the caller goes on when somebody switches back.
 * May be called from any thread; a context suspended by one OS thread may be resumed by another if
 * the two calls are ordered by the program, and if no frame on its stack has kept the address of
 * a thread-local variable, which compilers do (errno is one). */
void *verd_context_switch(verd_context *from, const verd_context *to, void *value);

#ifdef __cplusplus
}
#endif

#endif
