/* SPDX-License-Identifier: MIT */
/*
 * The order of running by chance instead of by coming, for tests: VERD_SCHEDULE_SEED.
 *
 * It is a round that is shuffled, not a pick: with a seed each round takes some of those who can run, in
 * any order, and leaves the others for later. A round of one is possible, so every order is, and nobody is
 * passed over for ever. Without a seed a round takes all as they are, and yielding knows nothing of this.
 *
 * What is promised of order stays: unstarted threads start in the order in which they came to the run
 * queue, and what is handed over in a line goes to the first in it, whoever then runs first.
 */
#ifndef VERD_SCHED_SHUFFLE_H
#define VERD_SCHED_SHUFFLE_H

#include "sched/scheduler.h"

/* Reads VERD_SCHEDULE_SEED. */
void verd__shuffle_init(struct verd__scheduler *scheduler);

/* A lot, of the seed's if there is one. */
uint64_t verd__draw(struct verd__scheduler *scheduler);

/* Begins the next round, whose list is not empty, with some of it. */
void verd__shuffle(struct verd__scheduler *scheduler);

#endif
