/* SPDX-License-Identifier: MIT */

/* The echo server as a user of libverd writes it: one thread per connection, from a pool. */
#include <verd.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "server.h"

#define POOL_SIZE 10000

static void handle(void *argument)
{
    int client = (int)(intptr_t)argument;
    char buffer[SERVER_BUFFER];
    ssize_t size;

    while ((size = verd_read(client, buffer, sizeof buffer)) > 0)
        if (verd_write_full(client, buffer, (size_t)size, NULL) < 0)
            break;
    verd_close(client);
}

void serve_verd(int ready)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    int port = verd_port(listener);
    verd_pool *pool = verd_pool_new(POOL_SIZE);
    if (listener < 0 || pool == NULL || write(ready, &port, sizeof port) != sizeof port)
        bench_fail("libverd's server");
    close(ready);

    for (;;) {
        int client = verd_accept(listener, NULL, NULL);
        if (client < 0 || verd_pool_spawn_n(pool, handle, (void *)(intptr_t)client) != 0)
            bench_fail("libverd's server");
    }
}
