/* SPDX-License-Identifier: MIT */

/* A server that has no memory for a handler keeps the client until there is some. */
#include <verd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/process.h"

static bool failing;
static unsigned failures;

#if !UNDER_SANITIZER /* which has a malloc of its own */
void *__libc_malloc(size_t size);

/* Stands in for libc's. */
void *fail_malloc(size_t size) __asm__("malloc");

void *fail_malloc(size_t size)
{
    if (!failing)
        return __libc_malloc(size);
    failures++;
    errno = ENOMEM;
    return NULL;
}
#endif

static void answer(int client, void *ctx)
{
    (void)ctx;
    verd_write_full(client, "x", 1, NULL);
}

/* A client that needs no memory. */
static int join(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (verd_connect_to(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("verd_connect_to");
        exit(1);
    }
    return fd;
}

/* Whether nothing comes for a while, not even the end. */
static bool is_kept_waiting(int fd)
{
    verd_timeout limit;
    char byte;
    verd_timeout_begin(&limit, 50 * VERD_MS);
    ssize_t n = verd_read(fd, &byte, 1);
    return verd_timeout_end(&limit) && n < 0;
}

int main(void)
{
    char byte;
    if (UNDER_SANITIZER) {
        puts("AddressSanitizer has a malloc of its own");
        return 77;
    }
    int listener = verd_listen("127.0.0.1", 0, 0), port = verd_port(listener);
    verd_server *server = verd_serve(listener, answer, NULL, NULL);
    int client = join(port);
    if (verd_read(client, &byte, 1) != 1) { /* what is made at first use has been made */
        perror("the first client");
        return 1;
    }

    failing = true;
    client = join(port);
    bool kept = is_kept_waiting(client);
    failing = false;
    bool served = verd_read(client, &byte, 1) == 1;
    printf("without memory %u times: %s, and then %s\n", failures,
           kept ? "kept waiting" : "not kept waiting", served ? "served" : "not served");

    failing = true;
    client = join(port);
    bool waits = is_kept_waiting(client);
    bool stopped = verd_serve_stop(server, VERD_FOREVER) == 0;
    failing = false;
    bool closed = verd_read(client, &byte, 1) <= 0;
    printf("stopped meanwhile: %s, the client is %s\n", stopped ? "yes" : "no",
           closed ? "closed" : "not closed");
    return kept && served && waits && stopped && closed ? 0 : 1;
}
