/* SPDX-License-Identifier: MIT */

/* A port forwarder: each client is connected to another server, and two pumps carry what the one
 * says to the other. When one side has said all that it will, the other is told so, and may still
 * answer.
 *
 *     port_forwarder HOST PORT [LISTEN]         7000 unless given; 0 lets the system choose
 *
 * Try it in front of any server:
 *
 *     port_forwarder localhost 22 &
 *     ssh -p 7000 localhost
 */
#include <verd.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define LISTEN 7000

struct target {
    const char *host;
    int port;
};

struct pump {
    int from, to;
};

/* Carries all that comes, and then its end. If something goes wrong, the pump in the other direction ends, too. */
static void *run_pump(void *arg)
{
    const struct pump *pump = arg;
    char buffer[16384];
    ssize_t size;
    while ((size = verd_read(pump->from, buffer, sizeof buffer)) > 0)
        if (verd_write_full(pump->to, buffer, (size_t)size, NULL) < 0)
            return verd_fail(errno);
    verd_shutdown(pump->to, SHUT_WR);
    return size == 0 ? NULL : verd_fail(errno);
}

static void forward(int client, void *ctx)
{
    const struct target *target = ctx;
    int server = verd_connect(target->host, target->port);
    if (server < 0) {
        perror("port_forwarder: connect");
        return;
    }
    struct pump there = {client, server}, back = {server, client};
    verd_bundle *pumps = verd_bundle_new();
    if (pumps != NULL && verd_bundle_spawn(pumps, run_pump, &there) == 0 &&
        verd_bundle_spawn(pumps, run_pump, &back) == 0)
        verd_bundle_wait(pumps);
    verd_bundle_free(pumps); /* they use this frame: even who is killed waits for them */
    verd_close(server);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: port_forwarder HOST PORT [LISTEN]\n");
        return EXIT_FAILURE;
    }
    struct target target = {argv[1], atoi(argv[2])};
    int listener = verd_listen("0.0.0.0", argc > 3 ? atoi(argv[3]) : LISTEN, 0);
    verd_server *server = listener >= 0 ? verd_serve(listener, forward, &target, NULL) : NULL;
    if (server == NULL) {
        perror("port_forwarder");
        return EXIT_FAILURE;
    }
    printf("port_forwarder: listening on port %d\n", verd_port(listener));
    fflush(stdout);

    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigaddset(&terminate, SIGINT);
    verd_signal_wait(&terminate, NULL);
    verd_serve_stop(server, 0);
    verd_serve_free(server);
    return EXIT_SUCCESS;
}
