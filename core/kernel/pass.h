/* SPDX-License-Identifier: MIT */
/* The calls of calls.h, as libc has them: a jump each. Weak, for libverd-patch.a has others. The files that include this
 * are the ones of the library whose calls have libc's names; they are as many as may be in a program without the others. */
#ifndef VERD_KERNEL_PASS_H
#define VERD_KERNEL_PASS_H

#include "kernel/calls.h"

#define VERD__PASS(returned, name, parameters, arguments)          \
    __attribute__((weak)) returned verd__kernel_##name parameters; \
    returned verd__kernel_##name parameters                        \
    {                                                              \
        return name arguments;                                     \
    }

#endif
