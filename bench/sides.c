/* SPDX-License-Identifier: MIT */

#include "sides.h"

static void start(struct side *side, void (*serve)(int), const struct talk *talk, int connections)
{
    server_start(&side->server, serve);
    load_start(&side->load, &side->server, talk, connections);
}

static void stop(struct side *side)
{
    load_stop(&side->load);
    server_stop(&side->server);
}

void sides_start_with(struct sides *sides, void (*verd)(int), void (*raw)(int),
                      const struct talk *talk, int connections)
{
    start(&sides->verd, verd, talk, connections);
    start(&sides->raw, raw, talk, connections);
}

void sides_start(struct sides *sides, int connections)
{
    sides_start_with(sides, serve_verd, serve_raw, &load_echo, connections);
}

void sides_stop(struct sides *sides)
{
    stop(&sides->verd);
    stop(&sides->raw);
}

double side_time(struct side *side, void (*work)(struct load *, long), long count)
{
    double before = server_time(&side->server);
    work(&side->load, count);
    return (server_time(&side->server) - before) / (double)count;
}
