/* SPDX-License-Identifier: MIT */

/* How a WebSocket's client asks its server to switch: as it would for a page, by an HTTP client. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "peer.h"
#include "site.h"
#include "turned.h"

static struct site site;
static verd_websocket_options server_options;
static char seen[256];    /* fields of the request */
static char protocol[16]; /* that the server has taken */

/* Greets, and echoes. */
static int greet(verd_http_exchange *x, void *ctx)
{
    verd_websocket_message message;
    const char *origin = verd_http_header(x, "Origin");
    (void)ctx;
    snprintf(seen, sizeof seen, "%s %s?%s %s", verd_http_host(x), verd_http_path(x),
             verd_http_query(x), origin != NULL ? origin : "-");
    verd_websocket *socket = verd_websocket_accept(x, &server_options);
    if (socket == NULL)
        return -1;
    const char *taken = verd_websocket_protocol(socket);
    snprintf(protocol, sizeof protocol, "%s", taken != NULL ? taken : "");
    verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, "welcome", 7);
    while (verd_websocket_receive(socket, &message) == 1)
        verd_websocket_send(socket, message.type, message.data, message.size);
    verd_websocket_free(socket);
    return 0;
}

static const char *url_of(const char *scheme)
{
    static char url[64];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d/a?b", scheme, site.port);
    return url;
}

static verd_websocket *join(const char *scheme, const verd_websocket_options *options)
{
    verd_websocket *client = verd_websocket_connect(url_of(scheme), options);
    cr_assert_not_null(client, "%s", strerror(errno));
    return client;
}

static void expect_to_hear(verd_websocket *client, const char *text)
{
    verd_websocket_message message = {0};
    cr_expect_eq(verd_websocket_receive(client, &message), 1);
    cr_expect_str_eq(message.data, text);
}

static ssize_t outcome_of(const char *url, const verd_websocket_options *options)
{
    verd_websocket *client = verd_websocket_connect(url, options);
    int error = errno;
    verd_websocket_free(client);
    return client == NULL ? -error : 0;
}

static const char *url_of_peer(const struct peer *peer)
{
    static char url[160];
    snprintf(url, sizeof url, "ws%s/", strchr(peer->origin, ':'));
    return url;
}

/* ---- what is said ---- */

Test(http, websocket_client_says_what_it_is_told_to)
{
    static const char *const offered[] = {"one", "two", NULL}, *const known[] = {"two", NULL};
    static const verd_http_field field = {"Origin", "http://example.com"};
    verd_websocket_options options = {.protocols = offered, .fields = &field, .field_count = 1};
    char expected[128];
    int status = 0;
    options.status = &status;
    server_options.protocols = known;
    site_open(&site, greet, NULL);
    verd_websocket *client = join("ws", &options);
    snprintf(expected, sizeof expected, "127.0.0.1:%d /a?b http://example.com", site.port);
    cr_expect_str_eq(seen, expected);
    cr_expect_str_eq(verd_websocket_protocol(client), "two");
    cr_expect_str_eq(protocol, "two");
    cr_expect_eq(status, 101);
    expect_to_hear(client, "welcome");
    verd_websocket_free(client);
    site_close(&site);
}

