/* SPDX-License-Identifier: MIT */

/* What does a connection cost the server, from its accept to its close, with one echo in between
 * and 10,000 of them open at once? Processor time against the same loop as in bench/echo.c. */
#include "bench.h"
#include "sides.h"

#define CONNECTIONS 10000
#define PAIRS 21

static double verd(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->verd, load_connections, count);
}

static double raw(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->raw, load_connections, count);
}

void bench_accept(void)
{
    struct sides sides;
    int connections = server_connections(CONNECTIONS);

    sides_start(&sides, 0);
    bench_measure(&(struct bench_pair){.name = "accept_10000",
                                       .unit = "ns",
                                       .floor_name = "an epoll loop's time",
                                       .value = verd,
                                       .floor = raw,
                                       .state = &sides,
                                       .count = connections,
                                       .pairs = PAIRS});
    sides_stop(&sides);
}
