/* SPDX-License-Identifier: MIT */
/*
 * Memory that goes back: stacks of the cache that nobody has used of late, and what lies below the frames of
 * threads that have been waiting for long.
 *
 * It is done where the scheduler asks the poller, in slices, with pauses between them if others can run. It ends when nothing is
 * left to give back, and an idle process is not woken from then on: only threads that run make more of it. The
 * running thread is left alone, on whose stack all this happens.
 */
#ifndef VERD_SCHED_UPKEEP_H
#define VERD_SCHED_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>

#include <verd/time.h>

struct verd__scheduler;
struct verd__slab;

struct verd__upkeep {
    verd_duration due;       /* when it goes on: the earlier of these, or the end of a pause */
    verd_duration aging;     /* when the cache of stacks ages; VERD_FOREVER: it holds no surplus */
    verd_duration walking;   /* when a walk through the threads goes on; VERD_FOREVER: never */
    verd_duration long_wait; /* what counts as one; VERD_FOREVER: none does */
    struct verd__slab *slab; /* where the walk is; NULL: none is under way */
    size_t block;            /* in the slab, the next */
    size_t done;             /* bytes of its stack that have gone back already */
    bool has_younger;        /* the walk has met a wait that is none yet */
};

void verd__upkeep_init(struct verd__upkeep *upkeep);

/* A slice. */
void verd__upkeep(struct verd__scheduler *scheduler);

/* Notes that threads have run, and so may have left what is to be given back later. */
void verd__upkeep_expect(struct verd__scheduler *scheduler);

#endif
