/* SPDX-License-Identifier: MIT */
/* Threads that wait for one another in a circle, so that none of them can go on. */
#ifndef VERD_SCHED_CYCLE_H
#define VERD_SCHED_CYCLE_H

#include <stdbool.h>
#include <stddef.h>

#include "sched/view.h"

#define VERD__CYCLE_MAX 64    /* threads of one: longer ones are not found */
#define VERD__CYCLES_MAX 256  /* threads of all: what is more is left out */
#define VERD__CYCLES_SEEN 256 /* a power of two */

struct verd__cycles {
    size_t count;
    /* One cycle behind another: each waits for the next, and the last of a cycle for its first, which is that with the
     * lowest address. */
    const struct verd__thread *each[VERD__CYCLES_MAX];
    bool begins[VERD__CYCLES_MAX]; /* that is the first of a cycle */
    /* While they are sought: those from where it is known already what is to be found, each where its address
     * says; and the way from one that waits. */
    const struct verd__thread *seen[VERD__CYCLES_SEEN];
    const struct verd__thread *way[VERD__CYCLE_MAX];
    const void *queue; /* in which the one that was looked at last waits */
};

/* Finds those of a scheduler's threads. */
void verd__cycles_find(struct verd__cycles *cycles, const struct verd__scheduler *scheduler);

#endif
