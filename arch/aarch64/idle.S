/* SPDX-License-Identifier: MIT */

/* Idling, for AArch64: see arch/x86_64/idle.S. */

#include "frame.h"
#include "sign.h"

    .text

/* void verd_idle(verd_context *from, void (*wait)(void *, int64_t), void *poller, int64_t timeout)
 *
 *   x0 = from, x1 = wait, x2 = poller, x3 = timeout */
    .globl verd_idle
    .hidden verd_idle
    .type verd_idle, %function
    .p2align 4
verd_idle:
    .cfi_startproc
    B_KEY
    SIGN
    sub sp, sp, #VERD__FRAME_SIZE
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    stp x29, x30, [sp, #VERD__FRAME_FP]
    .cfi_offset x29, VERD__FRAME_FP - VERD__FRAME_SIZE
    .cfi_offset x30, VERD__FRAME_LR - VERD__FRAME_SIZE
    stp x19, x20, [sp, #VERD__FRAME_X19]
    .cfi_offset x19, VERD__FRAME_X19 - VERD__FRAME_SIZE
    stp x21, x22, [sp, #VERD__FRAME_X21]
    stp x23, x24, [sp, #VERD__FRAME_X23]
    stp x25, x26, [sp, #VERD__FRAME_X25]
    stp x27, x28, [sp, #VERD__FRAME_X27]
    stp d8, d9, [sp, #VERD__FRAME_D8]
    stp d10, d11, [sp, #VERD__FRAME_D10]
    stp d12, d13, [sp, #VERD__FRAME_D12]
    stp d14, d15, [sp, #VERD__FRAME_D14]
    mov x9, sp
    str x9, [x0]
    mov x19, x0
    mov x9, x1
    mov x0, x2
    mov x1, x3
    mov x29, #0
    .cfi_remember_state
    .cfi_undefined x30
    blr x9
    .cfi_restore_state
    str xzr, [x19]
    ldr x19, [sp, #VERD__FRAME_X19]
    .cfi_restore x19
    ldp x29, x30, [sp, #VERD__FRAME_FP]
    .cfi_restore x29
    .cfi_restore x30
    add sp, sp, #VERD__FRAME_SIZE
    .cfi_def_cfa_offset 0
    AUTHENTICATE
    ret
    .cfi_endproc
    .size verd_idle, . - verd_idle

#include "note.h"
