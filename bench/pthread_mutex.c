/* SPDX-License-Identifier: MIT */

/* What does a lock of <verd/pthread.h> cost that nobody else wants: to lock it and unlock it?
 *
 * Beside it stands libc's own. */
#define VERD_PTHREAD_DECLARE_ONLY
#include <verd/pthread.h>

#include "bench.h"

static double green(void *state, long count)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        if (verd_pthread_mutex_lock(&mutex) != 0 || verd_pthread_mutex_unlock(&mutex) != 0)
            bench_fail("verd_pthread_mutex");
    return (bench_time() - start) / (double)count;
}

static double libc(void *state, long count)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        if (pthread_mutex_lock(&mutex) != 0 || pthread_mutex_unlock(&mutex) != 0)
            bench_fail("pthread_mutex");
    return (bench_time() - start) / (double)count;
}

void bench_pthread_mutex(void)
{
    bench_pin(0);
    bench_measure(&(struct bench_pair){.name = "pthread_mutex",
                                       .unit = "ns",
                                       .floor_name = "libc's, uncontended",
                                       .value = green,
                                       .floor = libc,
                                       .count = 200000});
}
