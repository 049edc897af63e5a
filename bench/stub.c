/* SPDX-License-Identifier: MIT */

/* The bare stub, taking turns. bench/switch.c does the same with the library's switch. */
#include "stub.h"

#include "turns.h"

#define STACK_SIZE 16384

struct side {
    void *sp; /* while suspended */
    struct side *other;
    long turns;
};

static _Alignas(64) char stack[STACK_SIZE];
static struct side here, there;
static void (*loop)(struct side *); /* what both sides run */

static TURNS_NOINLINE void shallow_loop(struct side *self)
{
    for (long i = self->turns; i > 0; i--)
        bench_stub_switch(&self->sp, self->other->sp);
}

static TURNS_NOINLINE void inner(struct side *self)
{
    bench_stub_switch(&self->sp, self->other->sp);
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

static void enter(void)
{
    loop(&there);
}

static double slice(void (*turns)(struct side *), long count)
{
    loop = turns;
    here = (struct side){.other = &there, .turns = count};
    there = (struct side){.other = &here, .turns = TURNS_FOR_EVER};
    there.sp = bench_stub_make(stack + STACK_SIZE, enter);

    double start = bench_time();
    loop(&here);
    return turns_figure(start, count);
}

double bench_stub_turns(void *unused, long count)
{
    (void)unused;
    return slice(shallow_loop, count);
}

double bench_stub_deep_turns(void *unused, long count)
{
    (void)unused;
    return slice(deep_loop, count);
}
