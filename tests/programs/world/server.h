/* SPDX-License-Identifier: MIT */
/* A server of our own for a program's clients, by the blocking calls of POSIX. */
#ifndef TESTS_PROGRAMS_WORLD_SERVER_H
#define TESTS_PROGRAMS_WORLD_SERVER_H

#include "world.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* What it does with the connections that it takes: as many as these, each in a green thread. */
struct world_server {
    struct in_addr address; /* 0: 127.0.0.1 */
    int connections;
    void (*handle)(void *fd);
    int listener;
};

static inline void world_accept(void *arg)
{
    const struct world_server *server = arg;
    for (int i = 0; i < server->connections; i++) {
        int fd = accept(server->listener, NULL, NULL);
        CHECK(fd >= 0 && verd_spawn_n(server->handle, (void *)(intptr_t)fd) == 0);
    }
    close(server->listener);
}

/* Starts it on a port, which it returns. `server` is to stay. */
static inline int world_serve(struct world_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = server->address};
    socklen_t size = sizeof address;
    if (address.sin_addr.s_addr == 0)
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server->listener >= 0);
    CHECK(bind(server->listener, (struct sockaddr *)&address, size) == 0);
    CHECK(listen(server->listener, server->connections) == 0);
    CHECK(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0);
    CHECK(verd_spawn_n(world_accept, server) == 0);
    return ntohs(address.sin_port);
}

#endif
