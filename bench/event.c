/* SPDX-License-Identifier: MIT */

/* What does it cost to hand over to a thread that waits? Two threads wake each other through a
 * pair of events, so that each hand-over is a set, an unpark, a park, a switch and a reset. The
 * floor is the switch alone, done by the bare stub. */
#include <verd/sync.h>
#include <verd/thread.h>

#include <stddef.h>

#include "bench.h"
#include "stub.h"
#include "turns.h"

static verd_event ping = VERD_EVENT_INIT, pong = VERD_EVENT_INIT;

struct side {
    verd_event *mine, *theirs;
    long turns;
};

/* Both sides run this: see turns.h. */
static TURNS_NOINLINE void take_turns(const struct side *self)
{
    for (long i = self->turns; i > 0; i--)
        if (verd_event_wait(self->mine, NULL) != 0 || verd_event_reset(self->mine) != 0 ||
            verd_event_set(self->theirs, NULL) != 0)
            bench_fail("verd_event");
}

static void partner(void *unused)
{
    static const struct side there = {.mine = &ping, .theirs = &pong, .turns = TURNS_FOR_EVER};
    (void)unused;
    take_turns(&there);
}

static double pingpong(void *state, long count)
{
    (void)state;
    struct side here = {.mine = &pong, .theirs = &ping, .turns = count};
    double start = bench_time();
    take_turns(&here);
    return turns_figure(start, count);
}

void bench_event(void)
{
    bench_pin(0);
    if (verd_spawn_n(partner, NULL) != 0)
        bench_fail("verd_spawn_n");
    if (verd_event_set(&pong, NULL) != 0) /* the first turn is ours */
        bench_fail("verd_event_set");
    bench_measure(&(struct bench_pair){.name = "event_pingpong",
                                       .unit = "ns",
                                       .floor_name = "bare stub",
                                       .value = pingpong,
                                       .floor = bench_stub_turns,
                                       .count = 200000});
}
