/* SPDX-License-Identifier: MIT */

/* What a server keeps of the memory that large requests and replies took. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "http/server.h"
#include "leak.h"
#include "site.h"

#define CLIENTS 8
#define BODY 1000000
#define VALUE 100000
#define TRAILER 7000
#define TRAILERS 6

static struct site site;
static verd_semaphore go;
static size_t begun;
static char value[VALUE + 1], request[BODY + TRAILERS * (TRAILER + 16) + 256];

static void write_request(void)
{
    char *at = request + sprintf(request,
                                 "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
                                 (unsigned)BODY);
    memset(at, 'b', BODY);
    at += BODY;
    at += sprintf(at, "\r\n0\r\n");
    for (int i = 0; i < TRAILERS; i++)
        at += sprintf(at, "T: %.*s\r\n", TRAILER, value);
    sprintf(at, "\r\n");
}

/* All that is kept for a request or a reply becomes large. */
static int handle_largely(verd_http_exchange *x, void *ctx)
{
    const verd_http_field field = {.name = "Large", .value = value};
    size_t size, count;
    (void)ctx;
    if (verd_http_body(x, BODY, &size) == NULL || size != BODY ||
        verd_http_trailers(x, &count) == NULL || count != TRAILERS)
        return -1;
    begun++;
    if (verd_semaphore_acquire(&go) != 0 || verd_http_inform(x, 103, &field, 1) != 0 ||
        verd_http_add(x, "Large", value) != 0)
        return -1;
    return verd_http_reply(x, 200, NULL, "ok", 2);
}

/* Has all of them be served at a time. */
static void serve_clients(void)
{
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = site_connect(&site);
        say(fds[i], request);
    }
    while (begun < CLIENTS)
        verd_yield();
    for (int i = 0; i < CLIENTS; i++)
        verd_semaphore_release(&go);
    for (int i = 0; i < CLIENTS; i++)
        cr_expect_gt(strlen(hear(fds[i])), 2 * VALUE);
    while (verd_http_connections(site.server) > 0)
        verd_yield();
}

/* And what is small is there for the next. */
Test(http, memory_that_large_requests_and_replies_took_goes_back)
{
    if (!leak_is_told())
        cr_skip_test("malloc does not tell");
    memset(value, 'v', VALUE);
    write_request();
    site_open(&site, handle_largely, NULL);
    settle();
    size_t before = leak_in_use();
    serve_clients();
    cr_expect_lt((long)(leak_in_use() - before), CLIENTS * 32 * 1024L);
    cr_expect_eq(site.server->spare_count, CLIENTS);
    site_close(&site);
}
