/* SPDX-License-Identifier: MIT */

/* libverd's server and the raw one, alive at the same time, each with a load of its own. */
#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

#include "load.h"
#include "server.h"

struct side {
    struct server server;
    struct load load;
};

struct sides {
    struct side verd, raw;
};

/* Starts both servers, which echo, and connects a load to each. */
void sides_start(struct sides *sides, int connections);

/* The same with other servers, who are talked to in another way. */
void sides_start_with(struct sides *sides, void (*verd)(int ready), void (*raw)(int ready),
                      const struct talk *talk, int connections);
void sides_stop(struct sides *sides);

/* Processor time of the server, in nanoseconds, for each of the `count` things that `work` has the
 * load do. The load is told to, and this process waits. */
double side_time(struct side *side, void (*work)(struct load *, long), long count);

#endif
