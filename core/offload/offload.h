/* SPDX-License-Identifier: MIT */
/* Offloading, for the library's own calls. */
#ifndef VERD_OFFLOAD_OFFLOAD_H
#define VERD_OFFLOAD_OFFLOAD_H

#include <verd/os.h>

#include "sched/scheduler.h"

/*
 * Runs fn on an OS thread of the pool, without a head (verd__begin) of its own, with a copy of the `size`
 * bytes at `arg`, which is copied back when fn has returned: so the caller's frame may vanish with its
 * OS thread. A caller that gives up takes fn back if it has not begun; if it has, waits for its end all
 * the same: -1 means that fn has not run and never will. What fn returns does not matter.
 * Returns 0, with fn's errno if it set errno, or -1 with errno as verd_offload.
 */
int verd__offload_whole(struct verd__scheduler *scheduler, void *(*fn)(void *), void *arg,
                        size_t size);

#endif
