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

/* Carries all that comes, and then its end. */
static void *run_pump(void *arg)
{
    const struct pump *pump = arg;
    char buffer[16384];
    ssize_t size;
    while ((size = verd_read(pump->from, buffer, sizeof buffer)) > 0)
        if (verd_write_full(pump->to, buffer, (size_t)size, NULL) < 0)
            break;
    verd_shutdown(pump->to, SHUT_WR);
    if (size != 0) { /* something went wrong: the pump in the other direction is to end too */
        verd_shutdown(pump->from, SHUT_RDWR);
        verd_shutdown(pump->to, SHUT_RDWR);
    }
    return NULL;
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
    verd_thread *other = verd_spawn(run_pump, &there);
    if (other != NULL)
        run_pump(&back);
    verd_shield_begin(); /* the other pump uses this frame: even who is killed has to wait for it */
    verd_join(other, NULL);
    verd_shield_end();
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
