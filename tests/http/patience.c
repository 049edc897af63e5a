/* SPDX-License-Identifier: MIT */

/* How long the client waits for a server that it has asked. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "peer.h"

static struct peer peer;

#define OK "HTTP/1.1 200 OK\r\n"
#define BRIEF (20 * VERD_MS)

static verd_http_request_options with(const verd_http_client_options *options)
{
    return (verd_http_request_options){.client = verd_http_client_new(options)};
}

Test(patience, ends_with_a_server_that_says_nothing)
{
    verd_http_request_options options = with(&(verd_http_client_options){.silence = BRIEF});
    PEER(&peer, {.text = NULL}, {.text = OK "Content-Le"},
         {.text = OK "Content-Length: 9\r\n\r\nhel"});
    cr_expect_str_eq(get_text(peer.origin, &options), strerror(ETIMEDOUT));
    cr_expect_str_eq(get_text(peer.origin, &options), strerror(ETIMEDOUT));
    const char *text = get_text(peer.origin, &options);
    cr_expect_eq(strncmp(text, "200, then ", 10), 0, "%s", text);
    cr_expect_str_eq(text + 10, strerror(ETIMEDOUT));
    cr_expect_eq(verd_http_client_connections(options.client), 0);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

Test(patience, ends_with_a_server_that_does_not_take_the_body)
{
    size_t size = (size_t)16 << 20;
    verd_http_request_options options = with(&(verd_http_client_options){.silence = BRIEF});
    options.body = calloc(1, size);
    options.size = size;
    PEER(&peer, {.text = NULL, .deaf = true});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), strerror(ETIMEDOUT));
    cr_expect_eq(verd_http_client_connections(options.client), 0);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    free((void *)(uintptr_t)options.body);
    verd_shutdown(peer.fd, SHUT_RDWR);
    peer_stop(&peer);
}

/* Gives a byte, and the end, each after a second and a fifth. */
static ssize_t give_slowly(void *ctx, void *buffer, size_t size)
{
    int *times = ctx;
    cr_assert_geq(size, 1);
    if (verd_sleep(1200 * VERD_MS) != 0)
        return -1;
    memcpy(buffer, "a", 1);
    return (*times)++ < 1;
}

Test(patience, is_the_servers_where_it_is_the_clients_turn)
{
    int times = 0;
    verd_http_request_options options = with(&(verd_http_client_options){.silence = VERD_SEC});
    options.source = give_slowly;
    options.source_ctx = &times;
    PEER(&peer, {.text = OK "Content-Length: 5\r\n\r\nhello"});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

Test(patience, ends_with_all_of_the_time)
{
    static char drops[400] = OK "Content-Length: 1000\r\n\r\n";
    static const struct reply reply = {.text = drops, .size = sizeof drops, .step = 1};
    verd_http_request_options options = with(&(verd_http_client_options){.total = BRIEF});
    peer_start(&peer, &reply, 1);
    const char *text = get_text(peer.origin, &options);
    cr_expect_not_null(strstr(text, strerror(ETIMEDOUT)), "%s", text);
    cr_expect_eq(verd_http_client_connections(options.client), 0);
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

static int hesitate(void *ctx, int fd, const char *host, verd_stream *stream)
{
    (void)ctx, (void)fd, (void)host, (void)stream;
    return verd_sleep(VERD_FOREVER);
}

Test(patience, ends_with_a_connection_that_is_not_made)
{
    verd_http_request_options options =
        with(&(verd_http_client_options){.connect_time = BRIEF, .open = hesitate});
    char url[512];
    PEER(&peer, {.text = NULL});
    snprintf(url, sizeof url, "https%s", peer.origin + 4);
    cr_expect_str_eq(get_text(url, &options), strerror(ETIMEDOUT));
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

Test(patience, may_be_without_end)
{
    verd_http_request_options options = with(&(verd_http_client_options){
        .connect_time = VERD_FOREVER, .silence = VERD_FOREVER, .total = VERD_FOREVER});
    PEER(&peer, {.text = OK "Content-Length: 5\r\n\r\nhello"});
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_eq(verd_http_client_free(options.client), 0);
    peer_stop(&peer);
}

Test(patience, is_never_negative)
{
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.connect_time = -1}));
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.silence = -1}));
    cr_expect_null(verd_http_client_new(&(verd_http_client_options){.total = -1}));
    cr_expect_eq(errno, EINVAL);
}
