/* SPDX-License-Identifier: MIT */

/* Fields behind a body in chunks: of a request, for its handler; and of a reply, for the client. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static ssize_t outcomes[8];

/* Says what there is before and behind the body. */
static int tell(verd_http_exchange *x, void *ctx)
{
    char text[256] = "", *end = text;
    size_t count = 7, size;
    (void)ctx;
    cr_expect(verd_http_trailers(x, &count) == NULL && count == 0);
    cr_expect_null(verd_http_trailer(x, "sum"));
    if (verd_http_body(x, 100, &size) == NULL)
        return -1;
    const verd_http_field *fields = verd_http_trailers(x, &count);
    const char *sum = verd_http_trailer(x, "SUM");
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s=%s;", fields[i].name, fields[i].value);
    sprintf(end, "%zu %s", size, sum != NULL ? sum : "-");
    return verd_http_reply(x, 200, NULL, text, strlen(text));
}

#define POST(behind)                                                                           \
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" behind \
    "\r\n"
#define TOLD(size, text) "HTTP/1.1 200 OK\r\nContent-Length: " size "\r\n\r\n" text

Test(http, a_handler_gets_the_trailers_of_its_request_and_no_others)
{
    site_open(&site, tell, NULL);
    cr_expect_str_eq(ask(&site, POST("Sum: 1 \r\nB:\r\nsum: 2\r\n") POST("") GET),
                     TOLD("18", "Sum=1;B=;sum=2;3 1") TOLD("3", "3 -") TOLD("3", "0 -"));
    site_close(&site);
}

Test(http, what_trailers_say_of_the_message_does_not_count)
{
    site_open(&site, tell, NULL);
    cr_expect_str_eq(ask(&site, POST("Content-Length: 9\r\nConnection: close\r\n") POST("")),
                     TOLD("37", "Content-Length=9;Connection=close;3 -") TOLD("3", "3 -"));
    site_close(&site);
}

static const char *status_of(const char *request)
{
    static char line[64];
    const char *heard = ask(&site, request);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(heard, "\r"), heard);
    return line;
}

Test(http, trailers_of_a_request_have_the_bounds_of_its_fields)
{
    static const verd_http_options options = {.limits = {.line = 64, .header = 100, .fields = 3}};
    site_open(&site, tell, &options);
    cr_expect_str_eq(status_of(POST("a: 1\r\nb: 2\r\nc: 3\r\n")), "HTTP/1.1 200 OK");
    cr_expect_str_eq(status_of(POST("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n")),
                     "HTTP/1.1 413 Content Too Large");
    cr_expect_str_eq(status_of(POST("a: 1\r\n b\r\n")), "HTTP/1.1 400 Bad Request");
    site_close(&site);
}

/* ---- replies ---- */

static int reply_with_trailers(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    outcomes[0] = outcome(verd_http_add_trailer(x, "Early", "1"));
    verd_http_add(x, "Trailer", "Sum");
    if (verd_http_begin(x, 200, VERD_HTTP_CHUNKED) != 0)
        return -1;
    outcomes[1] = outcome(verd_http_add_trailer(x, "Sum", "6"));
    verd_http_write(x, "abc", 3);
    if (strcmp(verd_http_path(x), "/flushed") == 0)
        verd_http_flush(x);
    outcomes[2] = outcome(verd_http_add_trailer(x, "Why", "all is well"));
    outcomes[3] = outcome(verd_http_add_trailer(x, "content-length", "3"));
    outcomes[4] = outcome(verd_http_add_trailer(x, "A", "b\r\nC: d"));
    outcomes[5] = outcome(verd_http_add_trailer(x, NULL, "b"));
    return 0;
}

#define HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"
#define BODY "3\r\nabc\r\n0\r\nSum: 6\r\nWhy: all is well\r\n\r\n"

Test(http, a_reply_has_trailers_behind_its_last_chunk)
{
    site_open(&site, reply_with_trailers, NULL);
    cr_expect_str_eq(ask(&site, GET "GET /flushed HTTP/1.1\r\nHost: h\r\n\r\n"),
                     HEAD BODY HEAD BODY);
    cr_expect(outcomes[0] == -EINVAL && outcomes[1] == 0 && outcomes[2] == 0);
    cr_expect(outcomes[3] == -EINVAL && outcomes[4] == -EINVAL && outcomes[5] == -EINVAL);
    site_close(&site);
}

Test(http, a_reply_that_has_no_chunks_has_no_trailers)
{
    site_open(&site, reply_with_trailers, NULL);
    cr_expect_str_eq(ask(&site, "GET / HTTP/1.0\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\nTrailer: Sum\r\n\r\nabc");
    cr_expect_str_eq(ask(&site, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), HEAD);
    cr_expect_eq(outcomes[1], 0);
    site_close(&site);
}

static int reply_of_known_length(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, 3);
    outcomes[0] = outcome(verd_http_add_trailer(x, "Sum", "6"));
    return verd_http_write(x, "abc", 3);
}

Test(http, a_reply_whose_length_was_said_has_no_trailers)
{
    site_open(&site, reply_of_known_length, NULL);
    cr_expect_str_eq(ask(&site, GET), TOLD("3", "abc"));
    cr_expect_eq(outcomes[0], -EINVAL);
    site_close(&site);
}

Test(http, the_trailers_of_a_reply_reach_the_client)
{
    char url[64];
    site_open(&site, reply_with_trailers, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", site.port);
    verd_http_response *response = verd_http_get(url, NULL);
    cr_assert_not_null(response);
    cr_expect_str_eq(verd_http_response_body(response, 100, NULL), "abc");
    cr_expect_str_eq(verd_http_response_trailer(response, "why"), "all is well");
    verd_http_response_free(response);
    verd_http_client_close_idle(NULL);
    site_close(&site);
}