Test(http, websocket_client_takes_no_other_answer)
{
    int status = 0;
    struct peer peer;
    verd_websocket_options options = {.status = &status};
    PEER(&peer, {.text = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
         {.text =
              "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
         {.text = "nonsense\r\n\r\n"}, {.text = NULL, .close = true});
    const char *url = url_of_peer(&peer);
    cr_expect_eq(outcome_of(url, &options), -EPROTO);
    cr_expect_eq(status, 404);
    cr_expect_eq(outcome_of(url, &options), -EPROTO);
    cr_expect_eq(outcome_of(url, NULL), -EBADMSG);
    cr_expect_eq(outcome_of(url, &options), -ECONNRESET);
    cr_expect_eq(status, 0);
    cr_expect_eq(peer.requests, 4);
    cr_expect_not_null(strstr(peer.heard[0], "GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
    cr_expect_not_null(strstr(peer.heard[0], "Upgrade: websocket\r\n"));
    const char *key = strstr(peer.heard[0], "Sec-WebSocket-Key: ");
    const char *other = strstr(peer.heard[1], "Sec-WebSocket-Key: ");
    cr_expect(key != NULL && other != NULL && strncmp(key, other, 43) != 0);
    peer_stop(&peer);
}

Test(http, websocket_urls_and_options_that_are_none)
{
    static const verd_http_field own = {"Sec-WebSocket-Key", "a"}, bad = {"A", "b\nc"};
    static const char *const names[] = {"a b", NULL};
    cr_expect_eq(outcome_of(NULL, NULL), -EINVAL);
    cr_expect_eq(outcome_of("http://127.0.0.1/", NULL), -EPROTONOSUPPORT);
    cr_expect_eq(outcome_of("wss://127.0.0.1/", NULL), -EPROTONOSUPPORT);
    cr_expect_eq(outcome_of("ws:/127.0.0.1/", NULL), -EINVAL);
    cr_expect_eq(outcome_of("ws://a@127.0.0.1/", NULL), -EINVAL);
    cr_expect_eq(outcome_of("ws://127.0.0.1/", &(verd_websocket_options){.idle_time = -1}),
                 -EINVAL);
    cr_expect_eq(outcome_of("ws://127.0.0.1/", &(verd_websocket_options){.protocols = names}),
                 -EINVAL);
    cr_expect_eq(
        outcome_of("ws://127.0.0.1/", &(verd_websocket_options){.fields = &own, .field_count = 1}),
        -EINVAL);
    cr_expect_eq(
        outcome_of("ws://127.0.0.1/", &(verd_websocket_options){.fields = &bad, .field_count = 1}),
        -EINVAL);
}

/* ---- the HTTP client by which it asks ---- */

/* The options of a WebSocket that asks by a client with these. */
static verd_websocket_options by(const verd_http_client_options *options)
{
    verd_http_client *client = verd_http_client_new(options);
    cr_assert_not_null(client);
    return (verd_websocket_options){.client = client};
}

static int asked;

static int refuse_address(void *ctx, const char *host, const struct sockaddr *address,
                          socklen_t length)
{
    (void)ctx, (void)address, (void)length;
    cr_expect_str_eq(host, "127.0.0.1");
    asked++;
    errno = EHOSTDOWN;
    return -1;
}

Test(http, websocket_address_is_vetted)
{
    verd_websocket_options options = by(&(verd_http_client_options){.vet = refuse_address});
    site_open(&site, greet, NULL);
    cr_expect_eq(outcome_of(url_of("ws"), &options), -EHOSTDOWN);
    cr_expect_eq(asked, 1);
    cr_expect_str_eq(seen, "");
    cr_expect_eq(verd_http_client_free(options.client), 0);
    site_close(&site);
}

Test(http, websocket_server_that_does_not_answer_is_given_up)
{
    struct peer peer;
    PEER(&peer, {.text = NULL});
    verd_websocket_options options = by(&(verd_http_client_options){.silence = 10 * VERD_MS});
    verd_duration begin = verd_now();
    cr_expect_eq(outcome_of(url_of_peer(&peer), &options), -ETIMEDOUT);
    cr_expect_geq(verd_now() - begin, 10 * VERD_MS);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

Test(http, websocket_answer_has_the_limits_of_its_client)
{
    verd_websocket_options options = by(&(verd_http_client_options){.limits = {.line = 40}});
    site_open(&site, greet, NULL);
    cr_expect_eq(outcome_of(url_of("ws"), &options), -EMSGSIZE);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    site_close(&site);
}

Test(http, websocket_is_not_limited_once_it_is_connected)
{
    verd_websocket_options options =
        by(&(verd_http_client_options){.silence = VERD_SEC, .total = VERD_SEC, .connections = 1});
    site_open(&site, greet, NULL);
    verd_websocket *first = join("ws", &options), *second = join("ws", &options);
    expect_to_hear(first, "welcome");
    expect_to_hear(second, "welcome");
    cr_expect_eq(verd_http_client_connections(options.client), 2);
    cr_expect_eq(outcome(verd_http_client_free(options.client)), -EBUSY);
    verd_sleep(VERD_SEC + VERD_MS);
    cr_expect_eq(verd_websocket_send(first, VERD_WEBSOCKET_TEXT, "hello", 5), 0);
    expect_to_hear(first, "hello");
    verd_websocket_free(first);
    verd_websocket_free(second);
    cr_expect_eq(verd_http_client_connections(options.client), 0);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    site_close(&site);
}

/* ---- streams of the user's ---- */

static int open_client(void *ctx, int fd, const char *host, verd_stream *stream)
{
    cr_expect_str_eq(host, "127.0.0.1");
    return open_turned(ctx, fd, stream);
}

Test(http, websocket_goes_over_streams_of_the_users)
{
    static char block[300000];
    static const verd_http_options http = {.open = open_turned};
    verd_websocket_options options = by(&(verd_http_client_options){.open = open_client});
    verd_websocket_message message;
    site_open(&site, greet, &http);
    verd_websocket *client = join("wss", &options);
    expect_to_hear(client, "welcome");
    cr_expect_eq(verd_websocket_send(client, VERD_WEBSOCKET_BINARY, block, sizeof block), 0);
    cr_expect(verd_websocket_receive(client, &message) == 1 && message.size == sizeof block);
    cr_expect_eq(verd_websocket_close(client, 1000, NULL), 0);
    verd_websocket_free(client);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    site_close(&site);
}
