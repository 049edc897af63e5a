/* SPDX-License-Identifier: MIT */

/* The beginning and the end of what runs on a stack, for x86-64.
 *
 *   verd__context_enter     suspends the caller, and calls a function on an empty stack
 *   verd__context_leave     ends what runs on a stack, and resumes a suspended context
 *
 * With verd_context_switch alone, a short-lived thread would cost two mispredicted returns: one
 * into its stack's code and one back, since the two calls of the switch are in different places. Here
 * the way in is a jump, which takes no entry off the processor's stack of return addresses, and the
 * way out is reached by a jump too, and ends in the ret that belongs to the caller's call of
 * verd__context_enter. So the ret is predicted, and the stack of return addresses stays even.
 *
 * The frame of a suspended context is drawn in switch.S. The stack that is entered:
 *
 *   +--------------------+  <- top, 16-byte aligned; CFA of the base frame
 *   |  0                 |  base record: nothing lies above
 *   |  0                 |
 *   |  return address    |  = .Lbase, in verd__context_base
 *   +--------------------+  <- rsp at the function's entry
 */

#include "frame.h"

    .text

/* void *verd__context_enter(verd_context *from, void *top, void *value, verd_context_fn fn)
 *
 *   rdi = from, rsi = top, rdx = value, rcx = fn */
    .globl verd__context_enter
    .hidden verd__context_enter
    .type verd__context_enter, @function
    .p2align 6
verd__context_enter:
    .cfi_startproc
    endbr64
    leaq -VERD__FRAME_RIP(%rsp), %rsp
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    movq %rsp, (%rdi)
    movq %rbp, VERD__FRAME_RBP(%rsp)
    .cfi_offset rbp, VERD__FRAME_RBP - VERD__FRAME_SIZE
    movq %rbx, VERD__FRAME_RBX(%rsp)
    movq %r12, VERD__FRAME_R12(%rsp)
    movq %r13, VERD__FRAME_R13(%rsp)
    movq %r14, VERD__FRAME_R14(%rsp)
    movq %r15, VERD__FRAME_R15(%rsp)
    stmxcsr VERD__FRAME_MXCSR(%rsp)
    fnstcw VERD__FRAME_X87CW(%rsp)

    /* The other registers are dead for the new stack, so they stay as they are. */
    leaq .Lbase(%rip), %rax
    movq $0, -8(%rsi)
    movq $0, -16(%rsi)
    movq %rax, -24(%rsi)
    movq %rdx, %rdi
    xorl %ebp, %ebp
    leaq -24(%rsi), %rsp
    .cfi_def_cfa_offset 8
    .cfi_restore rbp
    jmp *%rcx
    .cfi_endproc
    .size verd__context_enter, . - verd__context_enter

/* The base frame: unwinders stop here because the return address is undefined, frame-pointer walkers
 * because rbp is 0. The nop is for unwinders, which look up a return address minus one. */
    .type verd__context_base, @function
    .p2align 4
verd__context_base:
    .cfi_startproc
    .cfi_def_cfa rsp, 16
    .cfi_undefined rip
    nop
.Lbase:
    callq verd__context_returned
    ud2
    .cfi_endproc
    .size verd__context_base, . - verd__context_base

/* void *verd__context_leave(const verd_context *to, void *value)
 *
 *   rdi = to, rsi = value, rsp = where the return address lies */
    .globl verd__context_leave
    .hidden verd__context_leave
    .type verd__context_leave, @function
    .p2align 6
verd__context_leave:
    .cfi_startproc
    endbr64
    movq %rsi, %rax

    /* The first thing is to change stacks, for nothing that is left behind is wanted again. From
     * here on this is the resumed context, with its registers in its frame. */
    movq (%rdi), %rsp
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    .cfi_offset rbp, VERD__FRAME_RBP - VERD__FRAME_SIZE
    .cfi_offset rbx, VERD__FRAME_RBX - VERD__FRAME_SIZE
    .cfi_offset r12, VERD__FRAME_R12 - VERD__FRAME_SIZE
    .cfi_offset r13, VERD__FRAME_R13 - VERD__FRAME_SIZE
    .cfi_offset r14, VERD__FRAME_R14 - VERD__FRAME_SIZE
    .cfi_offset r15, VERD__FRAME_R15 - VERD__FRAME_SIZE
    /* Compared before they are loaded, as in switch.S. The present ones go into the red zone. */
    cmpb $0, verd__mxcsr_is_quick(%rip)
    je .Lcompare_mxcsr
    ldmxcsr VERD__FRAME_MXCSR(%rsp)
.Lmxcsr_is_right:
    fnstcw -4(%rsp)
    movzwl VERD__FRAME_X87CW(%rsp), %r8d
    cmpw -4(%rsp), %r8w
    jne .Lload_x87cw
.Lx87cw_is_right:
    movq VERD__FRAME_R15(%rsp), %r15
    movq VERD__FRAME_R14(%rsp), %r14
    movq VERD__FRAME_R13(%rsp), %r13
    movq VERD__FRAME_R12(%rsp), %r12
    movq VERD__FRAME_RBX(%rsp), %rbx
    movq VERD__FRAME_RBP(%rsp), %rbp
    leaq VERD__FRAME_RIP(%rsp), %rsp
    .cfi_remember_state
    .cfi_def_cfa_offset 8
    .cfi_restore rbp
    .cfi_restore rbx
    .cfi_restore r12
    .cfi_restore r13
    .cfi_restore r14
    .cfi_restore r15
    ret

.Lcompare_mxcsr:
    .cfi_restore_state
    stmxcsr -8(%rsp)
    movl VERD__FRAME_MXCSR(%rsp), %r8d
    xorl -8(%rsp), %r8d
    testl $VERD__MXCSR_CONTROL, %r8d
    je .Lmxcsr_is_right
    ldmxcsr VERD__FRAME_MXCSR(%rsp)
    jmp .Lmxcsr_is_right
.Lload_x87cw:
    fldcw VERD__FRAME_X87CW(%rsp)
    jmp .Lx87cw_is_right
    .cfi_endproc
    .size verd__context_leave, . - verd__context_leave

#include "note.h"
