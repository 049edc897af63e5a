/* SPDX-License-Identifier: MIT */

/* Handlers that fail, and bodies that nobody reads. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "http/date.h"
#include "site.h"

static struct site site;

#define POST_HEAD "POST / HTTP/1.1\r\nHost: h\r\n"
#define FAILED_HEAD                                                      \
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n" \
    "Content-Length: 26\r\n"
#define FAILED FAILED_HEAD "\r\n500 Internal Server Error\n"

/* ---- failures ---- */

static int handle_failing(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return strcmp(verd_http_path(x), "/") == 0 ? -1
                                               : verd_http_reply(x, 200, "text/plain", "hello", 5);
}

Test(http, a_handler_that_fails_makes_a_500_and_the_connection_goes_on)
{
    site_open(&site, handle_failing, NULL);
    cr_expect_str_eq(ask(&site, GET "GET /well HTTP/1.1\r\nHost: h\r\n\r\n"), FAILED HELLO);
    site_close(&site);
}

static int handle_nothing(verd_http_exchange *x, void *ctx)
{
    (void)x;
    (void)ctx;
    return 0;
}

Test(http, a_handler_that_does_not_reply_makes_a_500)
{
    site_open(&site, handle_nothing, NULL);
    cr_expect_str_eq(ask(&site, GET GET), FAILED FAILED);
    site_close(&site);
}

static int handle_second_thoughts(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_add(x, "A", "b");
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, "hello", 5);
    return -1;
}

Test(http, what_was_not_sent_yet_gives_way_to_a_500)
{
    site_open(&site, handle_second_thoughts, NULL);
    cr_expect_str_eq(ask(&site, GET GET), FAILED FAILED);
    site_close(&site);
}

static int handle_failing_late(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, "hello", 5);
    verd_http_flush(x);
    verd_http_write(x, "again", 5);
    return -1;
}

Test(http, a_handler_that_fails_late_leaves_its_reply_without_an_end)
{
    site_open(&site, handle_failing_late, NULL);
    cr_expect_str_eq(ask_and_stay(&site, GET GET),
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    site_close(&site);
}

Test(http, to_http_1_0_it_is_a_reset_that_tells_of_the_failure)
{
    site_open(&site, handle_failing_late, NULL);
    const char *text = ask_and_stay(&site, "GET / HTTP/1.0\r\n\r\n");
    cr_expect_not_null(strstr(text, "[reset]"), "%s", text);
    site_close(&site);
}

static int handle_too_little(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, 10);
    verd_http_write(x, "hello", 5);
    if (strcmp(verd_http_path(x), "/") != 0)
        verd_http_flush(x);
    return 0;
}

