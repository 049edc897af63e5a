/* SPDX-License-Identifier: MIT */

/* The beginning and the end of what runs on a stack, for AArch64: see arch/x86_64/enter.S. */

#include "frame.h"
#include "sign.h"

    .text

/* void *verd__context_enter(verd_context *from, void *top, void *value, verd_context_fn fn)
 *
 *   x0 = from, x1 = top, x2 = value, x3 = fn */
    .globl verd__context_enter
    .hidden verd__context_enter
    .type verd__context_enter, %function
    .p2align 6
verd__context_enter:
    .cfi_startproc
    B_KEY
    SIGN

    /* Suspend. There is no red zone: sp moves before anything is stored. */
    sub sp, sp, #VERD__FRAME_SIZE
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    mov x9, sp
    str x9, [x0]
    stp x29, x30, [sp, #VERD__FRAME_FP]
    .cfi_offset x29, VERD__FRAME_FP - VERD__FRAME_SIZE
    .cfi_offset x30, VERD__FRAME_LR - VERD__FRAME_SIZE
    stp x19, x20, [sp, #VERD__FRAME_X19]
    .cfi_offset x19, VERD__FRAME_X19 - VERD__FRAME_SIZE
    .cfi_offset x20, VERD__FRAME_X19 + 8 - VERD__FRAME_SIZE
    stp x21, x22, [sp, #VERD__FRAME_X21]
    .cfi_offset x21, VERD__FRAME_X21 - VERD__FRAME_SIZE
    .cfi_offset x22, VERD__FRAME_X21 + 8 - VERD__FRAME_SIZE
    stp x23, x24, [sp, #VERD__FRAME_X23]
    .cfi_offset x23, VERD__FRAME_X23 - VERD__FRAME_SIZE
    .cfi_offset x24, VERD__FRAME_X23 + 8 - VERD__FRAME_SIZE
    stp x25, x26, [sp, #VERD__FRAME_X25]
    .cfi_offset x25, VERD__FRAME_X25 - VERD__FRAME_SIZE
    .cfi_offset x26, VERD__FRAME_X25 + 8 - VERD__FRAME_SIZE
    stp x27, x28, [sp, #VERD__FRAME_X27]
    .cfi_offset x27, VERD__FRAME_X27 - VERD__FRAME_SIZE
    .cfi_offset x28, VERD__FRAME_X27 + 8 - VERD__FRAME_SIZE
    stp d8, d9, [sp, #VERD__FRAME_D8]
    .cfi_offset d8, VERD__FRAME_D8 - VERD__FRAME_SIZE
    .cfi_offset d9, VERD__FRAME_D8 + 8 - VERD__FRAME_SIZE
    stp d10, d11, [sp, #VERD__FRAME_D10]
    .cfi_offset d10, VERD__FRAME_D10 - VERD__FRAME_SIZE
    .cfi_offset d11, VERD__FRAME_D10 + 8 - VERD__FRAME_SIZE
    stp d12, d13, [sp, #VERD__FRAME_D12]
    .cfi_offset d12, VERD__FRAME_D12 - VERD__FRAME_SIZE
    .cfi_offset d13, VERD__FRAME_D12 + 8 - VERD__FRAME_SIZE
    stp d14, d15, [sp, #VERD__FRAME_D14]
    .cfi_offset d14, VERD__FRAME_D14 - VERD__FRAME_SIZE
    .cfi_offset d15, VERD__FRAME_D14 + 8 - VERD__FRAME_SIZE
    mrs x11, fpcr
    str x11, [sp, #VERD__FRAME_FPCR]

    mov x0, x2
    mov x16, x3
    mov x29, #0
    adr x30, .Lbase
    stp xzr, xzr, [x1, #-16]
    sub sp, x1, #16
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore d8
    .cfi_restore d9
    .cfi_restore d10
    .cfi_restore d11
    .cfi_restore d12
    .cfi_restore d13
    .cfi_restore d14
    .cfi_restore d15
    TOGGLE_SIGNED /* .Lbase is not signed */
    br x16 /* by x16, a bti c is a landing pad */
    .cfi_endproc
    .size verd__context_enter, . - verd__context_enter

/* The base frame. */
    .type verd__context_base, %function
    .p2align 4
verd__context_base:
    .cfi_startproc
    .cfi_def_cfa sp, 16
    .cfi_undefined x30
    nop
.Lbase:
    bl verd__context_returned
    udf #0
    .cfi_endproc
    .size verd__context_base, . - verd__context_base

/* void *verd__context_leave(const verd_context *to, void *value)
 *
 *   x0 = to, x1 = value */
    .globl verd__context_leave
    .hidden verd__context_leave
    .type verd__context_leave, %function
    .p2align 6
verd__context_leave:
    .cfi_startproc
    B_KEY
    hint #34 /* bti c */
    ldr x10, [x0]
    mov x0, x1

    /* The first thing is to change stacks, for nothing that is left behind is wanted again. From
     * here on this is the resumed context, with its registers in its frame. */
    mov sp, x10
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    .cfi_offset x29, VERD__FRAME_FP - VERD__FRAME_SIZE
    .cfi_offset x30, VERD__FRAME_LR - VERD__FRAME_SIZE
    .cfi_offset x19, VERD__FRAME_X19 - VERD__FRAME_SIZE
    .cfi_offset x20, VERD__FRAME_X19 + 8 - VERD__FRAME_SIZE
    .cfi_offset x21, VERD__FRAME_X21 - VERD__FRAME_SIZE
    .cfi_offset x22, VERD__FRAME_X21 + 8 - VERD__FRAME_SIZE
    .cfi_offset x23, VERD__FRAME_X23 - VERD__FRAME_SIZE
    .cfi_offset x24, VERD__FRAME_X23 + 8 - VERD__FRAME_SIZE
    .cfi_offset x25, VERD__FRAME_X25 - VERD__FRAME_SIZE
    .cfi_offset x26, VERD__FRAME_X25 + 8 - VERD__FRAME_SIZE
    .cfi_offset x27, VERD__FRAME_X27 - VERD__FRAME_SIZE
    .cfi_offset x28, VERD__FRAME_X27 + 8 - VERD__FRAME_SIZE
    .cfi_offset d8, VERD__FRAME_D8 - VERD__FRAME_SIZE
    .cfi_offset d9, VERD__FRAME_D8 + 8 - VERD__FRAME_SIZE
    .cfi_offset d10, VERD__FRAME_D10 - VERD__FRAME_SIZE
    .cfi_offset d11, VERD__FRAME_D10 + 8 - VERD__FRAME_SIZE
    .cfi_offset d12, VERD__FRAME_D12 - VERD__FRAME_SIZE
    .cfi_offset d13, VERD__FRAME_D12 + 8 - VERD__FRAME_SIZE
    .cfi_offset d14, VERD__FRAME_D14 - VERD__FRAME_SIZE
    .cfi_offset d15, VERD__FRAME_D14 + 8 - VERD__FRAME_SIZE
    TOGGLE_SIGNED /* what lies in the frame is signed */
    ldr x12, [sp, #VERD__FRAME_FPCR]
    mrs x11, fpcr
    ldp x29, x30, [sp, #VERD__FRAME_FP]
    ldp x19, x20, [sp, #VERD__FRAME_X19]
    ldp x21, x22, [sp, #VERD__FRAME_X21]
    ldp x23, x24, [sp, #VERD__FRAME_X23]
    ldp x25, x26, [sp, #VERD__FRAME_X25]
    ldp x27, x28, [sp, #VERD__FRAME_X27]
    ldp d8, d9, [sp, #VERD__FRAME_D8]
    ldp d10, d11, [sp, #VERD__FRAME_D10]
    ldp d12, d13, [sp, #VERD__FRAME_D12]
    ldp d14, d15, [sp, #VERD__FRAME_D14]
    cmp x11, x12
    b.eq 1f
    msr fpcr, x12
1:
    add sp, sp, #VERD__FRAME_SIZE
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore d8
    .cfi_restore d9
    .cfi_restore d10
    .cfi_restore d11
    .cfi_restore d12
    .cfi_restore d13
    .cfi_restore d14
    .cfi_restore d15
    AUTHENTICATE
    ret
    .cfi_endproc
    .size verd__context_leave, . - verd__context_leave

#include "note.h"
