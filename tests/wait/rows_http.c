/* SPDX-License-Identifier: MIT */
/* What servers' handlers wait for, and WebSockets. A handler's client, and a WebSocket's other end, is the main thread. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "http/websocket.h"
#include "table.h"

/* ---- a handler that makes the call ---- */

/* One at a time is of interest: the last. The others' servers are still there, and nobody's any more. */
struct visit {
    struct visit *before;
    const void *server, *socket;
    int guest;  /* the client's end */
    int client; /* the handler's; or */
    verd_http_exchange *x;
    verd_event begin;
    verd_thread *thread; /* NULL: not there yet */
    void *(*call)(void *arg);
    void *arg;
};

static struct visit *visit;

static void attend(struct visit *self)
{
    self->thread = verd_self();
    verd_event_wait(&self->begin, NULL);
    self->call(self->arg);
}

static void handle(int client, void *arg)
{
    struct visit *self = arg;
    self->client = client;
    attend(self);
}

static int answer(verd_http_exchange *x, void *arg)
{
    struct visit *self = arg;
    self->x = x;
    if (verd_http_header(x, "Upgrade") != NULL)
        must(verd_http_upgrade(x, "a") == 0, "verd_http_upgrade");
    attend(self);
    return -1;
}

static void await_attendance(void)
{
    while (visit->thread == NULL)
        verd_sleep(VERD_MS);
    callers_settle();
    verd_event_set(&visit->begin, NULL);
}

static int begin_visit(void *(*call)(void *arg), void *arg, int *port)
{
    struct visit *next = calloc(1, sizeof *next);
    must(next != NULL, "memory");
    next->before = visit;
    visit = next;
    visit->call = call;
    visit->arg = arg;
    return make_listener(port);
}

static verd_thread *start_handler(void *(*call)(void *arg), void *arg)
{
    int port, listener = begin_visit(call, arg, &port);
    visit->server = verd_serve(listener, handle, visit, NULL);
    must(visit->server != NULL, "verd_serve");
    visit->guest = verd_connect("127.0.0.1", port);
    await_attendance();
    return visit->thread;
}

static verd_thread *start_answer(void *(*call)(void *arg), void *arg, const char *request,
                                 size_t size)
{
    char head[1024];
    int port, listener = begin_visit(call, arg, &port);
    visit->server = verd_http_serve(listener, answer, visit, NULL);
    must(visit->server != NULL, "verd_http_serve");
    visit->guest = verd_connect("127.0.0.1", port);
    must(write(visit->guest, request, size) == (ssize_t)size, "write");
    await_attendance();
    while (recv(visit->guest, head, sizeof head, MSG_DONTWAIT) > 0)
        ;
    return visit->thread;
}

static verd_thread *start_reply(void *(*call)(void *arg), void *arg)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    return start_answer(call, arg, request, sizeof request - 1);
}

static verd_thread *start_upgraded(void *(*call)(void *arg), void *arg)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n";
    return start_answer(call, arg, request, sizeof request - 1);
}

static int fd_of_visit(void)
{
    return visit->x != NULL ? verd_http_stream(visit->x)->fd : visit->client;
}

static void speak(void)
{
    must(write(visit->guest, "x", 1) == 1, "write");
}

static void leave(void)
{
    must(shutdown(visit->guest, SHUT_WR) == 0, "shutdown");
}