Test(http, less_than_was_announced_is_a_failure)
{
    site_open(&site, handle_too_little, NULL);
    cr_expect_str_eq(ask(&site, GET), FAILED);
    cr_expect_str_eq(ask_and_stay(&site, "GET /flush HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    site_close(&site);
}

static int handle_failing_after(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_reply(x, 200, "text/plain", "hello", 5);
    return -1;
}

Test(http, a_handler_that_fails_after_its_reply_ends_the_connection)
{
    site_open(&site, handle_failing_after, NULL);
    cr_expect_str_eq(ask_and_stay(&site, GET GET), HELLO);
    site_close(&site);
}

/* ---- clients that leave ---- */

static verd_semaphore go;
static ssize_t last;

static int handle_endless(verd_http_exchange *x, void *ctx)
{
    static char block[10000];
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, block, sizeof block);
    verd_semaphore_acquire(&go);
    while ((last = outcome(verd_http_write(x, block, sizeof block))) == 0) {
    }
    return -1;
}

Test(http, a_client_that_leaves_within_a_reply_ends_the_handler_with_EPIPE)
{
    site_open(&site, handle_endless, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    hear_some(fd, "HTTP");
    verd_close(fd); /* with unread bytes: that is a reset */
    verd_semaphore_release(&go);
    site_close(&site);
    cr_expect_eq(last, -EPIPE);
}

Test(http, so_does_one_that_has_read_all_there_was)
{
    site_open(&site, handle_endless, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    static char all[17 + VERD__DATE_SIZE + 28 + 2 + 6 + 10000 + 2]; /* head, chunk's line, chunk */
    cr_assert_eq(verd_read_full(fd, all, sizeof all, NULL), sizeof all);
    cr_assert_eq(drain(fd), 0);
    verd_close(fd);
    verd_semaphore_release(&go);
    site_close(&site);
    cr_expect_eq(last, -EPIPE);
}

static int handle_reading(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    last = verd_http_body(x, 100, NULL) == NULL ? -errno : 0;
    return (int)last;
}

Test(http, a_client_that_leaves_within_its_body_is_ECONNRESET)
{
    site_open(&site, handle_reading, NULL);
    ask(&site, POST_HEAD "Content-Length: 10\r\n\r\nhello");
    cr_expect_eq(last, -ECONNRESET);
    ask(&site, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhel");
    cr_expect_eq(last, -ECONNRESET);
    site_close(&site);
}

/* ---- what they leave behind ---- */

static int handle_endless_or_hello(verd_http_exchange *x, void *ctx)
{
    bool endless = strcmp(verd_http_path(x), "/endless") == 0;
    return endless ? handle_endless(x, ctx) : handle_hello(x, ctx);
}

Test(http, what_a_client_has_left_unsaid_is_not_the_beginning_of_the_next_ones_request)
{
    static const char *const left[] = {
        "GET",
        "GET / HTTP/1.1\r\nHost",
        "GET / HTTP/1.1\r\nHost: h\r\nX: ",
        "malformed\r\n" GET,
        POST_HEAD "Content-Length: 10\r\n\r\nhello",
        POST_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        POST_HEAD "Expect: 100-continue\r\nContent-Length: 10\r\n\r\nhello",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET,
    };
    site_open(&site, handle_hello, NULL);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        ask(&site, left[i]);
        cr_expect_str_eq(ask(&site, GET), HELLO, "after %s", left[i]);
    }
    site_close(&site);
}

Test(http, a_request_that_was_not_answered_is_not_the_next_clients)
{
    site_open(&site, handle_endless_or_hello, NULL);
    int fd = site_connect(&site);
    say(fd, "GET /endless HTTP/1.1\r\nHost: h\r\n\r\n" GET);
    hear_some(fd, "HTTP");
    verd_close(fd);
    verd_semaphore_release(&go);
    while (verd_http_connections(site.server) > 0)
        verd_sleep(VERD_MS);
    cr_expect_str_eq(ask(&site, GET), HELLO);
    site_close(&site);
}

/* ---- bodies that the handler leaves ---- */

Test(http, a_body_that_was_left_is_read_to_its_end)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask(&site, POST_HEAD "Content-Length: 5\r\n\r\nabcde" GET), HELLO HELLO);
    cr_expect_str_eq(ask(&site, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                          "3\r\nabc\r\n0\r\n\r\n" GET),
                     HELLO HELLO);
    site_close(&site);
}

#define HELLO_AND_CLOSE                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" \
    "Connection: close\r\n\r\nhello"

Test(http, a_body_that_is_too_long_to_drop_ends_the_connection)
{
    verd_http_options options = {.drain = 4};
    site_open(&site, handle_hello, &options);
    cr_expect_str_eq(ask_and_stay(&site, POST_HEAD "Content-Length: 5\r\n\r\nabcde" GET),
                     HELLO_AND_CLOSE);
    cr_expect_str_eq(ask_and_stay(&site, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                                   "5\r\nabcde\r\n0\r\n\r\n" GET),
                     HELLO);
    site_close(&site);
}

Test(http, a_malformed_body_that_was_left_ends_the_connection)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask_and_stay(&site, POST_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n" GET),
                     HELLO);
    site_close(&site);
}

/* ---- 100-continue ---- */

#define EXPECT POST_HEAD "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static int handle_deciding(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_semaphore_acquire(&go);
    return handle_echo(x, ctx);
}

Test(http, a_client_is_told_to_continue_when_its_body_is_first_read)
{
    site_open(&site, handle_deciding, NULL);
    int fd = site_connect(&site);
    say(fd, EXPECT);
    settle();
    cr_expect_eq(drain(fd), 0, "nobody has read yet");
    verd_semaphore_release(&go);
    cr_expect_str_eq(hear_some(fd, CONTINUE), CONTINUE);
    say(fd, "hello");
    verd_shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(fd), OK("22", "POST h / - 1.1 [hello]"));
    site_close(&site);
}

Test(http, a_client_whose_body_has_come_is_not_told_to_continue)
{
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(ask(&site, EXPECT "hello"), OK("22", "POST h / - 1.1 [hello]"));
    site_close(&site);
}

Test(http, a_client_whose_body_is_not_wanted_is_not_told_to_continue)
{
    site_open(&site, handle_hello, NULL);
    cr_expect_str_eq(ask_and_stay(&site, EXPECT), HELLO_AND_CLOSE);
    site_close(&site);
}

Test(http, a_client_of_http_1_0_is_not_told_to_continue)
{
    site_open(&site, handle_echo, NULL);
    cr_expect_str_eq(ask(&site,
                         "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
                         "ab"),
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n"
                     "Connection: close\r\n\r\nPOST  / - 1.0 [ab]");
    site_close(&site);
}
