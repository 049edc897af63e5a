/* SPDX-License-Identifier: MIT */
/*
 * A count of threads that are alike: in the same state, with the same function, and if they wait, for the same thing
 * of the same kind. Of things there may be as many as threads: those for which the most wait are told apart, and the
 * others of a kind are counted as one.
 *
 * That needs two looks at the threads: the first finds the things, with counts that may be too high (it is the
 * Space-Saving algorithm: a thing that is new takes the place, and the count, of the one with the least), the
 * second counts.
 */
#ifndef VERD_SCHED_CENSUS_H
#define VERD_SCHED_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "sched/view.h"

#define VERD__CENSUS_MAX 64
#define VERD__CENSUS_OBJECTS 32 /* those of them that have an object, while they are sought */
#define VERD__SINGLED_MAX 128

enum verd__activity { VERD__RUNS, VERD__CAN_RUN, VERD__WAITS, VERD__NOT_STARTED, VERD__NOT_DUE };

struct verd__alike {
    enum verd__activity activity;
    const struct verd__wait_kind *kind; /* WAITS */
    uintptr_t start;
    uintptr_t object; /* WAITS: an address, or a thread's handle; 0: the kind has none, or: */
    bool is_various;  /* for things of which each is waited for by few */
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

/* Threads that are told of by themselves, and so not counted. */
struct verd__singled {
    size_t count;
    const struct verd__thread *each[VERD__SINGLED_MAX]; /* what is more is counted */
};

enum verd__activity verd__activity_of(const struct verd__view *view);

/* The first look, at a scheduler's threads: `total` is right. */
void verd__census_begin(struct verd__census *census, const struct verd__scheduler *scheduler);

/* The second, which may be repeated with more that are singled out. */
void verd__census_count(struct verd__census *census, const struct verd__scheduler *scheduler,
                        const struct verd__singled *singled);

bool verd__singled_has(const struct verd__singled *singled, const struct verd__thread *thread);
void verd__singled_add(struct verd__singled *singled, const struct verd__thread *thread);

#endif
