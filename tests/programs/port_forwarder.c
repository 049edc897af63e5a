/* SPDX-License-Identifier: MIT */

/* The port forwarder: all bytes, both ways; ends one way at a time; and failures. */
#include "example.h"

#include <signal.h>

#define SIZE (1024 * 1024)

static int port;
static int handled; /* clients of the target that have gone */

/* Counts what comes, and answers at its end, at length. */
static void count(int client, void *ctx)
{
    static char buffer[SIZE];
    char line[LINE];
    size_t total = 0;
    ssize_t size;
    (void)ctx;
    while ((size = verd_read(client, buffer, sizeof buffer)) > 0)
        total += (size_t)size;
    snprintf(line, sizeof line, "%zu bytes\n", total);
    if (size == 0 && verd_write_full(client, line, strlen(line), NULL) > 0)
        verd_write_full(client, buffer, sizeof buffer, NULL);
    handled++;
}

static void start(int target)
{
    char text[16];
    const char *const arguments[] = {"127.0.0.1", text, "0", NULL};
    const char *line;
    snprintf(text, sizeof text, "%d", target);
    example_start("port_forwarder", arguments);
    CHECK((line = next_line(example.output)) != NULL);
    CHECK(sscanf(line, "port_forwarder: listening on port %d", &port) == 1);
}

/* The answer comes after the question's end: both sides close one direction at a time. */
static void *ask(void *arg)
{
    static char question[SIZE];
    static char answer[SIZE];
    int fd = join(port);
    CHECK(verd_write_full(fd, question, sizeof question, NULL) == SIZE);
    verd_shutdown(fd, SHUT_WR);
    CHECK(reads(fd, "1048576 bytes"));
    CHECK(verd_read_full(fd, answer, sizeof answer, NULL) == SIZE);
    CHECK(at_end(fd));
    verd_close(fd);
    return arg;
}

static void reset(int fd)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    verd_close(fd);
}

int main(void)
{
    int target = verd_listen("127.0.0.1", 0, 0);
    verd_thread *askers[3];
    verd_server *server = verd_serve(target, count, NULL, NULL);
    start(verd_port(target));
    for (int i = 0; i < 3; i++)
        askers[i] = verd_spawn(ask, NULL);
    for (int i = 0; i < 3; i++)
        verd_join(askers[i], NULL);
    CHECK(handled == 3);

    int fd = join(port);
    say(fd, "x");
    while (verd_serve_clients(server) == 0)
        verd_sleep(VERD_MS);
    reset(fd);
    while (handled < 4)
        verd_sleep(VERD_MS); /* hangs if the target does not learn of it */

    fd = join(port);
    say(fd, "x");
    while (verd_serve_clients(server) == 0)
        verd_sleep(VERD_MS);
    CHECK(example_exits(0, SIGTERM));
    CHECK(at_end(fd));

    int nobody = verd_port(target);
    verd_serve_stop(server, VERD_FOREVER);
    verd_serve_free(server);
    start(nobody);
    CHECK(at_end(join(port)));
    CHECK(example_exits(0, SIGTERM));
    return 0;
}
