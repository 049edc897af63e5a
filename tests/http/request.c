/* SPDX-License-Identifier: MIT */

/* Requests as they come over a connection: one after the other, together, and in pieces. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "process.h"
#include "site.h"

static struct site site;

Test(http, a_get_is_answered)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask(&site, GET), HELLO);
    site_close(&site);
}

Test(http, a_reply_has_the_date)
{
    char text[256] = "";
    int day, year, hour, minute, second;
    char weekday[4], month[4];
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    verd_read(fd, text, sizeof text - 1);
    cr_assert_eq(sscanf(text, "HTTP/1.1 200 OK\r\nDate: %3s, %2d %3s %4d %2d:%2d:%2d GMT", weekday,
                        &day, month, &year, &hour, &minute, &second),
                 7, "%s", text);
    cr_expect_geq(year, 2020);
    verd_close(fd);
    site_close(&site);
}

Test(http, the_handler_sees_the_parts_of_a_request)
{
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(
        ask(&site, "PUT /a/b?c=d HTTP/1.1\r\nHost: h:80\r\nContent-Length: 4\r\n\r\nbody"),
        OK("28", "PUT h:80 /a/b c=d 1.1 [body]"));
    cr_expect_str_eq(ask(&site, "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"),
                     OK("20", "GET other / - 1.1 []"));
    site_close(&site);
}

static int handle_fields(verd_http_exchange *x, void *ctx)
{
    char text[256];
    size_t count;
    const verd_http_field *fields = verd_http_headers(x, &count);
    (void)ctx;
    int size =
        snprintf(text, sizeof text, "%zu %s=%s %s %d", count, fields[1].name, fields[1].value,
                 verd_http_header(x, "X-TWO"), verd_http_header(x, "x-three") == NULL);
    return verd_http_reply(x, 200, "text/plain", text, (size_t)size);
}

Test(http, the_handler_sees_the_fields)
{
    site_open(&site, handle_fields, NULL);
    cr_expect_str_eq(ask(&site, "GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-two: 2\r\n\r\n"),
                     OK("13", "3 X-One=1 2 1"));
    site_close(&site);
}

static int handle_length(verd_http_exchange *x, void *ctx)
{
    uint64_t length = verd_http_length(x);
    char text[32];
    (void)ctx;
    int size = snprintf(text, sizeof text, "%d", length == VERD_HTTP_CHUNKED ? -1 : (int)length);
    return verd_http_reply(x, 200, "text/plain", text, (size_t)size);
}

Test(http, the_handler_sees_how_long_the_body_is)
{
    site_open(&site, handle_length, NULL);
    cr_expect_str_eq(ask(&site, GET), OK("1", "0"));
    cr_expect_str_eq(ask(&site, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
                     OK("1", "3"));
    cr_expect_str_eq(
        ask(&site, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        OK("2", "-1"));
    site_close(&site);
}

static int handle_peer(verd_http_exchange *x, void *ctx)
{
    socklen_t length;
    const struct sockaddr *peer = verd_http_peer(x, &length);
    (void)ctx;
    const char *text = peer->sa_family == AF_INET && length == 16 ? "yes" : "no";
    return verd_http_reply(x, 200, "text/plain", text, strlen(text));
}

Test(http, the_handler_sees_the_address_of_the_client)
{
    site_open(&site, handle_peer, NULL);
    cr_expect_str_eq(ask(&site, GET), OK("3", "yes"));
    site_close(&site);
}

/* ---- connections that are kept ---- */

Test(http, a_connection_is_kept_for_the_next_request)
{
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    for (int i = 0; i < 3; i++) {
        say(fd, GET);
        cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    }
    cr_expect_eq(verd_http_connections(site.server), 1);
    verd_close(fd);
    site_close(&site);
}

#define HELLO_WITH(field) \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" field "\r\n\r\nhello"

Test(http, a_client_may_ask_for_the_end_of_the_connection)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask_and_stay(&site, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
                     HELLO_WITH("Connection: close"));
    site_close(&site);
}

