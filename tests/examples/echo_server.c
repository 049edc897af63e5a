/* SPDX-License-Identifier: MIT */

/* An echo server: one green thread per client, at most 10,000 of them, in one OS thread.
 *
 *     echo_server [PORT]         6000 unless given; 0 lets the system choose
 *
 * In another terminal, in as many as you like:
 *
 *     nc 127.0.0.1 6000          (or telnet) and type
 */
#include <verd.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PORT 6000
#define CLIENTS 10000

static void handle(void *argument)
{
    int client = (int)(intptr_t)argument;
    char buffer[1024];
    ssize_t size;

    while ((size = verd_read(client, buffer, sizeof buffer)) > 0)
        if (verd_write_full(client, buffer, (size_t)size, NULL) < 0)
            break;
    verd_close(client);
}

/* A client needs a descriptor. Beyond the limit, clients are left waiting to be accepted. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= CLIENTS)
        fprintf(stderr,
                "echo_server: fewer than %d clients: the hard limit of descriptors is %lu\n",
                CLIENTS, (unsigned long)limit.rlim_max);
}

int main(int argc, char **argv)
{
    raise_descriptor_limit();
    int server = verd_listen("0.0.0.0", argc > 1 ? atoi(argv[1]) : PORT, 0);
    verd_pool *pool = verd_pool_new(CLIENTS);
    if (server < 0 || pool == NULL) {
        perror("echo_server");
        return 1;
    }
    printf("echo_server: listening on port %d\n", verd_port(server));
    fflush(stdout);

    for (;;) {
        int client = verd_accept(server, NULL, NULL);
        if (client < 0 || verd_pool_spawn_n(pool, handle, (void *)(intptr_t)client) != 0) {
            perror("echo_server");
            return 1;
        }
    }
}
