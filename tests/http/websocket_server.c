/* SPDX-License-Identifier: MIT */

/* How a server takes a request for a WebSocket, said byte by byte. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "handshake.h"
#include "site.h"

static struct site site;
static verd_websocket_options options;

static int accept_and_leave(verd_http_exchange *x, void *ctx)
{
    verd_websocket *socket = verd_websocket_accept(x, &options);
    (void)ctx;
    verd_websocket_free(socket);
    return socket != NULL ? 0 : -1;
}

static const char *head_of(const char *reply)
{
    static char head[1024];
    snprintf(head, sizeof head, "%.*s", (int)strcspn(reply, "\n") - 1, reply);
    return head;
}

Test(http, websocket_handshake_is_that_of_the_rfc)
{
    site_open(&site, accept_and_leave, NULL);
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    const char *heard = hear_some(fd, ANSWER);
    cr_expect_not_null(strstr(heard, "HTTP/1.1 101 Switching Protocols\r\n"));
    cr_expect_not_null(strstr(heard, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    cr_expect_not_null(strstr(heard, "Upgrade: websocket\r\n"));
    verd_close(fd);
    site_close(&site);
}

#define ASK(method, version, fields)             \
    head_of(ask(&site, method " / HTTP/" version \
                              "\r\nHost: h\r\nConnection: close, upgrade\r\n" fields "\r\n\r\n"))
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

Test(http, what_is_no_handshake_is_refused)
{
    site_open(&site, accept_and_leave, NULL);
    cr_expect_str_eq(ASK("GET", "1.1", "Upgrade: WebSocket\r\n" KEY "Sec-WebSocket-Version: 13"),
                     "HTTP/1.1 101 Switching Protocols");
    cr_expect_str_eq(ASK("GET", "1.1", "A: b"), "HTTP/1.1 426 Upgrade Required");
    cr_expect_str_eq(ASK("POST", "1.1", "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13"),
                     "HTTP/1.1 426 Upgrade Required");
    cr_expect_str_eq(ASK("GET", "1.0", "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13"),
                     "HTTP/1.1 426 Upgrade Required");
    cr_expect_str_eq(ASK("GET", "1.1", "Upgrade: h2c\r\n" KEY "Sec-WebSocket-Version: 13"),
                     "HTTP/1.1 426 Upgrade Required");
    cr_expect_not_null(
        strstr(ask(&site, "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
                          "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 8\r\n\r\n"),
               "Sec-WebSocket-Version: 13\r\n"));
    cr_expect_str_eq(ASK("GET", "1.1", "Upgrade: websocket\r\nSec-WebSocket-Version: 13"),
                     "HTTP/1.1 400 Bad Request");
    cr_expect_str_eq(ASK("GET", "1.1",
                         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: c2hvcnQ="),
                     "HTTP/1.1 400 Bad Request");
    cr_expect_str_eq(
        ASK("GET", "1.1", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY KEY "A: b"),
        "HTTP/1.1 400 Bad Request");
    cr_expect_str_eq(ASK("GET", "1.1", "Upgrade: a websocket\r\n" KEY "Sec-WebSocket-Version: 13"),
                     "HTTP/1.1 426 Upgrade Required");
    cr_expect_str_eq(ASK("GET", "1.1",
                         "Upgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Version: 8"),
                     "HTTP/1.1 426 Upgrade Required");
    site_close(&site);
}

Test(http, websocket_takes_the_first_of_its_protocols_that_was_offered)
{
    static const char *const protocols[] = {"chat.2", "chat.1", NULL};
    static const struct {
        const char *offered, *taken;
    } rows[] = {
        {"chat.1", "chat.1"},
        {"chat.1, chat.2", "chat.2"},
        {"x,chat.1,y\r\nSec-WebSocket-Protocol: chat.2", "chat.2"},
        {"chat", NULL},
        {"CHAT.1", NULL},
    };
    options.protocols = protocols;
    site_open(&site, accept_and_leave, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" KEY
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                 rows[i].offered);
        const char *field = strstr(ask(&site, request), "Sec-WebSocket-Protocol: ");
        cr_expect_eq(field == NULL, rows[i].taken == NULL, "%s", rows[i].offered);
        if (field != NULL && rows[i].taken != NULL)
            cr_expect_eq(strncmp(field + 24, rows[i].taken, strlen(rows[i].taken)), 0);
    }
    site_close(&site);
}
