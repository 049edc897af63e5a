/* SPDX-License-Identifier: MIT */

/* What does it cost to bound a call that turns out not to wait: to begin and end a timeout scope?
 *
 * The floor is one reading of the processor's counter: when the scope began has to be noted. */
#include <verd/time.h>

#include <stddef.h>

#include "bench.h"
#include "cycles.h"

static double scope(void *state, long count)
{
    (void)state;
    verd_timeout timeout;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        verd_timeout_begin(&timeout, VERD_SEC);
        if (verd_timeout_end(&timeout))
            bench_fail("a second in no time");
    }
    return (bench_time() - start) / (double)count;
}

static double read_counter(void *state, long count)
{
    (void)state;
    uint64_t last = 0;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        last = verd__cycles();
        __asm__ volatile("" ::"r"(last));
    }
    return (bench_time() - start) / (double)count;
}

void bench_timeout(void)
{
    bench_pin(0);
    bench_measure(&(struct bench_pair){.name = "timeout_scope",
                                       .unit = "ns",
                                       .floor_name = "reading the counter",
                                       .value = scope,
                                       .floor = read_counter,
                                       .count = 200000});
}
