/* SPDX-License-Identifier: MIT */

/* What does a parked thread cost? A million of them, each on a guarded stack of its own, parked in
 * their first call, with vm.max_map_count as it is.
 *
 *   parked_bytes   resident memory per thread (VmRSS)
 *   parked_tables  the kernel's page tables per thread, which VmRSS leaves out (VmPTE)
 *   parked_create  nanoseconds to spawn one and run it until it parks
 *
 * The floor is what the machine asks for a page that has never been touched, with another one
 * beside it left alone, where a guard would be. Each slice is a process of its own, so that all
 * start with the same memory. */
#include <verd/thread.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define THREADS 1000000
#define THREADS_QUICK 10000
#define BYTES_PER_THREAD 8192 /* to ask for before starting, with room to spare */
#define PAIRS 3
#define PAGE 4096

struct figures {
    double bytes, tables, create; /* per thread */
};

static void parked(void *unused)
{
    (void)unused;
    verd_park();
}

static void park(long threads)
{
    for (long i = 0; i < threads; i++)
        if (verd_spawn_n(parked, NULL) != 0)
            bench_fail("verd_spawn_n");
    verd_yield();
}

static void touch(long threads)
{
    size_t size = (size_t)threads * 2 * PAGE;
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        bench_fail("mmap");
    madvise(pages, size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += 2 * (size_t)PAGE)
        pages[at] = 1;
}

static struct figures figures_of(void (*work)(long), long threads)
{
    int self = getpid();
    double bytes = bench_memory(self, "VmRSS"), tables = bench_memory(self, "VmPTE");
    double start = bench_time();
    work(threads);
    double end = bench_time(), count = (double)threads;
    return (struct figures){(bench_memory(self, "VmRSS") - bytes) / count,
                            (bench_memory(self, "VmPTE") - tables) / count, (end - start) / count};
}

static struct figures slice(void (*work)(long), long threads)
{
    struct figures figures;
    int answer[2];
    if (pipe(answer) != 0)
        bench_fail("pipe");
    pid_t child = fork();
    if (child < 0)
        bench_fail("fork");
    if (child == 0) {
        figures = figures_of(work, threads);
        _exit(write(answer[1], &figures, sizeof figures) != sizeof figures);
    }
    close(answer[1]);
    if (read(answer[0], &figures, sizeof figures) != sizeof figures)
        bench_fail("a million parked threads");
    close(answer[0]);
    waitpid(child, NULL, 0);
    return figures;
}

/* A million, or what fits into memory. */
static long how_many(void)
{
    long threads = bench_size(THREADS, THREADS_QUICK);
    double pages = (double)sysconf(_SC_AVPHYS_PAGES);
    long room = (long)(pages * (double)sysconf(_SC_PAGESIZE) / BYTES_PER_THREAD);
    if (room >= threads)
        return threads;
    bench_note("parked: %ld threads, as free memory holds no more", room);
    return room;
}

static void add(struct bench_samples *samples, const char *name, const char *unit,
                const char *floor_name, double value, double floor)
{
    samples->name = name;
    samples->unit = unit;
    samples->floor_name = floor_name;
    bench_add(samples, value, floor);
}

void bench_parked(void)
{
    struct bench_samples bytes = {0}, tables = {0}, create = {0};
    long threads = how_many();

    bench_pin(0);
    for (long i = bench_size(PAIRS, 1); i > 0; i--) {
        struct figures ours = slice(park, threads), least = slice(touch, threads);
        add(&bytes, "parked_bytes", "bytes", "one page touched", ours.bytes, least.bytes);
        add(&tables, "parked_tables", "bytes", "its entry and the guard's", ours.tables,
            least.tables);
        add(&create, "parked_create", "ns", "touching a fresh page", ours.create, least.create);
    }
    bench_report(&bytes);
    bench_report(&tables);
    bench_report(&create);
}
