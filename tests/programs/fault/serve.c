/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT "some bytes"

/* ---- servers ---- */

static int reflect(int client)
{
    char text[sizeof TEXT];
    int error = 0;
    if (!twice(&error, verd_read_full(client, text, sizeof text, NULL))) {
        must(errno == ECANCELED); /* half a connection: the server is stopped */
        return error;
    }
    must(twice(&error, verd_write_full(client, text, sizeof text, NULL)));
    return error;
}

static void handle(int client, void *ctx)
{
    *(int *)ctx = either(*(int *)ctx, reflect(client));
}

static int serve(void)
{
    int listener = -1, port = -1, client = -1, handled = 0, error = 0;
    char text[sizeof TEXT] = TEXT;
    verd_server *server = NULL;
    must(twice(&error, listener = verd_listen("127.0.0.1", 0, 0)));
    must(twice(&error, port = verd_port(listener)));
    must(twice(&error, (server = verd_serve(listener, handle, &handled, NULL)) ? 0 : -1));
    client = verd_connect("127.0.0.1", port);
    if (client < 0) { /* the handler of half a connection would wait for the rest */
        error = errno;
        must(verd_serve_stop(server, 0) == 0 || errno != 0);
        must(verd_serve_wait(server) == 0 && verd_serve_free(server) == 0);
        return error;
    }
    must(twice(&error, verd_write_full(client, text, sizeof text, NULL)));
    must(twice(&error, verd_read_full(client, text, sizeof text, NULL)) && !strcmp(text, TEXT));
    error = either(error, error_of(verd_close(client)));
    must(twice(&error, verd_serve_stop(server, VERD_FOREVER)));
    must(verd_serve_wait(server) == 0 && verd_serve_free(server) == 0);
    return either(error, handled);
}

/* ---- HTTP ---- */

/* Gives the body back, in parts, unless the path asks for something else. */
static int answer(verd_http_exchange *exchange, void *ctx)
{
    size_t size;
    (void)ctx;
    char *body = verd_http_body(exchange, 100, &size);
    if (body == NULL)
        return -1;
    if (strcmp(verd_http_path(exchange), "/whole") == 0)
        return verd_http_reply(exchange, 200, "text/plain", TEXT, sizeof TEXT - 1);
    if (strcmp(verd_http_path(exchange), "/away") == 0) {
        if (verd_http_add(exchange, "Location", "/whole") != 0)
            return -1;
        return verd_http_reply(exchange, 302, NULL, NULL, 0);
    }
    if (verd_http_begin(exchange, 200, VERD_HTTP_CHUNKED) != 0)
        return -1;
    return verd_http_write(exchange, body, size);
}

static void note(void *ctx, const verd_http_entry *entry)
{
    *(int *)ctx += entry->status;
}

/* One request, and the whole of the response. Anything but what was asked for is an error. */
static int ask_once(const char *method, const char *url, const verd_http_request_options *options)
{
    verd_http_response *response = verd_http_request(method, url, options);
    if (response == NULL)
        return errno;
    char *body = verd_http_response_body(response, 100, NULL);
    int error = body == NULL ? errno : verd_http_response_status(response) != 200 ? EPROTO : 0;
    must(error != 0 || strcmp(body, TEXT) == 0);
    verd_http_response_free(response);
    return error;
}

