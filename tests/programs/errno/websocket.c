/* SPDX-License-Identifier: MIT */
/* <verd/websocket.h> */
#include "table.h"

#include <stdio.h>
#include <string.h>

/* ---- a handler that makes a call on its WebSocket ---- */

static int (*call_in_handler)(verd_http_exchange *exchange);
static verd_websocket *ws;
static verd_thread *receiver; /* another; NULL: none */
static verd_websocket_message message;
static verd_websocket_options options;

static int call_and_free(verd_http_exchange *exchange)
{
    int result = call_in_handler(exchange);
    verd_kill(receiver);
    verd_join(receiver, NULL);
    receiver = NULL;
    verd_websocket_free(ws);
    return result;
}

static int handled_by(const char *request, bool waits, int (*call)(verd_http_exchange *))
{
    call_in_handler = call;
    return handled(request, waits, call_and_free);
}

#define HANDLED(name, request, waits, expression)             \
    static int name##_in_handler(verd_http_exchange *x)       \
    {                                                         \
        return (expression) ? 0 : errno;                      \
    }                                                         \
    static int name(void)                                     \
    {                                                         \
        return handled_by(request, waits, name##_in_handler); \
    }

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define WS                                                                       \
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
#define NONSENSE WS "\x83\x80mask"
#define LARGE WS "\x82\x82maskab"
#define MESSAGE WS "\x82\x81maska"
#define CLOSE WS "\x88\x80mask"

static bool is_ws(verd_http_exchange *x)
{
    ws = verd_websocket_accept(x, &options);
    return ws != NULL;
}

/* A WebSocket that has these options, or that lacks the next memory. */
static bool accepted(verd_http_exchange *x, size_t most, verd_duration idle_time, bool scarce)
{
    options.message = most;
    options.idle_time = idle_time;
    must(is_ws(x));
    if (scarce)
        fault_next("realloc", ENOMEM);
    return true;
}

static bool accept_without_memory_ws(verd_http_exchange *x)
{
    fault_next("calloc", ENOMEM);
    return is_ws(x);
}

static bool accept_gone(verd_http_exchange *x)
{
    while (verd_http_gone(x, 0) == 0) /* until the system knows that nobody reads, too */
        must(verd_http_gone(x, VERD_SEC) >= 0);
    verd_stream stream = *verd_http_stream(x);
    while (verd_stream_write(&stream, "a", 1) > 0)
        must(verd_sleep(VERD_MS) == 0);
    return is_ws(x);
}

static bool received(void)
{
    return verd_websocket_receive(ws, &message) >= 0;
}

static void *receive_apart(void *arg)
{
    received();
    return arg;
}

static bool received_by_another(void)
{
    receiver = verd_spawn(receive_apart, NULL);
    must(receiver != NULL && verd_sleep(VERD_MS) == 0);
    return true;
}

static bool is_killed(void)
{
    return verd_kill(verd_self()) == 0;
}

static verd_timeout limit;

static bool is_late(void)
{
    return verd_timeout_begin(&limit, 0), true;
}

static bool is_negative(void)
{
    options.idle_time = -1;
    return true;
}

static bool sent(void)
{
    return verd_websocket_send(ws, VERD_WEBSOCKET_BINARY, "a", 1) == 0;
}

static bool pinged(void)
{
    return verd_websocket_ping(ws, "a", 1) == 0;
}

static bool closed(void)
{
    return verd_websocket_close(ws, 1000, NULL) == 0;
}

#define SERVED accepted(x, 0, 0, false)

HANDLED(accept_unasked, GET, true, is_ws(x))
HANDLED(accept_nonsense, WS, true, is_negative() && is_ws(x))
HANDLED(accept_late, WS, true, verd_http_begin(x, 200, 0) == 0 && is_ws(x))
HANDLED(accept_to_gone, WS, false, accept_gone(x))
HANDLED(accept_without_memory, WS, true, accept_without_memory_ws(x))
HANDLED(receive_nonsense, NONSENSE, true, SERVED &&received())
HANDLED(receive_large, LARGE, true, accepted(x, 1, 0, false) && received())
HANDLED(receive_of_gone, WS, true, accepted(x, 0, VERD_MS, false) && received())
HANDLED(receive_twice, WS, true, SERVED &&received_by_another() && received())
HANDLED(receive_without_memory, MESSAGE, true, accepted(x, 0, 0, true) && received())
HANDLED(receive_killed, MESSAGE, true, SERVED &&is_killed() && received())
HANDLED(receive_late, MESSAGE, true, SERVED &&is_late() && received())
HANDLED(send_nonsense, WS, true, SERVED &&verd_websocket_send(ws, 0, "a", 1) == 0)
HANDLED(send_no_text, WS, true,
        SERVED &&verd_websocket_send(ws, VERD_WEBSOCKET_TEXT, "\xff", 1) == 0)
HANDLED(send_when_closed, CLOSE, true, SERVED &&received() && sent())
HANDLED(send_killed, WS, true, SERVED &&is_killed() && sent())
HANDLED(send_late, WS, true, SERVED &&is_late() && sent())
HANDLED(ping_too_much, WS, true, SERVED &&verd_websocket_ping(ws, "a", 126) == 0)
HANDLED(ping_when_closed, CLOSE, true, SERVED &&received() && pinged())
HANDLED(ping_killed, WS, true, SERVED &&is_killed() && pinged())
HANDLED(ping_late, WS, true, SERVED &&is_late() && pinged())
HANDLED(close_nonsense, WS, true, SERVED &&verd_websocket_close(ws, 1005, NULL) == 0)
HANDLED(close_no_text, WS, true, SERVED &&verd_websocket_close(ws, 1000, "\xff") == 0)
HANDLED(close_twice, WS, true, SERVED &&received_by_another() && closed() && closed())
HANDLED(close_to_gone, WS, true, accepted(x, 0, VERD_MS, false) && closed())
HANDLED(close_killed, WS, true, SERVED &&is_killed() && closed())
HANDLED(close_late, WS, true, SERVED &&is_late() && closed())
HANDLED(close_nonsense_comes, NONSENSE, true, SERVED &&closed())
HANDLED(close_large_comes, LARGE, true, accepted(x, 1, 0, false) && closed())
HANDLED(close_without_memory, MESSAGE, true, accepted(x, 0, 0, true) && closed())

/* ---- clients ---- */

static int port;

static int make_port(void)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    must(listener >= 0);
    port = verd_port(listener);
    return listener;
}

