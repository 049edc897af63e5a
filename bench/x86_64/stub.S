/* SPDX-License-Identifier: MIT */

/* See bench/stub.h. Six registers: rbx, rbp, r12-r15. */

    .text

/* void bench_stub_switch(void **from, void *to); rdi = from, rsi = to */
    .globl bench_stub_switch
    .type bench_stub_switch, @function
    .p2align 6
bench_stub_switch:
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size bench_stub_switch, . - bench_stub_switch

/* void *bench_stub_make(void *top, void (*entry)(void)); rdi = top, rsi = entry
 *
 * Above the return address lies a zero, where the caller's return address would be: `entry` wants
 * the alignment of a called function, and a walker the end of the stack. */
    .globl bench_stub_make
    .type bench_stub_make, @function
    .p2align 4
bench_stub_make:
    endbr64
    movq $0, -8(%rdi)
    movq %rsi, -16(%rdi)
    movq $0, -24(%rdi)              /* rbp */
    leaq -64(%rdi), %rax            /* rbx and r12-r15 may start with anything */
    ret
    .size bench_stub_make, . - bench_stub_make

    .section .note.GNU-stack, "", @progbits
