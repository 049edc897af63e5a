/* SPDX-License-Identifier: MIT */
/*
 * Timers: a hierarchical timing wheel (Varghese and Lauck, 1987) whose tick is one nanosecond.
 *
 * A deadline is a number of eleven digits in base 64. With `base`, the time up to which the wheel has
 * been advanced, it shares the leading digits; the first digit in which they differ is the timer's
 * level, and that digit of the deadline its slot:
 *
 *     level 10 ... 2        1        0
 *     base       [ .. ]  [ 17 ]   [ 40 ]
 *     deadline   [same]  [ 21 ]   [  3 ]      level 1, slot 21
 *
 * Invariants: a timer's slot is behind base's digit at its level, so the lowest level in use holds
 * the earliest timers, its lowest slot first; a slot of level 0 holds one deadline only. When base
 * comes to the beginning of a slot, the slot's timers move to lower levels, in their order, so equal
 * deadlines stay in the order they were armed. Arming and cancelling touch one slot; each timer that
 * expires has moved at most ten times.
 */
#ifndef VERD_SCHED_TIMER_H
#define VERD_SCHED_TIMER_H

#include <stddef.h>
#include <stdint.h>

#include <verd/time.h>

#define VERD__TIMER_LEVELS 11
#define VERD__TIMER_SLOTS 64

struct verd__timer {
    struct verd__timer *next, *prev; /* the slot's ring; NULL: not armed */
    verd_duration deadline;
    void (*fire)(struct verd__timer *timer);
};

struct verd__timers {
    verd_duration base;
    size_t armed;
    uint64_t fired;                    /* ever */
    uint32_t levels;                   /* bit l: used[l] is not 0 */
    uint64_t used[VERD__TIMER_LEVELS]; /* bit s of used[l]: slots[l][s] is not empty */
    struct verd__timer slots[VERD__TIMER_LEVELS]
                            [VERD__TIMER_SLOTS]; /* rings; only the links count */
};

void verd__timers_init(struct verd__timers *timers, verd_duration now);

/* Arms a timer that is not armed, whose `fire` is set: it is called by the verd__timers_advance that
 * reaches the deadline. A deadline that has passed is the next to fire. */
void verd__timer_arm(struct verd__timers *timers, struct verd__timer *timer,
                     verd_duration deadline);

/* Disarms the timer, if it is armed. */
void verd__timer_cancel(struct verd__timers *timers, struct verd__timer *timer);

static inline int verd__timer_armed(const struct verd__timer *timer)
{
    return timer->next != NULL;
}

/* Fires what is due at `now`, in the order of the deadlines. Each is disarmed before it is called, and
 * may arm and cancel others; one armed meanwhile does not fire before the next call. */
void verd__timers_advance(struct verd__timers *timers, verd_duration now);

/* When to call verd__timers_advance next: the earliest deadline, or, where many timers share the
 * first slot, the beginning of that slot, at most once per level; VERD_FOREVER: none is armed. */
verd_duration verd__timers_next(const struct verd__timers *timers);

/* now + d without overflow: VERD_FOREVER at most. */
static inline verd_duration verd__time_after(verd_duration now, verd_duration d)
{
    verd_duration sum;
    return __builtin_add_overflow(now, d, &sum) ? VERD_FOREVER : sum;
}

#endif