static void say_other(void)
{
    said = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    say_to_all(make_port());
}

static void say_nonsense(void)
{
    said = "nonsense\r\n\r\n";
    say_to_all(make_port());
}

static void say_nothing(void)
{
    said = "";
    say_to_all(make_port());
}

static void say_too_much(void)
{
    static char text[20000] = "HTTP/1.1 101 Switching Protocols\r\nA: ";
    memset(text + strlen(text), 'a', sizeof text - strlen(text) - 1);
    said = text;
    say_to_all(make_port());
}

static verd_http_client *own;

static void make_own_client(void)
{
    say_nothing();
    own = verd_http_client_new(NULL);
    must(own != NULL);
}

static int stay(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    must(is_ws(x));
    return verd_websocket_receive(ws, &message);
}

static int connect_here(void)
{
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    return verd_websocket_connect(url, NULL) == NULL ? errno : 0;
}

static int connect_by_own_client(void)
{
    const verd_websocket_options by = {.client = own};
    return verd_websocket_connect("ws://127.0.0.1:1/", &by) == NULL ? errno : 0;
}

CALL_FOR_POINTER(connect_nowhere, verd_websocket_connect("ws://a b/", NULL))
CALL_FOR_POINTER(connect_otherwise, verd_websocket_connect("http://127.0.0.1/", NULL))

static verd_websocket *client;

static void connect_client(void)
{
    char url[64];
    must(verd_http_serve(make_port(), stay, NULL, NULL) != NULL);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    client = verd_websocket_connect(url, NULL);
    must(client != NULL);
}