Test(http, a_connection_of_http_1_0_is_kept_only_if_the_client_asks)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask_and_stay(&site, "GET / HTTP/1.0\r\n\r\n"),
                     HELLO_WITH("Connection: close"));
    int fd = site_connect(&site);
    for (int i = 0; i < 2; i++) {
        say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        cr_expect_str_eq(hear_some(fd, HELLO_WITH("Connection: keep-alive")),
                         HELLO_WITH("Connection: keep-alive"));
    }
    verd_close(fd);
    site_close(&site);
}

static int handle_and_close(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_add(x, "connection", "close");
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

Test(http, a_handler_may_ask_for_the_end_of_the_connection)
{
    site_open(&site, handle_and_close, NULL);
    cr_expect_str_eq(ask_and_stay(&site, GET GET), HELLO_WITH("Connection: close"));
    site_close(&site);
}

/* ---- many at once, and in pieces ---- */

#define TWO                                                             \
    "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"     \
    "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" \
    "3;x=y\r\nsec\r\n3\r\nond\r\n0\r\nTrailer: dropped\r\n\r\n"         \
    "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n"
#define TWO_ANSWERS                      \
    OK("23", "POST h /1 - 1.1 [first]")  \
    OK("24", "POST h /2 - 1.1 [second]") \
    OK("17", "GET h /3 - 1.1 []")

Test(http, pipelined_requests_with_bodies_are_answered_in_their_order)
{
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(ask(&site, TWO), TWO_ANSWERS);
    site_close(&site);
}

Test(http, requests_may_come_in_two_pieces_cut_anywhere)
{
    size_t size = sizeof TWO - 1, step = process_is_translated() ? 7 : 1;
    site_open(&site, handle_echo, NULL);
    for (size_t cut = 1; cut < size; cut += step) {
        int fd = site_connect(&site);
        verd_write_full(fd, TWO, cut, NULL);
        settle();
        verd_write_full(fd, &TWO[cut], size - cut, NULL);
        verd_shutdown(fd, SHUT_WR);
        const char *answers = hear(fd);
        cr_assert_str_eq(answers, TWO_ANSWERS, "cut at %zu: %s", cut, answers);
    }
    site_close(&site);
}

Test(http, requests_may_come_in_single_bytes)
{
    size_t size = sizeof TWO - 1;
    site_open(&site, handle_echo, NULL);
    int fd = site_connect(&site);
    for (size_t i = 0; i < size; i++) {
        verd_write_full(fd, &TWO[i], 1, NULL);
        settle();
    }
    verd_shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(fd), TWO_ANSWERS);
    site_close(&site);
}

static void *write_all(void *arg)
{
    struct call *call = arg;
    for (int i = 0; i < 2000; i++)
        say(call->fd, GET);
    verd_shutdown(call->fd, SHUT_WR);
    return NULL;
}

Test(http, a_flood_of_pipelined_requests_is_answered_one_by_one)
{
    struct call call;
    size_t count = 0;
    site_open(&site, handle_hello, NULL);
    call.fd = site_connect(&site);
    call.thread = verd_spawn(write_all, &call);
    const char *text = hear(call.fd);
    while ((text = strstr(text, "hello")) != NULL) {
        text += 5;
        count++;
    }
    cr_expect_eq(count, 2000);
    verd_join(call.thread, NULL);
    site_close(&site);
}

Test(http, a_head_may_be_longer_than_a_buffer)
{
    static char text[60000];
    size_t size = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 50; i++)
        size += (size_t)sprintf(text + size, "X-%d: %01000d\r\n", i, i);
    strcpy(text + size, "\r\n");
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(ask(&site, text), OK("16", "GET h / - 1.1 []"));
    site_close(&site);
}

Test(http, a_client_that_leaves_in_the_middle_of_a_head_is_not_answered)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask(&site, "GET / HTTP/1.1\r\nHost"), "");
    cr_expect_str_eq(ask(&site, ""), "");
    site_close(&site);
}
