/* SPDX-License-Identifier: MIT */

/* What lies on the stack of a suspended context: the contract between switch.S, which writes and
 * reads it, and C, which makes the first one. Offsets are in bytes from verd_context.sp. */
#ifndef VERD_ARCH_FRAME_H
#define VERD_ARCH_FRAME_H

#include <verd/platform.h>

#define VERD__FRAME_MXCSR 0
#define VERD__FRAME_X87CW 4
#define VERD__FRAME_R15 8
#define VERD__FRAME_R14 16
#define VERD__FRAME_R13 24
#define VERD__FRAME_R12 32
#define VERD__FRAME_RBX 40
#define VERD__FRAME_RBP 48
#define VERD__FRAME_RIP 56
#define VERD__FRAME_SIZE 64

/* As a debugger names them: registers that lie in the frame, and the one that has the address of its end. */
#define VERD__FRAME_REGISTERS                                                 \
    {"register.rip", VERD__FRAME_RIP}, {"register.rbp", VERD__FRAME_RBP},     \
        {"register.rbx", VERD__FRAME_RBX}, {"register.r12", VERD__FRAME_R12}, \
        {"register.r13", VERD__FRAME_R13}, {"register.r14", VERD__FRAME_R14}, \
        {"register.r15", VERD__FRAME_R15},                                    \
    {                                                                         \
        "address.rsp", VERD__FRAME_SIZE                                       \
    }

/* The bits of mxcsr that a callee must keep; below them are six exception flags. */
#define VERD__MXCSR_CONTROL 0xffc0

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct verd__frame {
    uint32_t mxcsr;
    uint16_t x87cw;
    uint16_t unused;
    uint64_t r15, r14, r13, r12, rbx;
    struct { /* a frame record, as frame-pointer walkers read it */
        void *fp;
        void *pc;
    } record;
};

_Static_assert(offsetof(struct verd__frame, x87cw) == VERD__FRAME_X87CW, "see switch.S");
_Static_assert(offsetof(struct verd__frame, r15) == VERD__FRAME_R15, "see switch.S");
_Static_assert(offsetof(struct verd__frame, rbx) == VERD__FRAME_RBX, "see switch.S");
_Static_assert(offsetof(struct verd__frame, record.fp) == VERD__FRAME_RBP, "see switch.S");
_Static_assert(offsetof(struct verd__frame, record.pc) == VERD__FRAME_RIP, "see switch.S");
_Static_assert(sizeof(struct verd__frame) == VERD__FRAME_SIZE, "see switch.S");

#endif

#endif
