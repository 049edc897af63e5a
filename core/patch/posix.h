/* SPDX-License-Identifier: MIT */
/* <verd/posix.h> for the files that define what it declares, whose own calls are libc's. */
#ifndef VERD_PATCH_POSIX_H
#define VERD_PATCH_POSIX_H

#define VERD_POSIX_DECLARE_ONLY
#include <verd/posix.h>

#include <verd/thread.h>

/* Whether a call is to be the library's: there are green threads, and it is not made by a handler of a signal, which
 * interrupts whatever runs; those are libc's, and safe there if libc's are. */
bool verd__is_green(void);

/* A descriptor number is another file from now on: who waits for the one before gets EBADF. */
void verd__posix_forget(int fd);

#endif
