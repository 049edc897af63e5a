/* SPDX-License-Identifier: MIT */

/* Requests that are refused: the client is told why, and the connection ends. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static unsigned handled;

static int count_and_echo(verd_http_exchange *x, void *ctx)
{
    handled++;
    return handle_echo(x, ctx);
}

/* What the server answers when it refuses. */
static const char *refusal(const char *status)
{
    static char text[256];
    snprintf(text, sizeof text,
             "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n%s\n",
             status, strlen(status) + 1, status);
    return text;
}

static const char bad[] = "400 Bad Request";

/* Expects it in answer to a request, behind which another one follows that must not be served. */
static void expect_refusal(const char *request, const char *status)
{
    char text[4096];
    snprintf(text, sizeof text, "%sGET / HTTP/1.1\r\nHost: h\r\n\r\n", request);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal(status), "%s", request);
}

#define HOST " HTTP/1.1\r\nHost: h\r\n"

Test(http, malformed_requests_are_refused)
{
    static const struct {
        const char *request;
        const char *status;
    } cases[] = {
        {"POST /" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", bad},
        {"POST /" HOST "Content-Length: x\r\n\r\n", bad},
        {"POST /" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", bad},
        {"POST /" HOST "Content-Length: 5, 5\r\n\r\nhello", bad},
        {"POST /" HOST "Content-Length: -5\r\n\r\n", bad},
        {"GET / HTTP/1.1\nHost: h\r\n\r\n", bad},
        {"GET / HTTP/1.1\r\nHost: h\n\r\n", bad},
        {"GET / HTTP/1.1\r\nHost: h\rA: b\r\n\r\n", bad},
        {"GET /" HOST "A: b\r\n c\r\n\r\n", bad},
        {"GET /" HOST "A : b\r\n\r\n", bad},
        {"GET /" HOST " A: b\r\n\r\n", bad},
        {"POST /" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", bad},
        {"POST /" HOST "Transfer-Encoding: gzip\r\n\r\n", bad},
        {"POST /" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501 Not Implemented"},
        {"G@T /" HOST "\r\n", bad},
        {"GET / HTTP/1.1\r\n\r\n", bad},
        {"GET /" HOST "Host: h\r\n\r\n", bad},
        {"GET x" HOST "\r\n", bad},
        {"GET / HTTP/2.0\r\n\r\n", "505 HTTP Version Not Supported"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"},
        {"POST /" HOST "Expect: wonders\r\n\r\n", "417 Expectation Failed"},
        {"\x16\x03\x01\x02\r\n", bad}, /* TLS to a port that has none */
    };
    site_open(&site, count_and_echo, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refusal(cases[i].request, cases[i].status);
    cr_expect_eq(handled, 0);
    site_close(&site);
}

Test(http, a_null_byte_is_refused)
{
    static const char request[] = "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n";
    site_open(&site, count_and_echo, NULL);
    int fd = site_connect(&site);
    verd_write(fd, request, sizeof request - 1);
    cr_expect_str_eq(hear(fd), refusal(bad));
    cr_expect_eq(handled, 0);
    site_close(&site);
}

Test(http, malformed_chunks_are_refused)
{
    static const char *const bodies[] = {
        "x\r\n",         "-1\r\n",       "0x1\r\na\r\n", "1\na\r\n",    "1\r\nab\r\n",
        "1\r\na\n0\r\n", "0\r\nA b\r\n", "0\r\n\n",      " 1\r\na\r\n", "10000000000000000\r\n",
        "1;\x01\r\n",
    };
    site_open(&site, handle_echo, NULL);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char text[256];
        snprintf(text, sizeof text, "POST /" HOST "Transfer-Encoding: chunked\r\n\r\n%s",
                 bodies[i]);
        expect_refusal(text, bad);
    }
    site_close(&site);
}

/* It is not the handler's fault that the client has said no more. */
Test(http, a_body_that_is_cut_short_is_refused)
{
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(ask(&site, "POST /" HOST "Content-Length: 9\r\n\r\nshort"), refusal(bad));
    cr_expect_str_eq(ask(&site, "POST /" HOST "Transfer-Encoding: chunked\r\n\r\n9\r\nshort"),
                     refusal(bad));
    site_close(&site);
}

Test(http, a_request_is_answered_before_a_malformed_one_is_refused)
{
    site_open(&site, handle_hello, NULL);
    const char *text = ask_and_stay(&site, GET "malformed\r\n");
    cr_expect_eq(strncmp(text, HELLO, sizeof HELLO - 1), 0);
    cr_expect_str_eq(text + sizeof HELLO - 1, refusal(bad));
    site_close(&site);
}

/* ---- limits ---- */

Test(http, a_request_line_that_is_too_long_is_refused)
{
    static char text[9000];
    site_open(&site, count_and_echo, NULL);
    memset(text, 'a', 8300);
    memcpy(text, "GET /", 5);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("414 URI Too Long"));
    site_close(&site);
}

Test(http, a_field_that_is_too_long_is_refused)
{
    static char text[9000];
    site_open(&site, count_and_echo, NULL);
    int size = snprintf(text, sizeof text, "GET /" HOST "A: ");
    memset(text + size, 'a', 8300);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("431 Request Header Fields Too Large"));
    site_close(&site);
}

Test(http, a_header_that_is_too_long_is_refused)
{
    static char text[80000];
    site_open(&site, count_and_echo, NULL);
    size_t size = (size_t)sprintf(text, "GET /" HOST);
    while (size < 66000)
        size += (size_t)sprintf(text + size, "A: %08000d\r\n", 0);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("431 Request Header Fields Too Large"));
    site_close(&site);
}

Test(http, too_many_fields_are_refused)
{
    static char text[4096];
    site_open(&site, handle_echo, NULL);
    size_t size = (size_t)sprintf(text, "GET /" HOST);
    for (int i = 0; i < 99; i++)
        size += (size_t)sprintf(text + size, "A: b\r\n");
    strcpy(text + size, "\r\n");
    cr_expect_str_eq(ask(&site, text), OK("16", "GET h / - 1.1 []"));
    strcpy(text + size, "A: b\r\n\r\n");
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("431 Request Header Fields Too Large"));
    site_close(&site);
}

Test(http, limits_are_options)
{
    verd_http_options options = {.limits = {.line = 100, .header = 200, .fields = 2}};
    site_open(&site, count_and_echo, &options);
    char text[512];
    snprintf(text, sizeof text, "GET /%0100d" HOST "\r\n", 0);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("414 URI Too Long"));
    snprintf(text, sizeof text, "GET /" HOST "A: %0100d\r\n\r\n", 0);
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("431 Request Header Fields Too Large"));
    snprintf(text, sizeof text, "GET /" HOST "A: b\r\nC: d\r\n\r\n");
    cr_expect_str_eq(ask_and_stay(&site, text), refusal("431 Request Header Fields Too Large"));
    cr_expect_eq(handled, 0);
    site_close(&site);
}

