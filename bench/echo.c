/* SPDX-License-Identifier: MIT */

/* What does a round trip of 64 bytes over loopback TCP cost the server, with so many connections?
 * Its processor time, kernel included, that is: how long a round trip takes is the machine's
 * affair. In echo_10000_4k each handler has a buffer of 4 KiB. The floor is a hand-written epoll loop; both servers live throughout, and are driven in
 * turns. */
#include "bench.h"
#include "sides.h"

static double verd(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->verd, load_round_trips, count);
}

static double raw(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->raw, load_round_trips, count);
}

static void measure(const char *name, void (*serve)(int), int connections, long round_trips)
{
    if (!bench_wanted(name))
        return;

    struct sides sides;
    connections = server_connections((int)bench_size(connections, (connections + 9) / 10));
    sides_start_with(&sides, serve, serve_raw, &load_echo, connections);
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "an epoll loop's time",
                                       .value = verd,
                                       .floor = raw,
                                       .state = &sides,
                                       .count = round_trips});
    sides_stop(&sides);
}

void bench_echo(void)
{
    measure("echo_1", serve_verd, 1, 2000);
    measure("echo_50", serve_verd, 50, 10000);
    measure("echo_1000", serve_verd, 1000, 10000);
    measure("echo_10000", serve_verd, 10000, 20000);
    measure("echo_10000_4k", serve_verd_4k, 10000, 20000);
}
