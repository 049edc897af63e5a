/* SPDX-License-Identifier: MIT */

/* What does a plain call cost? The yardstick of the other rows. */
#include "bench.h"

/* Keeps the compiler from seeing through a call or doing without a loop. */
#define OPAQUE() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void callee(void)
{
    OPAQUE();
}

static double call(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        callee();
    return (bench_time() - start) / (double)count;
}

static double loop(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        OPAQUE();
    return (bench_time() - start) / (double)count;
}

void bench_call(void)
{
    bench_pin(0);
    bench_measure(&(struct bench_pair){.name = "call",
                                       .unit = "ns",
                                       .floor_name = "the loop around it",
                                       .value = call,
                                       .floor = loop,
                                       .count = 2000000});
}
