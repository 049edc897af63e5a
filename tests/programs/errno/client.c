/* SPDX-License-Identifier: MIT */
/* <verd/http_client.h> */
#include "table.h"

#include <string.h>

#define NAME "@libverd-errno"

/* ---- a server that says the same to everyone ---- */

const char *said = "";
static bool keeps; /* the connection, rather than close it */

static void say(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char request[4096];
    must(verd_read(fd, request, sizeof request) > 0);
    must(verd_write_full(fd, said, strlen(said), NULL) == (ssize_t)strlen(said));
    if (!keeps)
        verd_close(fd);
}

static void accept_all(void *arg)
{
    int fd, listener = (int)(intptr_t)arg;
    while ((fd = verd_accept(listener, NULL, NULL)) >= 0)
        must(verd_spawn_n(say, (void *)(intptr_t)fd) == 0);
}

void say_to_all(int listener)
{
    must(listener >= 0 && verd_spawn_n(accept_all, (void *)(intptr_t)listener) == 0);
}

static void start(void)
{
    say_to_all(verd_listen_unix(NAME, 0));
}

static void say_nonsense(void)
{
    said = "nonsense\r\n\r\n";
    start();
}

static void say_too_much(void)
{
    static char text[20000] = "HTTP/1.1 200 OK\r\nA: ";
    size_t length = strlen(text);
    memset(text + length, 'a', sizeof text - 1 - length);
    said = text;
    keeps = true;
    start();
}

static void announce_too_much(void)
{
    said = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n";
    start();
}

static void say_elsewhere(void)
{
    said = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    start();
}

/* ---- asking ---- */

static verd_http_client *client;

static ssize_t give_nothing(void *ctx, void *buffer, size_t size)
{
    (void)ctx, (void)buffer, (void)size;
    return 0;
}

static const verd_http_request_options here = {.unix_path = NAME};
static const verd_http_request_options lacking = {
    .unix_path = NAME, .source = give_nothing, .length = 5};

static void make_client(void)
{
    client = verd_http_client_new(NULL);
    must(client != NULL);
}

static verd_http_response *ask_with_client(bool get)
{
    verd_http_request_options options = {.client = client, .unix_path = NAME};
    return get ? verd_http_get("http://x/", &options)
               : verd_http_request("GET", "http://x/", &options);
}

