/* SPDX-License-Identifier: MIT */

/* Idling, for x86-64.
 *
 *   verd_idle               waits as if on a stack of its own
 *
 * A thread that has to wait with nobody else to run waits for the poller on its own stack, which saves a
 * switch if it is its own event that comes. Whoever looks from outside, a profiler or a debugger, shall not
 * charge that to the thread: so this is an outermost frame, to unwinders because the return address is
 * undefined, to frame-pointer walkers because rbp is 0; and what the thread has below it is suspended as
 * by verd_context_switch, for those who ask for it. The frame is that of switch.S, but without the
 * floating-point control words.
 */

#include "frame.h"

    .text

/* void verd_idle(verd_context *from, void (*wait)(void *, int64_t), void *poller, int64_t timeout)
 *
 *   rdi = from, rsi = wait, rdx = poller, rcx = timeout */
    .globl verd_idle
    .hidden verd_idle
    .type verd_idle, @function
    .p2align 4
verd_idle:
    .cfi_startproc
    endbr64
    leaq -VERD__FRAME_RIP(%rsp), %rsp
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    movq %rbp, VERD__FRAME_RBP(%rsp)
    .cfi_offset rbp, VERD__FRAME_RBP - VERD__FRAME_SIZE
    movq %rbx, VERD__FRAME_RBX(%rsp)
    .cfi_offset rbx, VERD__FRAME_RBX - VERD__FRAME_SIZE
    movq %r12, VERD__FRAME_R12(%rsp)
    movq %r13, VERD__FRAME_R13(%rsp)
    movq %r14, VERD__FRAME_R14(%rsp)
    movq %r15, VERD__FRAME_R15(%rsp)
    movq %rsp, (%rdi)
    movq %rdi, %rbx
    movq %rsi, %rax
    movq %rdx, %rdi
    movq %rcx, %rsi
    xorl %ebp, %ebp
    .cfi_remember_state
    .cfi_undefined rip
    callq *%rax
    .cfi_restore_state
    movq $0, (%rbx)
    movq VERD__FRAME_RBX(%rsp), %rbx
    .cfi_restore rbx
    movq VERD__FRAME_RBP(%rsp), %rbp
    .cfi_restore rbp
    leaq VERD__FRAME_RIP(%rsp), %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size verd_idle, . - verd_idle

#include "note.h"
