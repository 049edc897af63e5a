/* SPDX-License-Identifier: MIT */

/* Time: clients and handlers that take too long. */
#include <criterion/criterion.h>
#include <string.h>

#include "call.h"
#include "site.h"

#define SOON (20 * VERD_MS)

static struct site site;
static ssize_t last;

#define TIMED_OUT                                                  \
    "HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\n" \
    "Content-Length: 20\r\nConnection: close\r\n\r\n408 Request Timeout\n"

/* Sends a byte now and then, for ever. */
static void *drip(void *arg)
{
    struct call *call = arg;
    const char *text = "GET / HTTP/1.1\r\nHost: ";
    while (verd_write(call->fd, *text != '\0' ? text : "h", 1) == 1 && verd_sleep(VERD_MS) == 0)
        text += *text != '\0';
    return NULL;
}

Test(http, a_client_that_sends_its_head_byte_by_byte_is_cut_off)
{
    verd_http_options options = {.header_time = SOON};
    struct call call;
    site_open(&site, handle_hello, &options);
    verd_duration begin = verd_now();
    call.fd = site_connect(&site);
    call.thread = verd_spawn(drip, &call);
    cr_expect_eq(strncmp(hear(call.fd), TIMED_OUT, sizeof TIMED_OUT - 1), 0);
    cr_expect_geq(verd_now() - begin, SOON);
    verd_join(call.thread, NULL);
    site_close(&site);
}

Test(http, a_client_that_sends_half_a_head_is_cut_off)
{
    verd_http_options options = {.header_time = SOON};
    site_open(&site, handle_hello, &options);
    cr_expect_str_eq(ask_and_stay(&site, "GET / HTTP/1.1\r\nHost"), TIMED_OUT);
    site_close(&site);
}

Test(http, a_client_that_sends_nothing_is_left_without_a_word)
{
    verd_http_options options = {.header_time = SOON};
    site_open(&site, handle_hello, &options);
    cr_expect_str_eq(ask_and_stay(&site, ""), "");
    cr_expect_str_eq(ask_and_stay(&site, "\r\n"), "");
    site_close(&site);
}

Test(http, a_connection_that_is_idle_for_long_ends_without_a_word)
{
    verd_http_options options = {.idle_time = SOON};
    site_open(&site, handle_hello, &options);
    verd_duration begin = verd_now();
    cr_expect_str_eq(ask_and_stay(&site, GET), HELLO);
    cr_expect_geq(verd_now() - begin, SOON);
    site_close(&site);
}

static int handle_sleeping(verd_http_exchange *x, void *ctx)
{
    (void)x;
    (void)ctx;
    last = outcome(verd_sleep(3600 * VERD_SEC));
    return (int)last;
}

Test(http, a_handler_that_takes_too_long_makes_a_503)
{
    verd_http_options options = {.request_time = SOON};
    site_open(&site, handle_sleeping, &options);
    cr_expect_str_eq(ask(&site, GET),
                     "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 24\r\n\r\n503 Service Unavailable\n");
    cr_expect_eq(last, -ETIMEDOUT);
    site_close(&site);
}

Test(http, a_client_that_is_slow_to_send_its_body_is_cut_off)
{
    verd_http_options options = {.request_time = SOON};
    site_open(&site, handle_echo, &options);
    cr_expect_str_eq(
        ask_and_stay(&site, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell"),
        TIMED_OUT);
    site_close(&site);
}

Test(http, a_client_that_does_not_read_its_reply_is_cut_off)
{
    verd_http_options options = {.request_time = SOON};
    cr_expect_eq(offer_without_end(&options), -ETIMEDOUT);
}

static int handle_upgrade(verd_http_exchange *x, void *ctx)
{
    char byte;
    (void)ctx;
    if (verd_http_upgrade(x, "p") != 0)
        return -1;
    verd_sleep(2 * SOON);
    return (int)(last = verd_http_read(x, &byte, 1));
}

Test(http, another_protocol_has_all_the_time_it_wants)
{
    verd_http_options options = {.request_time = SOON};
    site_open(&site, handle_upgrade, &options);
    int fd = site_connect(&site);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: p\r\n\r\nx");
    hear(fd);
    cr_expect_eq(last, 1);
    site_close(&site);
}

Test(http, a_duration_below_zero_is_EINVAL)
{
    int port;
    verd_http_options options = {.idle_time = -1};
    cr_expect_null(verd_http_serve(make_listener(&port), handle_hello, NULL, &options));
    cr_expect_eq(errno, EINVAL);
}

Test(http, no_limit_is_a_limit)
{
    verd_http_options options = {
        .header_time = VERD_FOREVER, .idle_time = VERD_FOREVER, .request_time = VERD_FOREVER};
    site_open(&site, handle_hello, &options);
    cr_expect_str_eq(ask(&site, GET), HELLO);
    site_close(&site);
}
