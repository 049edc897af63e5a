/* SPDX-License-Identifier: MIT */

/* What does a deadline cost: to arm a timer and cancel it, while a million others are armed? The
 * others are threads that start in ten minutes or later.
 *
 * The floor is one reading of the clock: a span of time becomes a deadline by no other means. */
#include <verd/thread.h>
#include <verd/time.h>

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "sched/scheduler.h"

#define ARMED 1000000
#define ARMED_QUICK 10000
#define SPANS 4096 /* a power of two */

static verd_duration spans[SPANS];

static void *never(void *unused)
{
    return unused;
}

static verd_duration up_to(verd_duration most)
{
    return (verd_duration)(drand48() * (double)most);
}

static void arm_others(long count)
{
    for (long i = 0; i < count; i++) {
        verd_thread *thread =
            verd_spawn_after(600 * VERD_SEC + up_to(3600 * VERD_SEC), never, NULL);
        if (thread == NULL)
            bench_fail("verd_spawn_after");
        verd_release(thread);
    }
}

static void never_fire(struct verd__timer *timer)
{
    (void)timer;
    bench_fail("a timer that was cancelled");
}

static double arm_and_cancel(void *state, long count)
{
    struct verd__timers *timers = &verd__current->timers;
    struct verd__timer timer = {.fire = never_fire};
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        verd__timer_arm(timers, &timer, verd__time_after(verd_now(), spans[i % SPANS]));
        verd__timer_cancel(timers, &timer);
    }
    return (bench_time() - start) / (double)count;
}

static double read_clock(void *state, long count)
{
    (void)state;
    struct timespec now;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    return (bench_time() - start) / (double)count;
}

void bench_timer(void)
{
    bench_pin(0);
    arm_others(bench_size(ARMED, ARMED_QUICK));
    for (int i = 0; i < SPANS; i++)
        spans[i] = VERD_MS + up_to(60 * VERD_SEC);
    bench_measure(&(struct bench_pair){.name = "timer",
                                       .unit = "ns",
                                       .floor_name = "reading the clock",
                                       .value = arm_and_cancel,
                                       .floor = read_clock,
                                       .count = 100000});
}
