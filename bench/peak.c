/* SPDX-License-Identifier: MIT */

/* What does a server keep of deep stacks?
 *
 *   rss_after_peak   growth of VmRSS, ten seconds after 4,000 threads have been 200 KiB deep, of which 400 live on.
 *                    The floor is that of a process that has never had more than those 400.
 *   idle_deep_bytes  per connection, of 10,000 whose handlers went 128 KiB deep once, when they have been idle for
 *                    longer than verd_reclaim_after says. The floor is that of handlers that never went deep. */
#include <verd.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"
#include "server.h"

#define THREADS 4000
#define THREADS_QUICK 400
#define SURVIVORS 10 /* one in so many */
#define PEAK_DEPTH ((size_t)200 * 1024)
#define SETTLED (10 * VERD_SEC)
#define CONNECTIONS 10000
#define CONNECTION_DEPTH ((size_t)128 * 1024)
#define LONG_WAIT VERD_SEC
#define IDLE_SECONDS 6
#define PAIRS 3

static __attribute__((noinline)) void
go_deep(size_t size) /* NOLINT(misc-no-recursion): to use stack */
{
    volatile char frame[1024];
    frame[0] = 1;
    if (size > sizeof frame)
        go_deep(size - sizeof frame);
    frame[1] = 1; /* no jump */
}

static verd_thread *threads[THREADS];

static void *be_deep(void *arg)
{
    go_deep(PEAK_DEPTH);
    verd_park();
    return arg;
}

static double rss_after(long count, long survivors)
{
    double before = bench_memory(getpid(), "VmRSS");
    for (long i = 0; i < count; i++) {
        threads[i] = verd_spawn(be_deep, NULL);
        if (threads[i] == NULL)
            bench_fail("verd_spawn");
    }
    verd_yield();
    for (long i = survivors; i < count; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
    verd_sleep(SETTLED);
    return (bench_memory(getpid(), "VmRSS") - before) / 1024;
}

static void with_peak(void *kib)
{
    long count = bench_size(THREADS, THREADS_QUICK);
    *(double *)kib = rss_after(count, count / SURVIVORS);
}

static void without_peak(void *kib)
{
    long count = bench_size(THREADS, THREADS_QUICK);
    *(double *)kib = rss_after(count / SURVIVORS, count / SURVIVORS);
}

void bench_peak(void)
{
    struct bench_samples samples = {
        .name = "rss_after_peak", .unit = "KiB", .floor_name = "who lives, without the peak"};
    for (long i = bench_size(PAIRS, 1); i > 0; i--) {
        double value, floor;
        bench_apart(with_peak, &value, sizeof value);
        bench_apart(without_peak, &floor, sizeof floor);
        bench_add(&samples, value, floor);
    }
    bench_report(&samples);
}

static void serve_deep(int ready)
{
    verd_reclaim_after(LONG_WAIT);
    serve_verd_deep(ready, CONNECTION_DEPTH);
}

static double idle(void (*serve)(int), int connections)
{
    struct server server;
    struct load first, load;
    server_start(&server, serve);
    load_start(&first, &server, &load_echo, 1); /* what the server needs once */
    load_stop(&first);
    double before = bench_memory(server.pid, "VmRSS");
    load_start(&load, &server, &load_echo, connections);
    sleep(IDLE_SECONDS);
    double after = bench_memory(server.pid, "VmRSS");
    load_stop(&load);
    server_stop(&server);
    return (after - before) / connections;
}

void bench_idle_deep(void)
{
    struct bench_samples samples = {
        .name = "idle_deep_bytes", .unit = "bytes", .floor_name = "handlers never deep"};
    int connections = (int)bench_size(CONNECTIONS, CONNECTIONS / 10);

    connections = server_connections(connections);
    for (long i = bench_size(PAIRS, 1); i > 0; i--) {
        double value = idle(serve_deep, connections);
        bench_add(&samples, value, idle(serve_verd, connections));
    }
    bench_report(&samples);
}
