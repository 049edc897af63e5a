/* SPDX-License-Identifier: MIT */
/* A server on the loopback interface, whose handlers read one byte of their client, or fail to. */
#ifndef TESTS_SUPPORT_HOUSE_H
#define TESTS_SUPPORT_HOUSE_H

#include <verd.h>

#include "caller.h"

struct house {
    verd_server *server;
    int listener, port;
    size_t begun, ended; /* handlers */
    ssize_t outcome;     /* of the last one's read: 1, 0 at the end, or -errno */
};

/* Opens it; NULL: a pool of the server's own. */
void house_open(struct house *house, verd_pool *pool);

/* The same with another handler, which gets the house. */
void house_open_with(struct house *house, verd_pool *pool,
                     void (*handler)(int client, void *house));

/* The handler: reads a byte. */
void house_handle(int client, void *house);

/* A client, whose handler has had time to begin. */
int house_guest(const struct house *house);

/* Has its handler go on. */
void guest_speak(int guest);

/* Whether the server has closed the connection; waits until it does. */
bool guest_is_out(int guest);

/* For caller_start and caller_within, with the server, and for `stop` a verd_duration. */
int call_stop(struct caller *self);
int call_serve_wait(struct caller *self);

#endif
