/* SPDX-License-Identifier: MIT */

/* A thousand connections at once, on one OS thread. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "process.h"

#define ROUNDS 5

static void serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[256];
    ssize_t n;
    while ((n = verd_read(fd, buffer, sizeof buffer)) > 0)
        verd_write_full(fd, buffer, (size_t)n, NULL);
    verd_close(fd);
}

static void accept_all(void *arg)
{
    int listener = (int)(intptr_t)arg;
    int fd;
    while ((fd = verd_accept(listener, NULL, NULL)) >= 0)
        verd_spawn_n(serve, (void *)(intptr_t)fd);
}

struct client {
    int port;
    unsigned number;
    unsigned exact; /* rounds that came back as they were sent */
};

static void *talk(void *arg)
{
    struct client *client = arg;
    unsigned sent[32], received[32];
    int fd = verd_connect("127.0.0.1", client->port);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t size = sizeof sent[0] * (1 + (client->number + round) % 32);
        for (unsigned i = 0; i < 32; i++)
            sent[i] = client->number * 1000 + round * 100 + i;
        verd_write_full(fd, sent, size, NULL);
        if (verd_read_full(fd, received, size, NULL) == (ssize_t)size &&
            memcmp(sent, received, size) == 0)
            client->exact++;
        verd_yield();
    }
    verd_close(fd);
    return NULL;
}

static unsigned connection_count(void)
{
    /* LeakSanitizer reads every stack there has been, once the test has passed. */
    size_t wanted = process_is_translated() || UNDER_SANITIZER ? 200 : 1000;
    return (unsigned)process_descriptors_up_to(2 * wanted) / 2;
}

Test(net, a_thousand_connections_are_all_echoed_exactly)
{
    static struct client clients[1000];
    static verd_thread *threads[1000];
    unsigned count = connection_count();
    int port;
    int listener = make_listener(&port);
    verd_spawn_n(accept_all, (void *)(intptr_t)listener);
    for (unsigned i = 0; i < count; i++) {
        clients[i] = (struct client){.port = port, .number = i};
        threads[i] = verd_spawn(talk, &clients[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        verd_join(threads[i], NULL);
        cr_expect_eq(clients[i].exact, ROUNDS, "client %u", i);
    }
    verd_close(listener);
    settle();
}
