/* SPDX-License-Identifier: MIT */
/* What libverd needs of the machine: a line for each, before anything else can go wrong. The files of
 * assembly include this, too. */
#ifndef VERD_PLATFORM_H
#define VERD_PLATFORM_H

#ifndef __linux__
#error "libverd needs Linux"
#elif !defined __LP64__
#error "libverd needs a 64-bit program: it has no -m32 and no -mx32"
#endif

#endif