#define ASK(name, url, options)                                              \
    CALL_FOR_POINTER(request_##name, verd_http_request("GET", url, options)) \
    CALL_FOR_POINTER(get_##name, verd_http_get(url, options))

ASK(it, "http://x/", &here)
ASK(nonsense, "x", &here)
ASK(other, "ftp://x/", &here)
ASK(without_body, "http://x/", &lacking)
CALL_FOR_POINTER(request_as_stranger, ask_with_client(false))
CALL_FOR_POINTER(get_as_stranger, ask_with_client(true))
CALL_FOR_POINTER(join, verd_http_join("http://x/", "a"))
CALL_FOR_POINTER(join_nonsense, verd_http_join("x", "a"))
CALL_FOR_POINTER(join_other, verd_http_join("http://x/", "mailto:a"))

static int refuse(void *ctx, const char *host, const struct sockaddr *address, socklen_t length)
{
    (void)ctx, (void)host, (void)address, (void)length;
    return -1;
}

static verd_http_response *ask_refused(bool get)
{
    const verd_http_client_options wary = {.vet = refuse};
    verd_http_request_options options = {.client = verd_http_client_new(&wary)};
    return get ? verd_http_get("http://127.0.0.1/", &options)
               : verd_http_request("GET", "http://127.0.0.1/", &options);
}

CALL_FOR_POINTER(request_refused, ask_refused(false))
CALL_FOR_POINTER(get_refused, ask_refused(true))

/* ---- clients ---- */

static verd_http_response *response;

static void have_response(const char *text, bool open)
{
    said = text;
    keeps = open;
    start();
    make_client();
    response = ask_with_client(false);
    must(response != NULL);
}

static int new_badly(void)
{
    static const verd_http_client_options options = {.idle_time = -1};
    return verd_http_client_new(&options) == NULL ? errno : 0;
}

CALL_FOR_POINTER(new_client, verd_http_client_new(NULL))
CALL(free_client, verd_http_client_free(client))
CALL(close_idle, verd_http_client_close_idle(client))

/* ---- responses ---- */

#define OK "HTTP/1.1 200 OK\r\n"

static void have_slow(void)
{
    have_response(OK "Content-Length: 10\r\n\r\nabc", true);
}

static void have_short(void)
{
    have_response(OK "Content-Length: 10\r\n\r\nabc", false);
}

static void have_malformed(void)
{
    have_response(OK "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", true);
}

static void have_long_trailer(void)
{
    static char text[20000] = OK "Transfer-Encoding: chunked\r\n\r\n0\r\nA: ";
    size_t length = strlen(text);
    memset(text + length, 'a', sizeof text - 1 - length);
    have_response(text, true);
}

static void have_long(void)
{
    have_response(OK "Content-Length: 3\r\n\r\nabc", true);
}

static int read_all(void)
{
    char buffer[64];
    ssize_t n;
    while ((n = verd_http_response_read(response, buffer, sizeof buffer)) > 0)
        ;
    return n < 0 ? errno : 0;
}

CALL_FOR_POINTER(body, verd_http_response_body(response, 100, NULL))
CALL_FOR_POINTER(short_body, verd_http_response_body(response, 2, NULL))

#define ASKS(function, name)                                                               \
    BLOCKS(function, start, name##_it), PLAINLY(function, EINVAL, start, name##_nonsense), \
        PLAINLY(function, EPROTONOSUPPORT, start, name##_other),                           \
        PLAINLY(function, EACCES, NULL, name##_refused),                                   \
        PLAINLY(function, ECONNRESET, start, name##_it),                                   \
        PLAINLY(function, EBADMSG, say_nonsense, name##_it),                               \
        PLAINLY(function, EMSGSIZE, say_too_much, name##_it),                              \
        PLAINLY(function, EOVERFLOW, announce_too_much, name##_it),                        \
        PLAINLY(function, ELOOP, say_elsewhere, name##_it),                                \
        PLAINLY(function, EIO, start, name##_without_body),                                \
        ELSEWHERE(function, make_client, name##_as_stranger), AT_FIRST(function, name##_it)

const struct row client_rows[] = {
    AT_FIRST("verd_http_client_new", new_client),
    PLAINLY("verd_http_client_new", EINVAL, NULL, new_badly),
    PLAINLY("verd_http_client_free", EBUSY, have_slow, free_client),
    ELSEWHERE("verd_http_client_free", make_client, free_client),
    ELSEWHERE("verd_http_client_close_idle", make_client, close_idle),
    ASKS("verd_http_request", request),
    ASKS("verd_http_get", get),
    PLAINLY("verd_http_join", EINVAL, NULL, join_nonsense),
    PLAINLY("verd_http_join", EPROTONOSUPPORT, NULL, join_other),
    WITHOUT("verd_http_join", ENOMEM, NULL, join, "strndup"),

    BLOCKS("verd_http_response_read", have_slow, read_all),
    PLAINLY("verd_http_response_read", ECONNRESET, have_short, read_all),
    PLAINLY("verd_http_response_read", EBADMSG, have_malformed, read_all),
    PLAINLY("verd_http_response_read", EMSGSIZE, have_long_trailer, read_all),
    BLOCKS("verd_http_response_body", have_slow, body),
    PLAINLY("verd_http_response_body", ECONNRESET, have_short, body),
    PLAINLY("verd_http_response_body", EBADMSG, have_malformed, body),
    PLAINLY("verd_http_response_body", EMSGSIZE, have_long, short_body),
    WITHOUT("verd_http_response_body", ENOMEM, have_long, body, "realloc"),
    {0},
};
