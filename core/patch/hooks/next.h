/* SPDX-License-Identifier: MIT */
/*
 * What lies below the hooks of libverd-patch.a.
 *
 *     read             hook.c     the name, for the program and for its shared libraries
 *     verd_posix_read  the library: green, or else what follows
 *     verd__kernel_read  below.c  likewise what the library itself calls
 *     verd__next.read  libc's read, if the program is dynamic; the system call (system.c), if it is static
 *
 * The linker of a static program finds in libc no second `read`. In a dynamic one dlsym does, and so libc's own way,
 * its points of cancellation and a sanitizer's checks stay what they are (dynamic/find.c).
 */
#ifndef VERD_PATCH_HOOKS_NEXT_H
#define VERD_PATCH_HOOKS_NEXT_H

#include "patch/posix.h"

#include <stdatomic.h>

#include "kernel/calls.h"

struct verd__next {
#define VERD__MEMBER(returned, name, parameters, arguments) __typeof(verd_posix_##name) *(name);
    VERD__SYSTEM_CALLS(VERD__MEMBER)
#undef VERD__MEMBER
    int (*open)(const char *path, int flags, ...);
    int (*openat)(int directory, const char *path, int flags, ...);
    int (*fcntl)(int fd, int command, ...);
};

/* The system calls, until verd__next_find has found better. */
extern struct verd__next verd__next;

/* Finds libc's. A static program has none (NULL). */
__attribute__((weak)) void verd__next_find(void);

/* What the name is to those who look for it as the dynamic linker does. A static program has none. */
__attribute__((weak)) const void *verd__exported(const char *name);

/* Whether the hooks lead to the library. */
extern atomic_bool verd__patched;

static inline bool verd__is_patched(void)
{
    return atomic_load_explicit(&verd__patched, memory_order_relaxed);
}

/* Gives a function of ours a name of libc's. */
#define VERD__NAME(symbol, ours)                               \
    extern __typeof(ours) verd__name_##symbol __asm__(#symbol) \
        __attribute__((alias(#ours), visibility("default"), used));

#endif
