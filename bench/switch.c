/* SPDX-License-Identifier: MIT */

/* What does a raw context switch cost, one way? Two contexts take turns:
 *
 *   switch        each straight from the same loop
 *   switch_deep   each from three frames below it. It shows whether the processor still predicts the
 *                 returns above a switch
 *   switch_sites  each from a loop of its own, so that they return to different places
 *   switch_flags  where one of them has rounded a division, so that exception flags differ
 *
 * The floor is bench/stub.c: the same loops around the bare stub; for the last two, one loop. */
#include <verd/context.h>

#include <fenv.h>
#include <stddef.h>

#include "bench.h"
#include "stub.h"
#include "turns.h"

#define STACK_SIZE 16384

struct side {
    verd_context context; /* while suspended */
    struct side *other;
    long turns;
};

static _Alignas(64) char stack[STACK_SIZE];
static struct side here, there;
static void (*loop)(struct side *); /* what both sides run */

static TURNS_NOINLINE void shallow_loop(struct side *self)
{
    for (long i = self->turns; i > 0; i--)
        verd_context_switch(&self->context, &self->other->context, NULL);
}

static TURNS_NOINLINE void inner(struct side *self)
{
    verd_context_switch(&self->context, &self->other->context, NULL);
    TURNS_KEEP_FRAME();
}

static TURNS_NOINLINE void middle(struct side *self)
{
    inner(self);
    TURNS_KEEP_FRAME();
}

static TURNS_NOINLINE void outer(struct side *self)
{
    middle(self);
    TURNS_KEEP_FRAME();
}

static TURNS_NOINLINE void deep_loop(struct side *self)
{
    for (long i = self->turns; i > 0; i--)
        outer(self);
}

static TURNS_NOINLINE void other_loop(struct side *self)
{
    for (long i = self->turns; i > 0; i--) {
        verd_context_switch(&self->context, &self->other->context, NULL);
        TURNS_KEEP_FRAME(); /* else the two loops would be made one */
    }
}

static void enter(void *value)
{
    (void)value;
    loop(&there);
}

static void enter_other(void *value)
{
    (void)value;
    other_loop(&there);
}

static void round_and_enter(void *value)
{
    volatile double three = 3, third = 1 / three; /* raises "inexact" */
    (void)value, (void)third;
    loop(&there);
}

static double slice(void (*turns)(struct side *), verd_context_fn partner, long count)
{
    loop = turns;
    here = (struct side){.other = &there, .turns = count};
    there = (struct side){.other = &here, .turns = TURNS_FOR_EVER};
    verd_context_make(&there.context, stack, STACK_SIZE, partner);

    double start = bench_time();
    loop(&here);
    return turns_figure(start, count);
}

static double shallow(void *state, long count)
{
    (void)state;
    return slice(shallow_loop, enter, count);
}

static double deep(void *state, long count)
{
    (void)state;
    return slice(deep_loop, enter, count);
}

static double sites(void *state, long count)
{
    (void)state;
    return slice(shallow_loop, enter_other, count);
}

static double flags(void *state, long count)
{
    (void)state;
    feclearexcept(FE_ALL_EXCEPT);
    return slice(shallow_loop, round_and_enter, count);
}

static void measure(const char *name, bench_slice value)
{
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare stub",
                                       .value = value,
                                       .floor = bench_stub_turns,
                                       .count = 500000});
}

void bench_switch(void)
{
    bench_pin(0);
    measure("switch", shallow);
    bench_measure(&(struct bench_pair){.name = "switch_deep",
                                       .unit = "ns",
                                       .floor_name = "bare stub, from as deep",
                                       .value = deep,
                                       .floor = bench_stub_deep_turns,
                                       .count = 500000});
    measure("switch_sites", sites);
    measure("switch_flags", flags);
}
