/* SPDX-License-Identifier: MIT */

/* What does a semaphore cost whose unit is there: to acquire it and release it?
 *
 * The floor is a counter in memory that two calls count down and up. */
#include <verd/sync.h>

#include <stddef.h>

#include "bench.h"
#include "turns.h"

static verd_semaphore semaphore = VERD_SEMAPHORE_INIT(3);

static double acquire_and_release(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        if (verd_semaphore_acquire(&semaphore) != 0 || verd_semaphore_release(&semaphore) != 0)
            bench_fail("verd_semaphore");
    return (bench_time() - start) / (double)count;
}

static TURNS_NOINLINE int down(volatile size_t *units)
{
    return *units > 0 ? (int)(*units -= 1) * 0 : -1;
}

static TURNS_NOINLINE int up(volatile size_t *units)
{
    *units += 1;
    return 0;
}

static double count_down_and_up(void *state, long count)
{
    static volatile size_t units = 3;
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        if (down(&units) != 0 || up(&units) != 0)
            bench_fail("a counter");
    return (bench_time() - start) / (double)count;
}

void bench_semaphore(void)
{
    bench_pin(0);
    bench_measure(&(struct bench_pair){.name = "semaphore",
                                       .unit = "ns",
                                       .floor_name = "counter, down and up",
                                       .value = acquire_and_release,
                                       .floor = count_down_and_up,
                                       .count = 200000});
}
