/* SPDX-License-Identifier: MIT */
/* What libverd needs of the machine, the compiler and libc: a line for each, before anything else can go
 * wrong. The files of assembly include this, too. */
#ifndef VERD_PLATFORM_H
#define VERD_PLATFORM_H

#ifndef __linux__
#error "libverd needs Linux"
#elif !defined __LP64__
#error "libverd needs a 64-bit program: it has no -m32 and no -mx32"
#elif !defined __GNUC__
#error "libverd needs gcc or clang"
#elif defined __clang__ && __clang_major__ < 11
#error "libverd needs clang 11 or newer"
#elif !defined __clang__ && __GNUC__ < 10
#error "libverd needs gcc 10 or newer"
#elif !defined __ASSEMBLER__
#include <sys/random.h> /* says which libc it is; and musl, which has no macro of its version, shows it */

#ifndef __GLIBC__
#ifndef GRND_INSECURE
#error "libverd needs musl 1.2.2 or newer, whose <sys/random.h> has GRND_INSECURE"
#endif
#elif !__GLIBC_PREREQ(2, 31)
#error "libverd needs glibc 2.31 or newer"
#endif

/* musl is often used without the kernel's headers, and libverd asks for none. What they define is the
 * user's to ask for. */
#if !defined LINUX_VERSION_CODE && __has_include(<linux/version.h>)
#include <linux/version.h>
#if LINUX_VERSION_CODE < 0x050a00
#error "libverd needs the headers of Linux 5.10 or newer"
#endif
#undef LINUX_VERSION_CODE
#undef LINUX_VERSION_MAJOR
#undef LINUX_VERSION_PATCHLEVEL
#undef LINUX_VERSION_SUBLEVEL
#undef KERNEL_VERSION
#endif
#endif

#endif
