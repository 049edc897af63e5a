/* SPDX-License-Identifier: MIT */
/* <verd/posix.h> for the files that define what it declares, whose own calls are libc's. */
#ifndef VERD_PATCH_POSIX_H
#define VERD_PATCH_POSIX_H

#define VERD_POSIX_DECLARE_ONLY
#include <verd/posix.h>

#include <verd/thread.h>

#endif