/* Once more, if it fails. */
static int ask(const char *method, int port, const char *path, verd_http_client *client)
{
    verd_http_request_options options = {.client = client};
    char url[64];
    if (strcmp(method, "POST") == 0) {
        options.body = TEXT;
        options.size = sizeof TEXT - 1;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    int error = ask_once(method, url, &options);
    must(error == 0 || ask_once(method, url, &options) == 0);
    return error;
}

static int ask_all(int port)
{
    static const verd_http_client_options options = {.agent = "test"};
    verd_http_client *client = NULL;
    int error = 0;
    must(twice(&error, (client = verd_http_client_new(&options)) ? 0 : -1));
    error = either(error, ask("GET", port, "/whole", client));
    error = either(error, ask("POST", port, "/parts", client));
    error = either(error, ask("GET", port, "/away", client));
    must(verd_http_client_free(client) == 0);
    return error;
}

static int http(void)
{
    int listener = -1, port = -1, logged = 0, error = 0;
    verd_http_server *server = NULL;
    verd_http_options options = {.log = note, .log_ctx = &logged};
    must(twice(&error, listener = verd_listen("127.0.0.1", 0, 0)));
    must(twice(&error, port = verd_port(listener)));
    must(twice(&error, (server = verd_http_serve(listener, answer, NULL, &options)) ? 0 : -1));
    error = either(error, ask_all(port));
    must(twice(&error, verd_http_stop(server, VERD_FOREVER)));
    must(verd_http_wait(server) == 0 && verd_http_free(server) == 0);
    must(logged >= 3 * 200 + 302);
    return error;
}

/* ---- a client without an address ---- */

static int answer_nearby(verd_http_exchange *exchange, void *ctx)
{
    sa_family_t family = verd_http_peer(exchange, NULL)->sa_family;
    (void)ctx;
    must(family == AF_UNIX || family == AF_UNSPEC);
    return verd_http_reply(exchange, 200, "text/plain", TEXT, sizeof TEXT - 1);
}

/* Asks, and reads until the connection ends. */
static int ask_nearby(const char *path)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    char text[1024];
    int error = 0, client = -1;
    must(twice(&error, client = verd_connect_unix(path)));
    must(twice(&error, verd_write_full(client, request, sizeof request - 1, NULL)));
    while (verd_read(client, text, sizeof text) > 0)
        ;
    return either(error, error_of(verd_close(client)));
}

static int http_nearby(void)
{
    char path[64];
    int listener = -1, error = 0;
    verd_http_server *server = NULL;
    snprintf(path, sizeof path, "@libverd-fault-%d", (int)getpid());
    must(twice(&error, listener = verd_listen_unix(path, 0)));
    must(twice(&error, (server = verd_http_serve(listener, answer_nearby, NULL, NULL)) ? 0 : -1));
    error = either(error, ask_nearby(path));
    must(twice(&error, verd_http_stop(server, VERD_FOREVER)));
    must(verd_http_wait(server) == 0 && verd_http_free(server) == 0);
    return error;
}

/* ---- WebSocket ---- */

static int echo(verd_http_exchange *exchange, void *ctx)
{
    verd_websocket_message message;
    verd_websocket *socket = verd_websocket_accept(exchange, NULL);
    (void)ctx;
    if (socket == NULL)
        return -1;
    while (verd_websocket_receive(socket, &message) == 1 &&
           verd_websocket_send(socket, message.type, message.data, message.size) == 0)
        ;
    verd_websocket_free(socket);
    return 0;
}

static int talk(int port)
{
    verd_websocket_message message;
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    verd_websocket *socket = verd_websocket_connect(url, NULL);
    if (socket == NULL)
        return errno;
    int error = error_of(verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, TEXT, sizeof TEXT - 1));
    if (error == 0) {
        int got = verd_websocket_receive(socket, &message);
        must(got != 1 || strcmp(message.data, TEXT) == 0);
        error = got == 1 ? 0 : got == 0 ? ECONNRESET : errno;
    }
    verd_websocket_close(socket, 1000, NULL);
    verd_websocket_free(socket);
    return error;
}

static int websocket(void)
{
    int listener = -1, port = -1, error = 0;
    verd_http_server *server = NULL;
    must(twice(&error, listener = verd_listen("127.0.0.1", 0, 0)));
    must(twice(&error, port = verd_port(listener)));
    must(twice(&error, (server = verd_http_serve(listener, echo, NULL, NULL)) ? 0 : -1));
    int failed = talk(port);
    must(failed == 0 || talk(port) == 0);
    must(twice(&error, verd_http_stop(server, VERD_FOREVER)));
    must(verd_http_wait(server) == 0 && verd_http_free(server) == 0);
    return either(error, failed);
}

#define ERRORS                                                                           \
    ENOMEM, ENOBUFS, EMFILE, ENFILE, ENOSPC, EIO, ECONNRESET, EADDRINUSE, EADDRNOTAVAIL, \
        ECONNREFUSED, ENETUNREACH, EPIPE, EPROTO

const struct scenario serve_scenarios[] = {
    {"serve", serve, .errors = {ERRORS}, .first = true},
    {"http", http, .errors = {ERRORS}, .first = true},
    {"http_nearby", http_nearby, .errors = {ERRORS}},
    {"websocket", websocket, .errors = {ERRORS, EAGAIN}},
    {0},
};
