/* SPDX-License-Identifier: MIT */
/* A count of threads that are alike: in the same state, for the same reason, with the same function. */
#ifndef VERD_SCHED_CENSUS_H
#define VERD_SCHED_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "sched/view.h"

#define VERD__CENSUS_MAX 64

enum verd__activity { VERD__RUNS, VERD__CAN_RUN, VERD__WAITS, VERD__NOT_STARTED, VERD__NOT_DUE };

struct verd__alike {
    enum verd__activity activity;
    const struct verd__wait_kind *kind; /* WAITS */
    uintptr_t start;
    size_t count;
    verd_duration since;                /* WAITS: of the one that waits for longest */
    const struct verd__thread *example; /* that one; else the first */
};

struct verd__census {
    size_t total;
    size_t count; /* of `each` */
    size_t rest;  /* threads that are alike to none of them */
    struct verd__alike each[VERD__CENSUS_MAX];
};

enum verd__activity verd__activity_of(const struct verd__view *view);

/* Counts the threads of a scheduler. */
void verd__census_take(struct verd__census *census, const struct verd__scheduler *scheduler);

#endif