Test(http, a_body_that_is_announced_too_large_is_refused_unread)
{
    verd_http_options options = {.body = 4};
    site_open(&site, count_and_echo, &options);
    cr_expect_str_eq(ask_and_stay(&site, "POST /" HOST "Content-Length: 5\r\n\r\nhello"),
                     refusal("413 Content Too Large"));
    cr_expect_eq(handled, 0);
    cr_expect_str_eq(ask(&site, "POST /" HOST "Content-Length: 4\r\n\r\nhell"),
                     OK("21", "POST h / - 1.1 [hell]"));
    site_close(&site);
}

Test(http, a_length_beyond_all_bounds_is_refused)
{
    verd_http_options options = {.body = VERD_HTTP_UNLIMITED};
    site_open(&site, count_and_echo, &options);
    expect_refusal("POST /" HOST "Content-Length: 99999999999999999999\r\n\r\n",
                   "413 Content Too Large");
    site_close(&site);
}

Test(http, a_chunked_body_that_gets_too_large_is_refused)
{
    verd_http_options options = {.body = 4};
    site_open(&site, handle_echo, &options);
    expect_refusal("POST /" HOST
                   "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                   "413 Content Too Large");
    site_close(&site);
}

static int handle_small(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (verd_http_body(x, 4, NULL) == NULL)
        return -1;
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

Test(http, a_body_that_is_too_large_for_the_handler_is_refused)
{
    site_open(&site, handle_small, NULL);
    expect_refusal("POST /" HOST "Content-Length: 5\r\n\r\nhello", "413 Content Too Large");
    cr_expect_str_eq(ask(&site, "POST /" HOST "Content-Length: 4\r\n\r\nhell"), HELLO);
    site_close(&site);
}

/* A client that goes on sending must still get the refusal: it is not lost to a reset. */
Test(http, a_client_that_sends_on_hears_the_refusal)
{
    static char text[200000];
    site_open(&site, handle_hello, NULL);
    int fd = site_connect(&site);
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "malformed\r\n", 11);
    say(fd, text);
    cr_expect_str_eq(hear(fd), refusal(bad));
    site_close(&site);
}