CALL(client_send, verd_websocket_send(client, VERD_WEBSOCKET_BINARY, "a", 1))
CALL(client_ping, verd_websocket_ping(client, "a", 1))

const struct row websocket_rows[] = {
    PLAINLY("verd_websocket_accept", EPROTO, NULL, accept_unasked),
    PLAINLY("verd_websocket_accept", EINVAL, NULL, accept_nonsense),
    PLAINLY("verd_websocket_accept", EALREADY, NULL, accept_late),
    PLAINLY("verd_websocket_accept", EPIPE, NULL, accept_to_gone),
    PLAINLY("verd_websocket_accept", ENOMEM, NULL, accept_without_memory),
    PLAINLY("verd_websocket_connect", EINVAL, NULL, connect_nowhere),
    PLAINLY("verd_websocket_connect", EPROTONOSUPPORT, NULL, connect_otherwise),
    PLAINLY("verd_websocket_connect", EPROTO, say_other, connect_here),
    PLAINLY("verd_websocket_connect", EBADMSG, say_nonsense, connect_here),
    PLAINLY("verd_websocket_connect", ECONNRESET, say_nothing, connect_here),
    PLAINLY("verd_websocket_connect", EMSGSIZE, say_too_much, connect_here),
    ELSEWHERE("verd_websocket_connect", make_own_client, connect_by_own_client),
    BLOCKS("verd_websocket_connect", say_nothing, connect_here),
    WITHOUT("verd_websocket_connect", ENOMEM, say_nothing, connect_here, "calloc"),
    WITHOUT("verd_websocket_connect", EAGAIN, say_nothing, connect_here, "getrandom"),
    PLAINLY("verd_websocket_receive", EBADMSG, NULL, receive_nonsense),
    PLAINLY("verd_websocket_receive", EMSGSIZE, NULL, receive_large),
    PLAINLY("verd_websocket_receive", ECONNRESET, NULL, receive_of_gone),
    PLAINLY("verd_websocket_receive", EBUSY, NULL, receive_twice),
    PLAINLY("verd_websocket_receive", ENOMEM, NULL, receive_without_memory),
    PLAINLY("verd_websocket_receive", ECANCELED, NULL, receive_killed),
    PLAINLY("verd_websocket_receive", ETIMEDOUT, NULL, receive_late),
    PLAINLY("verd_websocket_send", EINVAL, NULL, send_nonsense),
    PLAINLY("verd_websocket_send", EILSEQ, NULL, send_no_text),
    PLAINLY("verd_websocket_send", EPIPE, NULL, send_when_closed),
    WITHOUT("verd_websocket_send", ENOMEM, connect_client, client_send, "realloc"),
    PLAINLY("verd_websocket_send", ECANCELED, NULL, send_killed),
    PLAINLY("verd_websocket_send", ETIMEDOUT, NULL, send_late),
    PLAINLY("verd_websocket_ping", EINVAL, NULL, ping_too_much),
    PLAINLY("verd_websocket_ping", EPIPE, NULL, ping_when_closed),
    WITHOUT("verd_websocket_ping", ENOMEM, connect_client, client_ping, "realloc"),
    PLAINLY("verd_websocket_ping", ECANCELED, NULL, ping_killed),
    PLAINLY("verd_websocket_ping", ETIMEDOUT, NULL, ping_late),
    PLAINLY("verd_websocket_close", EINVAL, NULL, close_nonsense),
    PLAINLY("verd_websocket_close", EILSEQ, NULL, close_no_text),
    PLAINLY("verd_websocket_close", EPIPE, NULL, close_twice),
    PLAINLY("verd_websocket_close", ECONNRESET, NULL, close_to_gone),
    PLAINLY("verd_websocket_close", ECANCELED, NULL, close_killed),
    PLAINLY("verd_websocket_close", ETIMEDOUT, NULL, close_late),
    PLAINLY("verd_websocket_close", EBADMSG, NULL, close_nonsense_comes),
    PLAINLY("verd_websocket_close", EMSGSIZE, NULL, close_large_comes),
    PLAINLY("verd_websocket_close", ENOMEM, NULL, close_without_memory),
    {0},
};
