/* SPDX-License-Identifier: MIT */

/* What does a thread cost that is spawned, does nothing, and ends?
 *
 *   spawn_one    the spawner gives way after each. The floor is a bare context, made on a stack
 *                that is there already, entered and left.
 *   spawn_batch  it gives way after a thousand: each starts where the last one ended, so the
 *                floor is no switch but a queue of a thousand functions, filled and called.
 *   spawn_join   it waits for each one's end and result.
 *   spawn_one_io as spawn_one, while one more thread waits for a descriptor. */
#include <verd/thread.h>

#include <stddef.h>

#include "bench.h"
#include "stub.h"

#define BATCH 1000
#define STACK_SIZE 16384

static void nothing(void *unused)
{
    (void)unused;
    __asm__ volatile("" ::: "memory");
}

static void spawn(void)
{
    if (verd_spawn_n(nothing, NULL) != 0)
        bench_fail("verd_spawn_n");
}

static double spawn_one(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        spawn();
        verd_yield();
    }
    return (bench_time() - start) / (double)count;
}

static void *give_back(void *arg)
{
    return arg;
}

static double spawn_join(void *state, long count)
{
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        void *result = NULL;
        if (verd_join(verd_spawn(give_back, &result), &result) != 0 || result != &result)
            bench_fail("verd_join");
    }
    (void)state;
    return (bench_time() - start) / (double)count;
}

static _Alignas(64) char stack[STACK_SIZE];
static void *spawner_sp, *ended_sp;

static void enter(void)
{
    nothing(NULL);
    bench_stub_switch(&ended_sp, spawner_sp);
}

static double stub_one(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++)
        bench_stub_switch(&spawner_sp, bench_stub_make(stack + STACK_SIZE, enter));
    return (bench_time() - start) / (double)count;
}

static double spawn_batch(void *state, long count)
{
    (void)state;
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        for (int j = 0; j < BATCH; j++)
            spawn();
        verd_yield();
    }
    return (bench_time() - start) / (double)(count * BATCH);
}

static struct {
    void (*fn)(void *);
    void *arg;
} queue[BATCH];

static double call_batch(void *state, long count)
{
    double start = bench_time();
    for (long i = 0; i < count; i++) {
        for (int j = 0; j < BATCH; j++) {
            queue[j].fn = nothing;
            queue[j].arg = state;
        }
        __asm__ volatile("" ::: "memory"); /* the compiler may not know what was put */
        for (int j = 0; j < BATCH; j++)
            queue[j].fn(queue[j].arg);
    }
    return (bench_time() - start) / (double)(count * BATCH);
}

static void measure_one(const char *name, bench_slice value)
{
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare stub: make, enter, leave",
                                       .value = value,
                                       .floor = stub_one,
                                       .count = 200000});
}

void bench_spawn_io(void)
{
    bench_pin(0);
    bench_await_descriptor();
    measure_one("spawn_one_io", spawn_one);
}

void bench_spawn(void)
{
    bench_pin(0);
    measure_one("spawn_one", spawn_one);
    measure_one("spawn_join", spawn_join);
    bench_measure(&(struct bench_pair){.name = "spawn_batch",
                                       .unit = "ns",
                                       .floor_name = "a queue of functions, called",
                                       .value = spawn_batch,
                                       .floor = call_batch,
                                       .count = 500});
}
