/* SPDX-License-Identifier: MIT */

/* A handler's scopes: what has run out is told by the scope's own errno, and says nothing against the connection. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "handshake.h"
#include "site.h"

static struct site site;
static verd_event failed = VERD_EVENT_INIT;
static int first;
static ssize_t second;

static ssize_t read_within(verd_http_exchange *x, verd_duration after)
{
    char buffer[8];
    verd_timeout limit;
    verd_timeout_begin_as(&limit, after, VERD_ERROR_OWN);
    ssize_t got = verd_http_read(x, buffer, sizeof buffer);
    int error = errno;
    verd_timeout_end(&limit);
    errno = error;
    return got;
}

static int read_again(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    first = read_within(x, VERD_MS) < 0 ? errno : 0;
    verd_event_set(&failed, NULL);
    second = read_within(x, VERD_FOREVER);
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

#define POST "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"

Test(http, a_body_goes_on_after_a_scope_with_an_errno_of_its_own)
{
    site_open(&site, read_again, NULL);
    int fd = site_connect(&site);
    say(fd, POST);
    verd_event_wait(&failed, NULL);
    say(fd, "abc");
    hear(fd);
    cr_expect_eq(first, VERD_ERROR_OWN);
    cr_expect_eq(second, 3);
    site_close(&site);
}

static int give_up(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return read_within(x, VERD_MS) < 0 ? -1 : 0;
}

Test(http, a_client_that_is_too_slow_for_a_scope_with_an_errno_of_its_own_is_told_408)
{
    site_open(&site, give_up, NULL);
    int fd = site_connect(&site);
    say(fd, POST);
    cr_expect_eq(strncmp(hear(fd), "HTTP/1.1 408 ", 13), 0);
    site_close(&site);
}

/* ---- a WebSocket ---- */

static int receive_within(verd_websocket *socket, verd_duration after)
{
    verd_websocket_message message;
    verd_timeout limit;
    verd_timeout_begin_as(&limit, after, VERD_ERROR_OWN);
    int got = verd_websocket_receive(socket, &message);
    int error = errno;
    verd_timeout_end(&limit);
    errno = error;
    return got;
}

static int receive_again(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_websocket *socket = verd_websocket_accept(x, NULL);
    first = receive_within(socket, VERD_MS) < 0 ? errno : 0;
    verd_event_set(&failed, NULL);
    second = receive_within(socket, VERD_FOREVER);
    verd_websocket_free(socket);
    return 0;
}

#define MASKED_HI "\x81\x82\0\0\0\0hi"

Test(http, a_websocket_goes_on_after_a_scope_with_an_errno_of_its_own)
{
    site_open(&site, receive_again, NULL);
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    verd_event_wait(&failed, NULL);
    verd_write_full(fd, MASKED_HI, sizeof MASKED_HI - 1, NULL);
    hear(fd);
    cr_expect_eq(first, VERD_ERROR_OWN);
    cr_expect_eq(second, 1);
    site_close(&site);
}
