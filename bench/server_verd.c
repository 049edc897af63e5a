/* SPDX-License-Identifier: MIT */

/* The echo server as a user of libverd writes it: one thread per connection, from a pool. */
#include <verd.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "server.h"

#define POOL_SIZE 10000

static inline void echo(void *argument, char *buffer, size_t room)
{
    int client = (int)(intptr_t)argument;
    ssize_t size;

    while ((size = verd_read(client, buffer, room)) > 0)
        if (verd_write_full(client, buffer, (size_t)size, NULL) < 0)
            break;
    verd_close(client);
}

static void handle(void *argument)
{
    char buffer[SERVER_BUFFER];
    echo(argument, buffer, sizeof buffer);
}

/* As people write it: what the call needs below the buffer lies on another page than what is above. */
static void handle_with_a_page(void *argument)
{
    char buffer[4096];
    echo(argument, buffer, sizeof buffer);
}

static size_t deep; /* this process's */

static __attribute__((noinline)) void
go_deep(size_t size) /* NOLINT(misc-no-recursion): to use stack */
{
    volatile char frame[1024];
    frame[0] = 1;
    if (size > sizeof frame)
        go_deep(size - sizeof frame);
    frame[1] = 1; /* no jump */
}

static void handle_deep(void *argument)
{
    go_deep(deep);
    handle(argument);
}

static void serve(int ready, void (*handler)(void *))
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    int port = verd_port(listener);
    verd_pool *pool = verd_pool_new(POOL_SIZE);
    if (listener < 0 || pool == NULL || write(ready, &port, sizeof port) != sizeof port)
        bench_fail("libverd's server");
    close(ready);

    for (;;) {
        int client = verd_accept(listener, NULL, NULL);
        if (client < 0 || verd_pool_spawn_n(pool, handler, (void *)(intptr_t)client) != 0)
            bench_fail("libverd's server");
    }
}

void serve_verd(int ready)
{
    serve(ready, handle);
}

void serve_verd_4k(int ready)
{
    serve(ready, handle_with_a_page);
}

void serve_verd_deep(int ready, size_t depth)
{
    deep = depth;
    serve(ready, handle_deep);
}
