/* SPDX-License-Identifier: MIT */

/* What two contexts that take turns have in common, whatever switches them. */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include <limits.h>

#include "bench.h"

#define TURNS_NOINLINE __attribute__((noinline))

/* After a call: keeps it from becoming a jump, so that the frame stays. */
#define TURNS_KEEP_FRAME() __asm__ volatile("" ::: "memory")

/* How often a side switches before it comes to its end; the second side never does. It is read
 * from memory, so that the compiler makes one loop for both sides: contexts that run the same code
 * return to the same address, as the threads of a scheduler do, and the processor predicts it. */
#define TURNS_FOR_EVER LONG_MAX

/* Nanoseconds per switch of a loop that began at `start` and went there and back `count` times. */
static inline double turns_figure(double start, long count)
{
    return (bench_time() - start) / (2.0 * (double)count);
}

#endif
