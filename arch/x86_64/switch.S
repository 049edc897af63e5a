/* SPDX-License-Identifier: MIT */

/* The context switch for x86-64, System V ABI.
 *
 *   verd_context_switch     leaves one stack and arrives on another
 *   verd__context_stamp     writes the assembly's part of a fresh stack
 *   verd__context_start     the base frame of every context: calls its function
 *
 * The registers that a callee must keep, and so the ones that a switch saves, are fixed by the
 * "System V Application Binary Interface, AMD64 Architecture Processor Supplement", section 3.2.1
 * and figure 3.4: rbx, rsp, rbp, r12-r15, the control bits of mxcsr, the x87 control word. All
 * others are dead at a call, and a switch is a call.
 *
 * A suspended stack. High addresses are at the top, and verd_context.sp is at the bottom; the
 * offsets are those of frame.h.
 *
 *   |  caller's frames   |
 *   +--------------------+  <- canonical frame address (CFA), 16-byte aligned
 *   |  return address    |  pushed by the call      \  together a frame record, so that a walker
 *   |  rbp               |                          /  can start from a suspended context, too
 *   |  rbx               |
 *   |  r12               |
 *   |  r13               |
 *   |  r14               |
 *   |  r15               |
 *   |  -- | x87cw | mxcsr|
 *   +--------------------+  <- verd_context.sp = CFA - 64, 16-byte aligned
 *
 * A running stack holds nothing of ours but the base record at its top (below).
 *
 * A fresh stack, as verd_context_make leaves it: the same frame, so that the switch needs no
 * special case, and above it the base frame into which the switch "returns".
 *
 *   +--------------------+  <- top of the stack, 16-byte aligned; CFA of the base frame
 *   |  0                 |  base record: nothing lies above
 *   |  0                 |
 *   +--------------------+  <- rsp in verd__context_start
 *   |  return address    |  = entry, in verd__context_start
 *   |  rbp = 0           |  ends the walk of frame pointers (ABI 3.4.1: the outermost frame)
 *   |  rbx = 0           |
 *   |  r12 = fn          |
 *   |  r13-r15 = 0       |
 *   |  -- | x87cw | mxcsr|  = the maker's, exception flags cleared
 *   +--------------------+  <- verd_context.sp
 *
 * The unwind information (.cfi_*) holds at every instruction, so a profiler's signal or a
 * debugger's breakpoint can come anywhere; tests/programs/unwind_stepping.c, unwind_sampling.sh and
 * debugger_stepping.sh unwind from each.
 */

#include "stack/sanitizer.h"
#include "frame.h"

/* What is announced to a sanitizer goes through a function of C, which has that name (fibre.c). */
#if VERD__ANNOUNCED
#define verd_context_switch verd__context_switch_raw
    .hidden verd__context_switch_raw
#endif

    .text

/* void *verd_context_switch(verd_context *from, const verd_context *to, void *value)
 *
 *   rdi = from, rsi = to, rdx = value
 *
 * It ends in ret if both contexts were suspended by the same call, as a scheduler's mostly are: that
 * return is predicted, and it consumes the entry that the call left in the processor's stack of return
 * addresses, without which each ret above it would mispredict. Elsewhere a ret always mispredicts, and
 * an indirect jump has a predictor of its own. It is notrack: what it leads to is a return address, and
 * no landing pad.
 *
 * Control words are compared, and loaded only on a difference: to load mxcsr with other exception
 * flags costs as much as ten switches on some processors (Intel's), and the flags are not kept. On
 * others (AMD's) it costs nothing, but to read what stmxcsr has just stored does: there it is loaded
 * without a question. Each word is compared as wide as it was stored, as a wider load could not be
 * forwarded from the store. */
    .globl verd_context_switch
    .type verd_context_switch, @function
    .p2align 6
verd_context_switch:
    .cfi_startproc
    endbr64

    /* Suspend. `from` is written before `to` is read, so that the two may be one. */
    leaq -VERD__FRAME_RIP(%rsp), %rsp
    .cfi_def_cfa_offset VERD__FRAME_SIZE
    movq %rsp, (%rdi)
    movq (%rsi), %rcx
    movq %rbp, VERD__FRAME_RBP(%rsp)
    .cfi_offset rbp, VERD__FRAME_RBP - VERD__FRAME_SIZE
    movq %rbx, VERD__FRAME_RBX(%rsp)
    .cfi_offset rbx, VERD__FRAME_RBX - VERD__FRAME_SIZE
    movq %r12, VERD__FRAME_R12(%rsp)
    .cfi_offset r12, VERD__FRAME_R12 - VERD__FRAME_SIZE
    movq %r13, VERD__FRAME_R13(%rsp)
    .cfi_offset r13, VERD__FRAME_R13 - VERD__FRAME_SIZE
    movq %r14, VERD__FRAME_R14(%rsp)
    .cfi_offset r14, VERD__FRAME_R14 - VERD__FRAME_SIZE
    movq %r15, VERD__FRAME_R15(%rsp)
    .cfi_offset r15, VERD__FRAME_R15 - VERD__FRAME_SIZE
    stmxcsr VERD__FRAME_MXCSR(%rsp)
    fnstcw VERD__FRAME_X87CW(%rsp)

    /* Resume. While rsp still names the old stack, every register of the old context can be found
     * in its frame, whatever has been loaded since. */
    cmpb $0, verd__mxcsr_is_quick(%rip)
    je .Lcompare_mxcsr
    ldmxcsr VERD__FRAME_MXCSR(%rcx)
