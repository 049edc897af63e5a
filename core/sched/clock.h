/* SPDX-License-Identifier: MIT */
/*
 * Timestamps: a point in time that costs less to note than verd_now, and is worked out later if it is
 * asked for at all. Most timeouts end before anyone asks.
 *
 * A timestamp is a reading of the processor's counter. The time of it follows from two pairs of counter
 * and clock, one read long before and one read when it is asked for:
 *
 *     counter   base ........ timestamp ........ now
 *     clock     base ........   ?    ........ now
 *
 * Each pair reads the counter first. What passes between the two readings of a pair then moves the
 * answer into the future, never into the past: a deadline that is counted from it may be late by that,
 * not early.
 */
#ifndef VERD_SCHED_CLOCK_H
#define VERD_SCHED_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <verd/time.h>

#include "cycles.h"

struct verd__clock {
    uint64_t cycles; /* the base pair; 0: none yet, or the counter is not to be used */
    verd_duration time;
    uint64_t span; /* VERD__SPAN on the counter; 0: not known yet */
};

/* A time so short that nobody minds whether it has passed. */
#define VERD__SPAN (20 * VERD_US)

/* Reads the base pair, unless the kernel itself does not trust the counter; returns whether it has. */
int verd__clock_start(struct verd__clock *clock);

/* Whether it has; then a timestamp is a reading of verd__cycles. */
static inline bool verd__clock_runs(const struct verd__clock *clock)
{
    return clock->cycles != 0;
}

/* This timestamp, or 0 where there is no counter to be used. */
static inline uint64_t verd__timestamp(struct verd__clock *clock)
{
    if (__builtin_expect(!verd__clock_runs(clock), 0) && !verd__clock_start(clock))
        return 0;
    return verd__cycles();
}

/* When that was, or up to a microsecond later; `timestamp` is not 0. */
verd_duration verd__timestamp_time(const struct verd__clock *clock, uint64_t timestamp);

/* The same where the span is not known yet: learns it once enough time has passed since the base pair to tell. */
void verd__clock_learn(struct verd__clock *clock, uint64_t timestamp, verd_duration time);

/* Makes a timestamp that was followed by a reading of the time the base pair. Timestamps that are still to be
 * asked for come after it. So whatever happens to the counter while the machine is suspended, an answer is
 * wrong by no more than has passed since the last such pair. */
static inline void verd__clock_renew(struct verd__clock *clock, uint64_t timestamp,
                                     verd_duration time)
{
    if (__builtin_expect(clock->span == 0, 0)) {
        verd__clock_learn(clock, timestamp, time);
        return;
    }
    clock->cycles = timestamp;
    clock->time = time;
}

/* Whether less than VERD__SPAN has passed since the timestamp; no, where that cannot be told. */
static inline bool verd__is_recent(const struct verd__clock *clock, uint64_t timestamp)
{
    return clock->span != 0 && verd__cycles() - timestamp < clock->span;
}

#endif
