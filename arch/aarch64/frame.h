/* SPDX-License-Identifier: MIT */

/* What lies on the stack of a suspended context: the contract between switch.S, which writes and
 * reads it, and C, which makes the first one. Offsets are in bytes from verd_context.sp. */
#ifndef VERD_ARCH_FRAME_H
#define VERD_ARCH_FRAME_H

#include <verd/platform.h>

#define VERD__FRAME_FPCR 0
#define VERD__FRAME_D8 16
#define VERD__FRAME_D10 32
#define VERD__FRAME_D12 48
#define VERD__FRAME_D14 64
#define VERD__FRAME_X27 80
#define VERD__FRAME_X25 96
#define VERD__FRAME_X23 112
#define VERD__FRAME_X21 128
#define VERD__FRAME_X19 144
#define VERD__FRAME_FP 160
#define VERD__FRAME_LR 168
#define VERD__FRAME_SIZE 176

/* As a debugger names them: registers that lie in the frame, and the one that has the address of its end. */
#define VERD__FRAME_REGISTERS                                                     \
    {"register.pc", VERD__FRAME_LR}, {"register.x29", VERD__FRAME_FP},            \
        {"register.x19", VERD__FRAME_X19}, {"register.x20", VERD__FRAME_X19 + 8}, \
        {"register.x21", VERD__FRAME_X21}, {"register.x22", VERD__FRAME_X21 + 8}, \
        {"register.x23", VERD__FRAME_X23}, {"register.x24", VERD__FRAME_X23 + 8}, \
        {"register.x25", VERD__FRAME_X25}, {"register.x26", VERD__FRAME_X25 + 8}, \
        {"register.x27", VERD__FRAME_X27}, {"register.x28", VERD__FRAME_X27 + 8}, \
    {                                                                             \
        "address.sp", VERD__FRAME_SIZE                                            \
    }

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct verd__frame {
    uint64_t fpcr;
    uint64_t unused;
    uint64_t d8_d15[8];
    uint64_t x27_x28[2], x25_x26[2], x23_x24[2], x21_x22[2], x19_x20[2];
    struct { /* a frame record, as frame-pointer walkers read it */
        void *fp;
        void *pc; /* signed where the build signs return addresses */
    } record;
};

_Static_assert(offsetof(struct verd__frame, d8_d15) == VERD__FRAME_D8, "see switch.S");
_Static_assert(offsetof(struct verd__frame, x27_x28) == VERD__FRAME_X27, "see switch.S");
_Static_assert(offsetof(struct verd__frame, x19_x20) == VERD__FRAME_X19, "see switch.S");
_Static_assert(offsetof(struct verd__frame, record.fp) == VERD__FRAME_FP, "see switch.S");
_Static_assert(offsetof(struct verd__frame, record.pc) == VERD__FRAME_LR, "see switch.S");
_Static_assert(sizeof(struct verd__frame) == VERD__FRAME_SIZE, "see switch.S");

#endif

#endif
