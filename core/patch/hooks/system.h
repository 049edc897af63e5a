/* SPDX-License-Identifier: MIT */
/* System calls as the kernel has them; errno is libc's. */
#ifndef VERD_PATCH_HOOKS_SYSTEM_H
#define VERD_PATCH_HOOKS_SYSTEM_H

#include <stdint.h>
#include <sys/syscall.h>

/* Its number and arguments. Returns what libc's syscall does; the second is a point of cancellation, too. */
long verd__system_call(const long call[7]);
long verd__waiting_call(const long call[7]);

#define VERD__SYSTEM(...) verd__system_call((const long[7]){__VA_ARGS__})
#define VERD__WAITING(...) verd__waiting_call((const long[7]){__VA_ARGS__})

/* An argument that is a pointer, or a size. */
#define P(pointer) ((long)(intptr_t)(pointer))
#define L(size) ((long)(size))

#endif
