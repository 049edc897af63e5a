/* SPDX-License-Identifier: MIT */

/* What does a raw context switch cost, one way? Two contexts take turns: first each straight from
 * a loop, then each from three frames below it. The second is what a scheduler sees; it shows
 * whether the processor still predicts the returns above a switch.
 *
 * The floor is bench/stub.c: the same loops around the bare stub. */
#include <verd/context.h>

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

static void enter(void *value)
{
    (void)value;
    loop(&there);
}

static double slice(void (*turns)(struct side *), long count)
{
    loop = turns;
    here = (struct side){.other = &there, .turns = count};
    there = (struct side){.other = &here, .turns = TURNS_FOR_EVER};
    verd_context_make(&there.context, stack, STACK_SIZE, enter);

    double start = bench_time();
    loop(&here);
    return turns_figure(start, count);
}

static double shallow(void *state, long count)
{
    (void)state;
    return slice(shallow_loop, count);
}

static double deep(void *state, long count)
{
    (void)state;
    return slice(deep_loop, count);
}

void bench_switch(void)
{
    bench_pin(0);
    bench_measure(&(struct bench_pair){.name = "switch",
                                       .unit = "ns",
                                       .floor_name = "bare stub",
                                       .value = shallow,
                                       .floor = bench_stub_turns,
                                       .count = 500000});
    bench_measure(&(struct bench_pair){.name = "switch_deep",
                                       .unit = "ns",
                                       .floor_name = "bare stub, from as deep",
                                       .value = deep,
                                       .floor = bench_stub_deep_turns,
                                       .count = 500000});
}
