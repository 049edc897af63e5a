/* SPDX-License-Identifier: MIT */

/* What does a GET of 12 bytes over a connection that is kept cost the server, with so many of them?
 * Its processor time, kernel included. The floor is an epoll loop that reads whatever comes and
 * answers with the same bytes, the date excepted, without looking at the request. */
#include <verd.h>

#include <stddef.h>
#include <unistd.h>

#include "bench.h"
#include "sides.h"

#define REQUEST                 \
    "GET /hello HTTP/1.1\r\n"   \
    "Host: 127.0.0.1:8080\r\n"  \
    "User-Agent: bench/1.0\r\n" \
    "Accept: */*\r\n"           \
    "Connection: keep-alive\r\n\r\n"

#define ANSWER                                \
    "HTTP/1.1 200 OK\r\n"                     \
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" \
    "Content-Type: text/plain\r\n"            \
    "Content-Length: 12\r\n\r\n"              \
    "Hello world\n"

static const struct talk hello = {
    .message = REQUEST,
    .size = sizeof REQUEST - 1,
    .answer = sizeof ANSWER - 1,
};

static int say_hello(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return verd_http_reply(x, 200, "text/plain", "Hello world\n", 12);
}

static void serve_http(int ready)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    int port = verd_port(listener);
    verd_http_server *server = verd_http_serve(listener, say_hello, NULL, NULL);
    if (server == NULL || write(ready, &port, sizeof port) != sizeof port)
        bench_fail("libverd's server");
    close(ready);
    verd_http_wait(server);
}

static void serve_fixed(int ready)
{
    serve_raw_answer(ready, ANSWER, sizeof ANSWER - 1);
}

static double verd(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->verd, load_round_trips, count);
}

static double raw(void *state, long count)
{
    struct sides *sides = state;
    return side_time(&sides->raw, load_round_trips, count);
}

static void measure(const char *name, int connections)
{
    if (!bench_wanted(name))
        return;

    struct sides sides;
    connections = server_connections((int)bench_size(connections, (connections + 9) / 10));
    sides_start_with(&sides, serve_http, serve_fixed, &hello, connections);
    bench_measure(&(struct bench_pair){.name = name,
                                       .unit = "ns",
                                       .floor_name = "an epoll loop's, fixed answer",
                                       .value = verd,
                                       .floor = raw,
                                       .state = &sides,
                                       .count = 10000});
    sides_stop(&sides);
}

void bench_http(void)
{
    measure("http_hello_50", 50);
    measure("http_hello_1000", 1000);
}
