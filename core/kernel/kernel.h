/* SPDX-License-Identifier: MIT */
/*
 * The library's own way to the kernel. Each of its files includes this first (the Makefile sees to it): there the names
 * of calls.h are other names for the linker, verd__kernel_read for read. Without libverd-patch.a these are functions
 * that call libc's (kernel.c), so that sanitizers, linkers' --wrap and libc itself have their say; that archive, whose
 * hooks have the names of libc, puts its own in their place.
 *
 * The headers that declare the names come with it: as they are without _FORTIFY_SOURCE and _FILE_OFFSET_BITS, with
 * which they give the names away themselves.
 */
#if !defined VERD_KERNEL_H && !defined __ASSEMBLER__
#define VERD_KERNEL_H

#include "kernel/calls.h"

#define VERD__PRAGMA(text) _Pragma(#text)
#define VERD__REDIRECT(name) VERD__PRAGMA(redefine_extname name verd__kernel_##name)
#define VERD__REDIRECT_CALL(returned, name, parameters, arguments) VERD__REDIRECT(name)
VERD__SYSTEM_CALLS(VERD__REDIRECT_CALL)
VERD__LIBC_CALLS(VERD__REDIRECT_CALL)
VERD__REDIRECT(open)
VERD__REDIRECT(openat)
VERD__REDIRECT(fcntl)

#include <features.h>

#pragma push_macro("__USE_FORTIFY_LEVEL")
#pragma push_macro("__USE_EXTERN_INLINES")
#pragma push_macro("__USE_FILE_OFFSET64")
#ifdef __USE_FORTIFY_LEVEL
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#endif
#undef __USE_EXTERN_INLINES
#undef __USE_FILE_OFFSET64
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#pragma pop_macro("__USE_FILE_OFFSET64")
#pragma pop_macro("__USE_EXTERN_INLINES")
#pragma pop_macro("__USE_FORTIFY_LEVEL")

#endif
