/* SPDX-License-Identifier: MIT */
#ifndef VERD_DEBUG_WAITING_H
#define VERD_DEBUG_WAITING_H

#include <stdbool.h>
#include <sys/types.h>

#include "stack/backtrace.h"

/*
 * The calls of an OS thread of the process that waits in a system call, as the kernel tells, which does not disturb it.
 * False: it does not wait in one, or the kernel does not tell, as without /proc. errno stays.
 */
bool verd__waiting_calls(pid_t number, struct verd__backtrace *calls);

#endif
