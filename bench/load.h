/* SPDX-License-Identifier: MIT */

/* The load on a server: a process on the second processor with many connections, each of which
 * sends a message, waits for the answer, and sends the next. It is told over a pipe what to do, and
 * does nothing in between. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <sys/types.h>

#include "server.h"

/* What is sent, and how many bytes come back. */
struct talk {
    const char *message;
    size_t size;
    size_t answer;
};

/* A message of 64 bytes, and its echo. */
extern const struct talk load_echo;

struct load {
    pid_t pid;
    int commands, answers; /* pipes */
};

/* Starts the process, connects it `connections` times to the server, and has one message answered on
 * each. */
void load_start(struct load *load, const struct server *server, const struct talk *said,
                int connections);
void load_stop(struct load *load);

/* Does so many round trips, spread over all connections. */
void load_round_trips(struct load *load, long count);

/* Makes so many connections more, has a message answered on each, and closes them when all are
 * there. Returns when the server has closed them, too. */
void load_connections(struct load *load, long count);

#endif
