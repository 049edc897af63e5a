/* SPDX-License-Identifier: MIT */

/* See bench/stub.h. The general registers that a callee must keep: x19-x30. */

    .text

/* void bench_stub_switch(void **from, void *to); x0 = from, x1 = to */
    .globl bench_stub_switch
    .type bench_stub_switch, %function
    .p2align 6
bench_stub_switch:
    hint #34                        /* bti c */
    stp x29, x30, [sp, #-96]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #96
    ret
    .size bench_stub_switch, . - bench_stub_switch

/* void *bench_stub_make(void *top, void (*entry)(void)); x0 = top, x1 = entry */
    .globl bench_stub_make
    .type bench_stub_make, %function
    .p2align 4
bench_stub_make:
    hint #34                        /* bti c */
    stp xzr, x1, [x0, #-96]!        /* x29, x30; the others may start with anything */
    ret
    .size bench_stub_make, . - bench_stub_make

    .section .note.GNU-stack, "", @progbits
