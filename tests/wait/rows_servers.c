/* SPDX-License-Identifier: MIT */
/* Connections: taking them, making them, and servers that end. */
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "house.h"
#include "table.h"

static int listener, port;

/* ---- accepting ---- */

static void listen_on_loopback(void)
{
    listener = make_listener(&port);
}

static intptr_t accept_one(void)
{
    int client = verd_accept(listener, NULL, NULL);
    return client >= 0 ? verd_close(client) : -errno;
}

static void call_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0, "connect");
}

static void await_call(void)
{
    struct pollfd poller = {.fd = listener, .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

static bool nobody_calls(void)
{
    struct pollfd poller = {.fd = listener, .events = POLLIN};
    return poll(&poller, 1, 0) == 0;
}

/* ---- connecting: a listener whose backlog is full ---- */

static struct sockaddr_un place;
static socklen_t place_length;
static int first_caller;

static void make_place(void)
{
    place.sun_family = AF_UNIX;
    int length =
        snprintf(place.sun_path + 1, sizeof place.sun_path - 1, "verd-wait-%ld", (long)getpid());
    place_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static void fill_backlog(void)
{
    make_place();
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must(bind(listener, (struct sockaddr *)&place, place_length) == 0 && listen(listener, 0) == 0,
         "listen");
    first_caller = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must(connect(first_caller, (struct sockaddr *)&place, place_length) == 0, "connect");
}

static void take_first(void)
{
    close(accept(listener, NULL, NULL));
}

static intptr_t connect_by_path(void)
{
    char path[sizeof place.sun_path] = "@";
    strcpy(path + 1, place.sun_path + 1);
    int fd = verd_connect_unix(path);
    return fd >= 0 ? verd_close(fd) : -errno;
}

/* One that does not block: at others, another process may have an OS thread that is faster. */
static intptr_t connect_own_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    intptr_t result = result_of(verd_connect_to(fd, (struct sockaddr *)&place, place_length));
    verd_close(fd);
    return result;
}

static bool one_has_called(void)
{
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    return (client < 0 || close(client) == 0) && nobody_calls();
}

/* ---- servers ---- */

static struct house house;

static void stay(int client, void *arg)
{
    (void)client, (void)arg;
    pass_gate();
}

static void serve_guest(void)
{
    house_open_with(&house, NULL, stay);
    house_guest(&house);
    must(verd_serve_clients(house.server) == 1, "a guest");
}

static void *stop_server(void *arg)
{
    must(verd_serve_stop(house.server, VERD_FOREVER) == 0, "verd_serve_stop");
    return arg;
}

static void serve_last_guest(void)
{
    serve_guest();
    verd_release(verd_spawn(stop_server, NULL));
    callers_settle();
}

static intptr_t stop(void)
{
    return result_of(verd_serve_stop(house.server, VERD_FOREVER));
}

static intptr_t wait_for_server(void)
{
    return result_of(verd_serve_wait(house.server));
}

static bool guest_is_in(void)
{
    return verd_serve_clients(house.server) == 1;
}

static bool server_has_ended(void)
{
    callers_settle();
    return verd_serve_clients(house.server) == 0 && verd_serve_free(house.server) == 0;
}

/* ---- servers of HTTP: their last request is asked for, and the connection ends with it ---- */

static verd_http_server *site;

static int answer_later(verd_http_exchange *exchange, void *ctx)
{
    (void)ctx;
    pass_gate();
    return verd_http_reply(exchange, 204, NULL, NULL, 0);
}

static void serve_request(void)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    listen_on_loopback();
    site = verd_http_serve(listener, answer_later, NULL, NULL);
    int guest = verd_connect("127.0.0.1", port);
    verd_write(guest, request, sizeof request - 1);
    while (verd_http_busy(site) == 0)
        verd_sleep(VERD_MS);
    callers_settle();
}

static void *stop_site(void *arg)
{
    must(verd_http_stop(site, VERD_FOREVER) == 0, "verd_http_stop");
    return arg;
}

static void serve_last_request(void)
{
    serve_request();
    verd_release(verd_spawn(stop_site, NULL));
    callers_settle();
}

static intptr_t stop_http(void)
{
    return result_of(verd_http_stop(site, VERD_FOREVER));
}

static intptr_t wait_for_site(void)
{
    return result_of(verd_http_wait(site));
}

static bool request_is_there(void)
{
    return verd_http_busy(site) == 1;
}

static bool site_has_ended(void)
{
    callers_settle();
    return verd_http_connections(site) == 0 && verd_http_free(site) == 0;
}

/* ---- the ends of their objects ---- */

static intptr_t close_listener(void)
{
    return result_of(verd_close(listener));
}

static intptr_t free_server(void)
{
    return result_of(verd_serve_free(house.server));
}

static intptr_t free_site(void)
{
    return result_of(verd_http_free(site));
}

static const struct row rows[] = {
    {.call = "verd_accept",
     .when = "a connection",
     .setup = listen_on_loopback,
     .make = accept_one,
     .provoke = call_listener,
     .arrive = await_call,
     .untouched = nobody_calls,
     .whole = nobody_calls,
     .traits = ALONE,
     .discard = close_listener,
     .discarded = -EBADF},
    {.call = "verd_connect_unix",
     .when = "room in a backlog",
     .setup = fill_backlog,
     .make = connect_by_path,
     .provoke = take_first,
     .whole = one_has_called,
     .traits = EITHER | ALONE},
    {.call = "verd_connect_to",
     .when = "room in a backlog",
     .setup = fill_backlog,
     .make = connect_own_socket,
     .provoke = take_first,
     .whole = one_has_called,
     .traits = EITHER | ALONE},
    {.call = "verd_serve_stop",
     .when = "the last handler",
     .setup = serve_guest,
     .make = stop,
     .provoke = open_gate,
     .untouched = guest_is_in,
     .whole = server_has_ended,
     .traits = INDIRECT | SHARED | ORPHANED | BOUND,
     .discard = free_server},
    {.call = "verd_serve_wait",
     .when = "the last handler",
     .setup = serve_last_guest,
     .make = wait_for_server,
     .provoke = open_gate,
     .untouched = guest_is_in,
     .whole = server_has_ended,
     .traits = INDIRECT | SHARED | ORPHANED | BOUND,
     .discard = free_server},
    {.call = "verd_http_stop",
     .when = "the last request",
     .setup = serve_request,
     .make = stop_http,
     .provoke = open_gate,
     .untouched = request_is_there,
     .whole = site_has_ended,
     .traits = INDIRECT | SHARED | EITHER | ORPHANED | BOUND,
     .discard = free_site},
    {.call = "verd_http_wait",
     .when = "the last request",
     .setup = serve_last_request,
     .make = wait_for_site,
     .provoke = open_gate,
     .untouched = request_is_there,
     .whole = site_has_ended,
     .traits = INDIRECT | SHARED | EITHER | ORPHANED | BOUND,
     .discard = free_site},
};

const struct rows rows_of_servers = ROWS(rows);
