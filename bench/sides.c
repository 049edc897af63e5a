/* SPDX-License-Identifier: MIT */

#include "sides.h"

static void start(struct side *side, void (*serve)(int), int connections)
{
    server_start(&side->server, serve);
    load_start(&side->load, &side->server, connections);
}

static void stop(struct side *side)
{
    load_stop(&side->load);
    server_stop(&side->server);
}

void sides_start(struct sides *sides, int connections)
{
    start(&sides->verd, serve_verd, connections);
    start(&sides->raw, serve_raw, connections);
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
