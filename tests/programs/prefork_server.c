/* SPDX-License-Identifier: MIT */

/* The pre-fork server: its processes share the listener, are replaced, and stop gracefully. */
#include "example.h"

#include <signal.h>
#include <unistd.h>

#define WORKERS 3 /* of one client each */

static int parent, port;

/* The process that serves a new client, whose descriptor is stored. */
static int process_of(int *client)
{
    int process = 0;
    const char *line;
    *client = join(port);
    CHECK((line = next_line(*client)) != NULL && sscanf(line, "process %d", &process) == 1);
    CHECK(process > 0 && process != parent);
    return process;
}

static bool echoes(int client)
{
    say(client, "hello\n");
    return reads(client, "hello");
}

static bool is_gone(int process)
{
    return kill(process, 0) != 0 && errno == ESRCH;
}

int main(void)
{
    static const char *const arguments[] = {"0", "3", "1", NULL};
    int processes[WORKERS], clients[WORKERS], replacement, workers;
    const char *line;
    example_start("prefork_server", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "prefork_server: process %d, %d workers on port %d", &parent, &workers,
                 &port) == 3);
    CHECK(parent == example.pid && workers == WORKERS);

    /* A worker whose pool is full leaves clients to the others. */
    for (int i = 0; i < WORKERS; i++) {
        processes[i] = process_of(&clients[i]);
        for (int before = 0; before < i; before++)
            CHECK(processes[before] != processes[i]);
        CHECK(echoes(clients[i]));
    }
    int waiting = join(port);
    CHECK(is_silent(waiting));

    /* One that dies is replaced, and who waits is served. */
    kill(processes[0], SIGKILL);
    CHECK(at_end(clients[0]));
    CHECK((line = next_line(waiting)) != NULL && sscanf(line, "process %d", &replacement) == 1);
    for (int i = 0; i < WORKERS; i++)
        CHECK(processes[i] != replacement);

    /* One that is asked to end lets its client finish, and is replaced. */
    kill(processes[1], SIGTERM);
    CHECK(echoes(clients[1]));
    verd_close(clients[1]);
    CHECK(next_line(example.output) && next_line(example.output)); /* two have ended */
    processes[1] = process_of(&clients[1]);

    /* So do all of them. */
    kill(parent, SIGTERM);
    int refused;
    while ((refused = verd_connect("127.0.0.1", port)) >= 0) {
        verd_close(refused); /* until all have closed the listener */
        verd_sleep(VERD_MS);
    }
    CHECK(echoes(clients[1]) && echoes(clients[2]) && echoes(waiting));
    verd_close(clients[1]);
    verd_close(clients[2]);
    verd_close(waiting);
    CHECK(example_exits(0, 0));
    for (int i = 1; i < WORKERS; i++)
        CHECK(is_gone(processes[i]));
    CHECK(is_gone(replacement));
    return 0;
}
