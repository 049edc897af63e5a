/* SPDX-License-Identifier: MIT */

/* What do verd_park and verd_unpark cost, of two threads that wake each other? The floor is the switch
 * alone, done by the bare stub. In park_io one more thread waits for a descriptor, as in each server. */
#include <verd/thread.h>

#include <stddef.h>

#include "bench.h"
#include "stub.h"
#include "turns.h"

static verd_thread *here, *there;

struct side {
    verd_thread **other;
    long turns;
};

/* Both sides run this: see turns.h. */
static TURNS_NOINLINE void take_turns(const struct side *self)
{
    for (long i = self->turns; i > 0; i--) {
        verd_unpark(*self->other);
        if (verd_park() != 0)
            bench_fail("verd_park");
    }
}

static void *partner(void *unused)
{
    static const struct side side = {.other = &here, .turns = TURNS_FOR_EVER};
    take_turns(&side);
    return unused;
}

static double park(void *state, long count)
{
    const struct side side = {.other = &there, .turns = count};
    double start = bench_time();
    (void)state;
    take_turns(&side);
    return turns_figure(start, count);
}

static void measure(const char *name)
{
    bench_pin(0);
    here = verd_self();
    there = verd_spawn(partner, NULL);
    if (there == NULL)
        bench_fail("verd_spawn");
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "bare stub",
                                       .value = park,
                                       .floor = bench_stub_turns,
                                       .count = 200000});
}

void bench_park(void)
{
    measure("park");
}

void bench_park_io(void)
{
    bench_await_descriptor();
    measure("park_io");
}
