/* SPDX-License-Identifier: MIT */

/* How long does a thread wait for its turn that is always ready, while 100,000 others wait? The longest time of its
 * own processor time between two turns, in which the library looks after those waits: audits of the descriptors,
 * and walks through all threads. So many of them as the limit allows wait for descriptors, the others sleep. The
 * floor is the same with no other thread. Both are the longest of seconds, and have the machine's interrupts in them. */
#include <verd.h>

#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

#define WAITS 100000
#define WAITS_QUICK 2000
#define SPARE 64 /* descriptors for others */
#define SPAN (5 * VERD_SEC)
#define SPAN_QUICK (VERD_SEC / 2)
#define PAIRS 3

static void read_end(void *fd)
{
    char byte;
    verd_read((int)(intptr_t)fd, &byte, 1);
}

static void sleep_long(void *number)
{
    verd_sleep(3600 * VERD_SEC + (intptr_t)number);
}

static void start(void (*fn)(void *), intptr_t arg)
{
    if (verd_spawn_n(fn, (void *)arg) != 0)
        bench_fail("verd_spawn_n");
}

/* They wait for both ends of each pair. */
static void park_all(long waits)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_fail("getrlimit");
    long descriptors = (long)limit.rlim_cur - SPARE;
    for (long i = 0; i < waits; i++) {
        int fds[2];
        if (i + 2 > descriptors) {
            start(sleep_long, i);
        } else if (i % 2 == 0) {
            if (verd_pipe(fds) != 0)
                bench_fail("verd_pipe");
            start(read_end, fds[0]);
        }
    }
    verd_yield();
}

static double processor_time(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static double longest_hold(long waits)
{
    verd_reclaim_after(VERD_SEC);
    park_all(waits);
    verd_duration end = verd_now() + bench_size(SPAN, SPAN_QUICK);
    double longest = 0;
    while (verd_now() < end) {
        double begin = processor_time();
        verd_yield();
        double held = processor_time() - begin;
        longest = held > longest ? held : longest;
    }
    return longest / 1000;
}

static void many(void *longest)
{
    *(double *)longest = longest_hold(bench_size(WAITS, WAITS_QUICK));
}

static void none(void *longest)
{
    *(double *)longest = longest_hold(0);
}

void bench_hold(void)
{
    struct bench_samples samples = {
        .name = "longest_hold", .unit = "us", .floor_name = "no other thread"};
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    bench_pin(0);
    for (long i = bench_size(PAIRS, 1); i > 0; i--) {
        double value, floor;
        bench_apart(many, &value, sizeof value);
        bench_apart(none, &floor, sizeof floor);
        bench_add(&samples, value, floor);
    }
    bench_report(&samples);
}
