/* SPDX-License-Identifier: MIT */

/* What does verd_yield cost among so many threads? Of the rows of two threads:
 *
 *   yield_2_sites  each yields from a loop of its own
 *   yield_flags    one of them has rounded a division, so that exception flags differ
 *   yield_2_io     one more thread waits for a descriptor, as in each server
 *   yield_watched  each switch is noted (verd_stats_watch)
 *   yield_traced   a trace is written, to nowhere
 *   yield_watchdog as yield_2_io, under a watchdog; its floor is without
 *
 * The floor is a ring of as many raw contexts that the bare stub switches round. Their stacks are
 * one page each and lie side by side, which guarded stacks cannot: that is the least memory and
 * the fewest page tables that a round can touch. Their tops are coloured and fetched ahead, so the
 * ring waits for memory as little as a ring can. */
#include <verd/debug.h>
#include <verd/stats.h>
#include <verd/thread.h>
#include <verd/trace.h>

#include <fenv.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"
#include "stub.h"
#include "turns.h"

#define PAGE 4096
#define LINE 64
#define COLOURS 32 /* tops lie on so many different cache lines of a page */
#define AHEAD 6    /* contexts; more hides no more of a miss */

struct member {
    void *sp; /* while suspended */
    struct member *next, *ahead;
    long rounds;
};

static struct ring {
    struct member *members;  /* the first is the caller, on its own stack */
    struct member *starting; /* whose stack ring_member starts on */
    size_t size;
} ring;

/* The caller goes round as often as asked, the others for ever, and all do it here: see turns.h. */
static TURNS_NOINLINE void ring_loop(struct member *self)
{
    for (long i = self->rounds; i > 0; i--) {
        char *sp = self->ahead->sp;
        __builtin_prefetch(sp); /* what is kept there, and the frame that it returns to */
        __builtin_prefetch(sp + LINE);
        bench_stub_switch(&self->sp, self->next->sp);
    }
}

static void ring_member(void)
{
    struct member *self = ring.starting;
    bench_stub_switch(&self->sp, ring.members->sp);
    ring_loop(self);
}

static void *pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        bench_fail("mmap");
    madvise(memory, size, MADV_NOHUGEPAGE); /* guarded stacks cannot have huge pages */
    return memory;
}

static void ring_make(size_t size)
{
    char *stacks = pages(size * PAGE);
    ring.members = pages(size * sizeof *ring.members);
    ring.size = size;
    for (size_t i = 0; i < size; i++) {
        struct member *self = &ring.members[i];
        char *top = stacks + (i + 1) * PAGE - i % COLOURS * LINE;
        self->next = &ring.members[(i + 1) % size];
        self->ahead = &ring.members[(i + AHEAD) % size];
        self->rounds = TURNS_FOR_EVER;
        ring.starting = self;
        if (i > 0)
            bench_stub_switch(&ring.members->sp, bench_stub_make(top, ring_member));
    }
}

static long rounds(long count)
{
    long whole = count / (long)ring.size;
    return whole > 0 ? whole : 1;
}

static double ring_slice(void *state, long count)
{
    (void)state;
    double start = bench_time();
    ring.members->rounds = rounds(count);
    ring_loop(ring.members);
    return (bench_time() - start) / (double)(rounds(count) * (long)ring.size);
}

static TURNS_NOINLINE void yield_loop(const long *count)
{
    for (long i = *count; i > 0; i--)
        verd_yield();
}

static void yielder(void *unused)
{
    static const long for_ever = TURNS_FOR_EVER;
    (void)unused;
    yield_loop(&for_ever);
}

static void other_yielder(void *unused)
{
    (void)unused;
    for (;;) {
        verd_yield();
        TURNS_KEEP_FRAME(); /* else the two loops would be made one */
    }
}

static void rounding_yielder(void *unused)
{
    volatile double three = 3, third = 1 / three; /* raises "inexact" */
    (void)third;
    yielder(unused);
}

static double yield_slice(void *state, long count)
{
    (void)state;
    long own = rounds(count);
    double start = bench_time();
    yield_loop(&own);
    return (bench_time() - start) / (double)(own * (long)ring.size);
}

static void measure(const char *name, size_t threads, long count)
{
    static size_t running = 1; /* main is one of them, and none of them ends */

    if (!bench_wanted(name))
        return;
    for (; running < threads; running++)
        if (verd_spawn_n(yielder, NULL) != 0)
            bench_fail("verd_spawn_n");
    ring_make(threads);
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare ring, one-page stacks",
                                       .value = yield_slice,
                                       .floor = ring_slice,
                                       .count = count});
}

/* Two threads, of which the other is not as in the rows above. */
static void measure_other(const char *name, void (*other)(void *))
{
    bench_pin(0);
    feclearexcept(FE_ALL_EXCEPT);
    if (verd_spawn_n(other, NULL) != 0)
        bench_fail("verd_spawn_n");
    ring_make(2);
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare ring, one-page stacks",
                                       .value = yield_slice,
                                       .floor = ring_slice,
                                       .count = 500000});
}

void bench_yield_sites(void)
{
    measure_other("yield_2_sites", other_yielder);
}

void bench_yield_flags(void)
{
    measure_other("yield_flags", rounding_yielder);
}

void bench_yield_io(void)
{
    bench_await_descriptor();
    measure_other("yield_2_io", yielder);
}

void bench_yield_watched(void)
{
    if (verd_stats_watch(true) != 0)
        bench_fail("verd_stats_watch");
    measure_other("yield_watched", yielder);
}

void bench_yield_traced(void)
{
    setenv("VERD_TRACE_SIZE", "1000000000000000", 1);
    if (verd_trace_start("/dev/null") != 0)
        bench_fail("verd_trace_start");
    measure_other("yield_traced", yielder);
}

static double watched_slice(void *state, long count)
{
    if (verd_watchdog(100 * VERD_MS) != 0)
        bench_fail("verd_watchdog");
    double value = yield_slice(state, count);
    verd_watchdog(0);
    return value;
}

void bench_yield_watchdog(void)
{
    bench_pin(0);
    bench_await_descriptor();
    if (verd_spawn_n(yielder, NULL) != 0)
        bench_fail("verd_spawn_n");
    ring.size = 2;
    bench_measure(&(struct bench_pair){.name = "yield_watchdog",
                                       .unit = "ns",
                                       .floor_name = "without a watchdog",
                                       .value = watched_slice,
                                       .floor = yield_slice,
                                       .count = 10000000});
}

void bench_yield(void)
{
    bench_pin(0);
    measure("yield_2", 2, 500000);
    measure("yield_1000", 1000, 500000);
    measure("yield_100k", (size_t)bench_size(100000, 10000), 200000);
}