.Lmxcsr_is_right:
    movzwl VERD__FRAME_X87CW(%rcx), %r8d
    cmpw VERD__FRAME_X87CW(%rsp), %r8w
    jne .Lload_x87cw
.Lx87cw_is_right:
    movq VERD__FRAME_R15(%rcx), %r15
    movq VERD__FRAME_R14(%rcx), %r14
    movq VERD__FRAME_R13(%rcx), %r13
    movq VERD__FRAME_R12(%rcx), %r12
    movq VERD__FRAME_RBX(%rcx), %rbx
    movq VERD__FRAME_RBP(%rcx), %rbp
    movq %rdx, %rax
    movq VERD__FRAME_RIP(%rcx), %r8
    cmpq VERD__FRAME_RIP(%rsp), %r8

    /* One instruction changes stacks. From here on this is the new context, with nothing but its
     * return address left to pop. */
    leaq VERD__FRAME_RIP(%rcx), %rsp
    .cfi_remember_state
    .cfi_def_cfa_offset 8
    .cfi_restore rbp
    .cfi_restore rbx
    .cfi_restore r12
    .cfi_restore r13
    .cfi_restore r14
    .cfi_restore r15
    jne .Lelsewhere
    ret

.Lelsewhere:
    leaq 8(%rsp), %rsp
    .cfi_def_cfa_offset 0
    .cfi_register rip, r8
    notrack jmp *%r8

.Lcompare_mxcsr:
    .cfi_restore_state
    movl VERD__FRAME_MXCSR(%rcx), %r8d
    xorl VERD__FRAME_MXCSR(%rsp), %r8d
    testl $VERD__MXCSR_CONTROL, %r8d
    je .Lmxcsr_is_right
    ldmxcsr VERD__FRAME_MXCSR(%rcx)
    jmp .Lmxcsr_is_right
.Lload_x87cw:
    fldcw VERD__FRAME_X87CW(%rcx)
    jmp .Lx87cw_is_right
    .cfi_endproc
    .size verd_context_switch, . - verd_context_switch

/* The base frame of every context. Unwinders stop here because the return address is undefined,
 * frame-pointer walkers because rbp is 0. A ret leads to `entry`, so no endbr64 is needed there.
 *
 *   rax = value, r12 = fn, rbp = 0, rsp = top of the stack - 16 */
    .type verd__context_start, @function
    .p2align 4
verd__context_start:
    .cfi_startproc
    .cfi_def_cfa rsp, 16
    .cfi_undefined rip
    /* Unwinders look up a return address minus one, to find the call before it. There is none
     * before `entry`; this nop is there for them to find. */
    nop
.Lentry:
    movq %rax, %rdi
    callq *%r12
    callq verd__context_returned
    ud2
    .cfi_endproc
    .size verd__context_start, . - verd__context_start

/* void verd__context_stamp(struct verd__frame *frame, verd_context_fn fn)
 *
 *   rdi = frame, all zero; rsi = fn */
    .globl verd__context_stamp
    .hidden verd__context_stamp
    .type verd__context_stamp, @function
    .p2align 4
verd__context_stamp:
    .cfi_startproc
    endbr64
    movq %rsi, VERD__FRAME_R12(%rdi)
    leaq .Lentry(%rip), %rax
    movq %rax, VERD__FRAME_RIP(%rdi)
    stmxcsr VERD__FRAME_MXCSR(%rdi)
    andl $VERD__MXCSR_CONTROL, VERD__FRAME_MXCSR(%rdi)
    fnstcw VERD__FRAME_X87CW(%rdi)
    ret
    .cfi_endproc
    .size verd__context_stamp, . - verd__context_stamp

/* Whether this processor loads mxcsr as quickly whatever is in it. Set before main, and by nobody else. */
    .globl verd__mxcsr_is_quick
    .hidden verd__mxcsr_is_quick
    .type verd__mxcsr_is_quick, @object
    .bss
verd__mxcsr_is_quick:
    .zero 1
    .size verd__mxcsr_is_quick, 1

/* Sets it by the maker's name that cpuid tells: "AuthenticAMD", or that of its licensee, "HygonGenuine".
 * void verd__processor_learn(void) */
    .text
    .type verd__processor_learn, @function
    .p2align 4
verd__processor_learn:
    .cfi_startproc
    endbr64
    movq %rbx, %r8
    .cfi_register rbx, r8
    xorl %eax, %eax
    cpuid
    cmpl $0x68747541, %ebx /* "Auth" */
    sete %al
    cmpl $0x6f677948, %ebx /* "Hygo" */
    sete %cl
    orb %cl, %al
    movb %al, verd__mxcsr_is_quick(%rip)
    movq %r8, %rbx
    .cfi_restore rbx
    ret
    .cfi_endproc
    .size verd__processor_learn, . - verd__processor_learn

    .section .init_array, "aw"
    .p2align 3
    .quad verd__processor_learn

#include "note.h"
