/* SPDX-License-Identifier: MIT */
/* Offloading, for the library's own calls. fn gets `arg`, which is the task's: the caller's frame may vanish with
 * its OS thread. */
#ifndef VERD_OFFLOAD_OFFLOAD_H
#define VERD_OFFLOAD_OFFLOAD_H

#include <verd/os.h>

#include "sched/scheduler.h"

/* What is offloaded, and how. */
struct verd__offload {
    enum verd_offload_kind kind;
    void *(*fn)(void *arg);
    void *arg;
    void (*release)(void *arg, void *result); /* as verd_offload_with's; NULL: nothing to do */
    verd_duration slice; /* verd__offload_finish interrupts it after so long; 0: never */
};

/* verd_offload_with. */
int verd__offload(const struct verd__offload *offload, void **result);

/*
 * The same without a head (verd__begin) of its own, for what must not go on behind the back of a caller that gives
 * up: which takes fn back, if it has not begun; else interrupts it and gets what comes of that. fn's
 * system calls fail with EINTR then, and verd__interrupt_again (interrupt.h) tells whether to make them again.
 *
 * Returns 0, with fn's errno if it set errno, EAGAIN for EINTR, and arg is the caller's; or -1 with errno as
 * verd_offload_with: fn has not run and never will, but for what heeds no interruption: of that the caller is rid
 * after VERD__OFFLOAD_PATIENCE.
 */
#define VERD__OFFLOAD_PATIENCE VERD_SEC
int verd__offload_finish(struct verd__scheduler *scheduler, const struct verd__offload *offload);

/* After -1 of either of them: releases arg, which is the caller's but after ECANCELED, ETIMEDOUT and EINTR. errno
 * stays. Returns -1. */
int verd__offload_failed(const struct verd__offload *offload);

/* The release of an arg that is memory alone. errno stays. */
void verd__offload_free(void *arg, void *result);

#endif
