/* SPDX-License-Identifier: MIT */

/* The context switch for AArch64, AAPCS64.
 *
 *   verd_context_switch     leaves one stack and arrives on another
 *   verd__context_stamp     writes the assembly's part of a fresh stack
 *   verd__context_start     the base frame of every context: calls its function
 *
 * It is arch/x86_64/switch.S in another language; the comments here are about what differs.
 *
 * The registers that a callee must keep are fixed by the "Procedure Call Standard for the Arm
 * 64-bit Architecture (AAPCS64)", sections 6.1.1 and 6.1.2: x19-x28, the frame pointer x29, sp,
 * the low 64 bits of v8-v15, and FPCR. x30 is the return address. x18 belongs to the platform and
 * is not touched: shadow call stacks live there.
 *
 * A suspended stack. High addresses are at the top, and verd_context.sp is at the bottom.
 *
 *   |  caller's frames   |
 *   +--------------------+  <- canonical frame address (CFA), 16-byte aligned
 *   |  x30  (lr)         |  signed with the CFA where the build signs     \  together a
 *   |  x29  (fp)         |                                                /  frame record
 *   |  x20, x19          |
 *   |  x22, x21          |
 *   |  x24, x23          |
 *   |  x26, x25          |
 *   |  x28, x27          |
 *   |  d15 ... d8        |
 *   |  -- | fpcr         |
 *   +--------------------+  <- verd_context.sp = CFA - 176
 *
 * A fresh stack:
 *
 *   +--------------------+  <- top of the stack, 16-byte aligned; CFA of the base frame
 *   |  0, 0              |  base record: nothing lies above
 *   +--------------------+  <- sp in verd__context_start
 *   |  x30 = entry       |  in verd__context_start; signed with that sp where the build signs
 *   |  x29 = 0           |  ends the walk of frame pointers (AAPCS64 6.4.6)
 *   |  x20 = 0, x19 = fn |
 *   |  x21-x28 = 0       |
 *   |  d8-d15 = 0        |
 *   |  -- | fpcr         |  = the maker's
 *   +--------------------+  <- verd_context.sp
 */

#include "stack/sanitizer.h"
#include "frame.h"
#include "sign.h"

/* What is announced to a sanitizer goes through a function of C, which has that name (fibre.c). */
#if VERD__ANNOUNCED
#define verd_context_switch verd__context_switch_raw
    .hidden verd__context_switch_raw
#endif

    .text

/* void *verd_context_switch(verd_context *from, const verd_context *to, void *value)
 *
 *   x0 = from, x1 = to, x2 = value, x30 = return address
 *
 * FPCR is compared first and written only when it differs: a write drains the pipeline on many
 * cores, and contexts that differ in it are rare. The end is a ret wherever it leads: a br would have
 * to lead to a landing pad. */
    .globl verd_context_switch
    .type verd_context_switch, %function
    .p2align 6
verd_context_switch:
    .cfi_startproc
    B_KEY
    SIGN

    /* Suspend. There is no red zone: sp moves before anything is stored. */
    sub sp, sp, #VERD__FRAME_SIZE
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    mov x9, sp
    str x9, [x0]
    ldr x10, [x1]
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

    /* Resume. While sp still names the old stack, every register of the old context can be found
     * in its frame, whatever has been loaded since. */
    ldr x12, [x10, #VERD__FRAME_FPCR]
    ldp x29, x30, [x10, #VERD__FRAME_FP]
    ldp x19, x20, [x10, #VERD__FRAME_X19]
    ldp x21, x22, [x10, #VERD__FRAME_X21]
    ldp x23, x24, [x10, #VERD__FRAME_X23]
    ldp x25, x26, [x10, #VERD__FRAME_X25]
    ldp x27, x28, [x10, #VERD__FRAME_X27]
    ldp d8, d9, [x10, #VERD__FRAME_D8]
    ldp d10, d11, [x10, #VERD__FRAME_D10]
    ldp d12, d13, [x10, #VERD__FRAME_D12]
    ldp d14, d15, [x10, #VERD__FRAME_D14]
    mov x0, x2
    cmp x11, x12
    b.ne .Lwrite_fpcr

    /* One instruction changes stacks. From here on this is the new context, with its return
     * address, signed by itself, in x30. */
.Lchange_stacks:
    add sp, x10, #VERD__FRAME_SIZE
    .cfi_remember_state
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

.Lwrite_fpcr:
    .cfi_restore_state
    msr fpcr, x12
    b .Lchange_stacks
    .cfi_endproc
    .size verd_context_switch, . - verd_context_switch

/* The base frame of every context. A ret leads to `entry`, so no bti is needed there.
 *
 *   x0 = value, x19 = fn, x29 = 0, sp = top of the stack - 16 */
    .type verd__context_start, %function
    .p2align 4
verd__context_start:
    .cfi_startproc
    .cfi_def_cfa sp, 16
    .cfi_undefined x30
    nop /* for unwinders, which look up a return address minus one */
.Lentry:
    blr x19
    bl verd__context_returned
    udf #0
    .cfi_endproc
    .size verd__context_start, . - verd__context_start

/* void verd__context_stamp(struct verd__frame *frame, verd_context_fn fn)
 *
 *   x0 = frame, all zero; x1 = fn
 *
 * The entry is signed as a call of verd_context_switch from verd__context_start would have been,
 * since the switch authenticates what it finds. */
    .globl verd__context_stamp
    .hidden verd__context_stamp
    .type verd__context_stamp, %function
    .p2align 4
verd__context_stamp:
    .cfi_startproc
    hint #34 /* bti c */
    str x1, [x0, #VERD__FRAME_X19]
    adr x17, .Lentry
    add x16, x0, #VERD__FRAME_SIZE
    SIGN_X17_WITH_X16
    str x17, [x0, #VERD__FRAME_LR]
    mrs x9, fpcr
    str x9, [x0, #VERD__FRAME_FPCR]
    ret
    .cfi_endproc
    .size verd__context_stamp, . - verd__context_stamp

#include "note.h"