/* Over TCP the kernel may take its time. */
static void await_guest(void)
{
    struct pollfd poller = {.fd = fd_of_visit(), .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

static intptr_t await_next(void)
{
    return result_of(verd_serve_next(visit->client));
}

static intptr_t await_leaving(void)
{
    return result_of(verd_http_gone(visit->x, VERD_FOREVER));
}

static intptr_t pause_until_leaving(void)
{
    return result_of(verd_http_pause(visit->x, VERD_FOREVER));
}

static intptr_t read_upgraded(void)
{
    char byte;
    ssize_t got = verd_http_read(visit->x, &byte, 1);
    return got == 1 ? byte : result_of(got);
}

/* ---- a WebSocket's client ---- */

static verd_websocket *ws;
static int other; /* the server's end, in whose place the main thread is */

static int lend(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    visit->socket = verd_websocket_accept(x, NULL);
    must(visit->socket != NULL, "verd_websocket_accept");
    other = dup(verd_http_stream(x)->fd); /* which the child of a fork closes */
    verd_park();
    return 0;
}

static void connect_websocket(void)
{
    int port, listener = begin_visit(NULL, NULL, &port);
    char url[64];
    visit->server = verd_http_serve(listener, lend, NULL, NULL);
    must(visit->server != NULL, "verd_http_serve");
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    ws = verd_websocket_connect(url, NULL);
    must(ws != NULL, "verd_websocket_connect");
    callers_settle();
}

static void send_message(void)
{
    must(write(other, "\x82\x01x", 3) == 3, "write");
}

static void await_message(void)
{
    struct pollfd poller = {.fd = ws->stream->fd, .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

static bool has_no_message(void)
{
    int there = 0;
    return ioctl(ws->stream->fd, FIONREAD, &there) == 0 && there == 0 &&
           verd__buffer_size(ws->buffer) == 0;
}

static intptr_t receive(void)
{
    verd_websocket_message message;
    int result = verd_websocket_receive(ws, &message);
    return result == 1 ? message.data[0] : result_of(result);
}

/* What has been written moves on to the other end's system, for a while. */
static void connect_full_websocket(void)
{
    int little = 4096;
    connect_websocket();
    struct pollfd poller = {.fd = ws->stream->fd, .events = POLLOUT};
    must(setsockopt(other, SOL_SOCKET, SO_RCVBUF, &little, sizeof little) == 0 &&
             setsockopt(poller.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little) == 0,
         "setsockopt");
    do
        fill(poller.fd);
    while (poll(&poller, 1, 50) == 1);
    fill(poller.fd);
}

static void make_room(void)
{
    struct pollfd poller = {.fd = ws->stream->fd, .events = POLLOUT};
    do
        drain(other);
    while (poll(&poller, 1, 1) == 0);
}

static intptr_t send_byte(void)
{
    return result_of(verd_websocket_send(ws, VERD_WEBSOCKET_BINARY, "y", 1));
}

static intptr_t send_ping(void)
{
    return result_of(verd_websocket_ping(ws, "y", 1));
}

/* What is masked for each frame anew, ends the stream. */
static bool one_frame_was_sent(void)
{
    enum { FRAME = 2 + 4 + 1 };
    char bytes[1 << 16], last[FRAME] = "";
    struct pollfd poller = {.fd = other, .events = POLLIN};
    ssize_t n;
    while (poll(&poller, 1, 50) == 1 && (n = recv(other, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            for (int j = 0; j + 1 < FRAME; j++)
                last[j] = last[j + 1];
            last[FRAME - 1] = bytes[i];
        }
    }
    return (last[1] & 0xff) == 0x81 && (last[6] ^ last[2]) == 'y';
}

#define HANDLER(name, what, start_, call_, event, result) \
    {.call = name,                                        \
     .when = what,                                        \
     .start = start_,                                     \
     .make = call_,                                       \
     .right = result,                                     \
     .provoke = event,                                    \
     .arrive = await_guest,                               \
     .traits = ALONE | FLEETING}

#define OUTPUT(name, call_)           \
    {.call = name,                    \
     .when = "room",                  \
     .setup = connect_full_websocket, \
     .make = call_,                   \
     .provoke = make_room,            \
     .whole = one_frame_was_sent,     \
     .traits = ALONE | BOUND}

static const struct row rows[] = {
    HANDLER("verd_serve_next", "a client's next request", start_handler, await_next, speak, 1),
    HANDLER("verd_http_gone", "the client's leaving", start_reply, await_leaving, leave, 1),
    HANDLER("verd_http_pause", "the client's leaving", start_reply, pause_until_leaving, leave, 1),
    HANDLER("verd_http_read", "bytes once it has upgraded", start_upgraded, read_upgraded, speak,
            'x'),
    {.call = "verd_websocket_receive",
     .when = "a message",
     .setup = connect_websocket,
     .make = receive,
     .right = 'x',
     .provoke = send_message,
     .arrive = await_message,
     .untouched = has_no_message,
     .whole = has_no_message,
     .traits = ALONE | BOUND},
    OUTPUT("verd_websocket_send", send_byte),
    OUTPUT("verd_websocket_ping", send_ping),
};

const struct rows rows_of_http = ROWS(rows);
