/* SPDX-License-Identifier: MIT */
/* What a WebSocket's client waits for. The other end is the main thread. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "http/websocket.h"
#include "table.h"

/* ---- one that is connected ---- */

static verd_websocket *ws;
static const void *volatile server,
    *volatile lent; /* nobody's any more; for whoever looks for leaks */
static int other;   /* the server's end, in whose place the main thread is */

static int lend(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    lent = verd_websocket_accept(x, NULL);
    must(lent != NULL, "verd_websocket_accept");
    other = dup(verd_http_stream(x)->fd); /* which the child of a fork closes */
    verd_park();
    return 0;
}

static void connect_websocket(void)
{
    int port, listener = make_listener(&port);
    char url[64];
    server = verd_http_serve(listener, lend, NULL, NULL);
    must(server != NULL, "verd_http_serve");
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

/* ---- closing ---- */

static void answer_close(void)
{
    must(write(other, "\x88\x00", 2) == 2, "write");
}

/* Where a call has failed that had said so, the answer is still to come: it is the receiver's. */
static intptr_t close_it(void)
{
    verd_websocket_message message;
    int result = verd_websocket_close(ws, 1000, NULL);
    if (result < 0 && errno == EPIPE)
        result = verd_websocket_receive(ws, &message);
    return result_of(result);
}

/* It stays there, for those who share it with the child of a fork. */
static bool one_close_was_sent(void)
{
    enum { FRAME = 2 + 4 + 2 };
    unsigned char bytes[2 * FRAME];
    return has_no_message() && recv(other, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT) == FRAME &&
           bytes[0] == 0x88;
}

/* ---- connecting: the main thread is the server ---- */

static verd_http_client *client; /* of the OS thread's that waits */
static pid_t process;            /* whose the listener is: others have their own */
static int listener, port, guest;
static bool asking;

static void listen_here(void)
{
    if (process == getpid())
        return;
    process = getpid();
    listener = make_listener(&port);
}

static void be_client(void)
{
    client = verd_http_client_new(NULL);
    must(client != NULL, "verd_http_client_new");
    listen_here();
}

static intptr_t connect_it(void)
{
    char url[64];
    listen_here();
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    asking = true;
    verd_websocket *made = verd_websocket_connect(url, &(verd_websocket_options){.client = client});
    intptr_t result = made != NULL ? 0 : -errno;
    asking = false;
    verd_websocket_free(made);
    return result;
}

static int port_of(int fd, int (*name_of)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in name = {0};
    socklen_t length = sizeof name;
    return name_of(fd, (struct sockaddr *)&name, &length) == 0 ? name.sin_port : 0;
}

/* The other end of a connection that was accepted; -1: it is closed. */
static int client_of(int fd)
{
    int wanted = port_of(fd, getpeername), end = 1023;
    while (end >= 0 && port_of(end, getsockname) != wanted)
        end--;
    return end;
}

/* The key of a request, which comes whole. */
static void read_key(char key[VERD__KEY_SIZE])
{
    static const char name[] = "Sec-WebSocket-Key: ";
    char head[1024] = "";
    size_t size = 0;
    while (strstr(head, "\r\n\r\n") == NULL) {
        struct pollfd poller = {.fd = guest, .events = POLLIN};
        must(poll(&poller, 1, -1) == 1, "poll");
        ssize_t n = recv(guest, head + size, sizeof head - 1 - size, 0);
        must(n > 0, "a request");
        size += (size_t)n;
    }
    const char *field = strstr(head, name);
    must(field != NULL, "a key");
    memcpy(key, field + sizeof name - 1, VERD__KEY_SIZE - 1);
}

/* Those who have asked and were killed, or have given up, are not there any more. */
static void answer_handshake(void)
{
    char key[VERD__KEY_SIZE], accept[VERD__ACCEPT_SIZE], answer[512];
    listen_here();
    if (!asking)
        return;
    do {
        struct pollfd poller = {.fd = listener, .events = POLLIN};
        must(poll(&poller, 1, -1) == 1, "poll");
        guest = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        must(guest >= 0, "accept4");
    } while (client_of(guest) < 0);
    read_key(key);
    verd__handshake_sign(key, accept);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                        accept);
    must(write(guest, answer, (size_t)size) == size, "write");
}

static void await_answer(void)
{
    struct pollfd poller = {.fd = asking ? client_of(guest) : -1, .events = POLLIN};
    must(poller.fd < 0 || poll(&poller, 1, -1) == 1, "poll");
}

/* It was freed. */
static bool is_disconnected(void)
{
    return client_of(guest) < 0;
}

#define OUTPUT(name, call_)           \
    {.call = name,                    \
     .when = "room",                  \
     .setup = connect_full_websocket, \
     .make = call_,                   \
     .provoke = make_room,            \
     .whole = one_frame_was_sent,     \
     .traits = ALONE | BOUND}

static const struct row rows[] = {
    {.call = "verd_websocket_connect",
     .when = "the server's answer",
     .setup = be_client,
     .make = connect_it,
     .provoke = answer_handshake,
     .arrive = await_answer,
     .whole = is_disconnected,
     .traits = ALONE | FLEETING | BOUND | HOLDS},
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
    {.call = "verd_websocket_close",
     .when = "the other side's answer",
     .setup = connect_websocket,
     .make = close_it,
     .provoke = answer_close,
     .arrive = await_message,
     .whole = one_close_was_sent,
     .traits = ALONE | BOUND},
};

const struct rows rows_of_websockets = ROWS(rows);
