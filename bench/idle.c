/* SPDX-License-Identifier: MIT */

/* What does a connection keep in the server's memory that has been served once and waits? Growth
 * of VmRSS from no connection to 10,000, per connection. The floor is what the epoll loop keeps,
 * which has no stacks: no server of threads comes near it, but one sees what the threads cost. */
#include "bench.h"
#include "load.h"
#include "server.h"

#include <stddef.h>

#define CONNECTIONS 10000
#define PAIRS 3

/* A new server each time, as one that has served keeps memory for the next connections. */
static double slice(void (*serve)(int), int connections)
{
    struct server server;
    struct load first, load;

    server_start(&server, serve);
    load_start(&first, &server, &load_echo,
               1); /* what the server needs once is not the connections' */
    load_stop(&first);
    double before = bench_memory(server.pid, "VmRSS");
    load_start(&load, &server, &load_echo, connections);
    double after = bench_memory(server.pid, "VmRSS");
    load_stop(&load);
    server_stop(&server);
    return (after - before) / connections;
}

void bench_idle(void)
{
    struct bench_samples samples = {
        .name = "idle_bytes", .unit = "bytes", .floor_name = "the epoll loop's memory"};
    int connections = (int)bench_size(CONNECTIONS, CONNECTIONS / 10);

    connections = server_connections(connections);
    for (long i = bench_size(PAIRS, 1); i > 0; i--) {
        double value = slice(serve_verd, connections);
        bench_add(&samples, value, slice(serve_raw, connections));
    }
    bench_report(&samples);
}
