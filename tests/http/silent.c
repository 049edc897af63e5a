/* SPDX-License-Identifier: MIT */

/* Replies whose body is not sent, by handlers that write on until a write fails. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static ssize_t last;
static size_t part, written;

/* The path is "/status", of a reply whose body has no end. */
static int handle_endless(verd_http_exchange *x, void *ctx)
{
    static char block[10000];
    int status = atoi(verd_http_path(x) + 1);
    if (status == 0)
        return handle_hello(x, ctx);
    if (verd_http_begin(x, status, VERD_HTTP_CHUNKED) != 0)
        return -1;
    while ((last = outcome(verd_http_write(x, block, part))) == 0)
        written += part;
    return -1;
}

struct silent {
    char method[8];
    int status;
    size_t part;
};

static struct silent silents[] = {
    {"HEAD", 200, 10000}, {"HEAD", 200, 1}, {"GET", 204, 10000}, {"GET", 205, 1}, {"GET", 304, 1},
};

static void ask_for(int fd, const struct silent *silent)
{
    char text[64];
    part = silent->part;
    snprintf(text, sizeof text, "%s /%d HTTP/1.1\r\nHost: h\r\n\r\n", silent->method,
             silent->status);
    say(fd, text);
}

/* A client that has got its head. */
static int ask_silently(const struct silent *silent)
{
    char byte;
    int fd = site_connect(&site);
    ask_for(fd, silent);
    cr_assert_eq(verd_read(fd, &byte, 1), 1);
    return fd;
}

ParameterizedTestParameters(http, others_are_answered_beside_a_body_without_end_that_is_not_sent)
{
    return cr_make_param_array(struct silent, silents, sizeof silents / sizeof *silents);
}

ParameterizedTest(struct silent *silent, http,
                  others_are_answered_beside_a_body_without_end_that_is_not_sent)
{
    site_open(&site, handle_endless, NULL);
    int fd = ask_silently(silent);
    cr_expect_str_eq(ask(&site, GET), HELLO);
    cr_expect_eq(last, 0);
    cr_expect_eq(verd_http_stop(site.server, 0), 0);
    cr_expect_eq(last, -ECANCELED);
    cr_expect_eq(verd_http_free(site.server), 0);
    verd_close(fd);
}

ParameterizedTestParameters(http, a_client_that_leaves_ends_a_body_that_is_not_sent)
{
    return cr_make_param_array(struct silent, silents, sizeof silents / sizeof *silents);
}

ParameterizedTest(struct silent *silent, http, a_client_that_leaves_ends_a_body_that_is_not_sent)
{
    site_open(&site, handle_endless, NULL);
    verd_close(ask_silently(silent));
    while (last == 0)
        verd_yield();
    cr_expect_eq(last, -EPIPE);
    site_close(&site);
}

Test(http, a_body_that_is_not_sent_runs_out_of_time)
{
    verd_http_options options = {.request_time = 5 * VERD_MS};
    site_open(&site, handle_endless, &options);
    int fd = ask_silently(&silents[0]);
    while (last == 0)
        verd_yield();
    cr_expect_eq(last, -ETIMEDOUT);
    verd_close(fd);
    site_close(&site);
}

static int handle_long(verd_http_exchange *x, void *ctx)
{
    static char block[1000];
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    for (int i = 0; i < 100; i++) {
        if ((last = outcome(verd_http_write(x, block, sizeof block))) != 0)
            return -1;
        verd_yield();
    }
    return 0;
}

#define SILENT_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* It has ended what it says, and waits for more than this reply. */
Test(http, who_has_asked_for_more_behind_a_body_that_is_not_sent_has_not_left)
{
    site_open(&site, handle_long, NULL);
    cr_expect_str_eq(ask(&site, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
                                "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
                     SILENT_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: "
                                 "close\r\n\r\n");
    site_close(&site);
}

/* Nothing tells whether it waits for more, or has gone. */
Test(http, who_has_sent_more_and_ended_is_taken_for_gone_in_time)
{
    verd_http_options options = {.stall_time = 20 * VERD_MS, .request_time = 10 * VERD_SEC};
    char head[512];
    part = 10000;
    site_open(&site, handle_endless, &options);
    int fd = site_connect(&site);
    say(fd, "HEAD /200 HTTP/1.1\r\nHost: h\r\n\r\nX");
    cr_expect_gt(verd_read(fd, head, sizeof head), 0);
    verd_duration left = verd_now();
    verd_close(fd);
    while (last == 0)
        verd_yield();
    cr_expect_eq(last, -EPIPE);
    cr_expect_geq(verd_now() - left, options.stall_time);
    site_close(&site);
}

static bool silent_before, silent_after;

static int handle_asking(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    silent_before = verd_http_silent(x);
    verd_http_begin(x, atoi(verd_http_path(x) + 1), 0);
    silent_after = verd_http_silent(x);
    return 0;
}

Test(http, a_handler_may_ask_whether_its_body_will_be_sent)
{
    site_open(&site, handle_asking, NULL);
    ask(&site, "GET /200 HTTP/1.1\r\nHost: h\r\n\r\n");
    cr_expect(!silent_before && !silent_after);
    ask(&site, "GET /304 HTTP/1.1\r\nHost: h\r\n\r\n");
    cr_expect(!silent_before && silent_after);
    ask(&site, "HEAD /200 HTTP/1.1\r\nHost: h\r\n\r\n");
    cr_expect(silent_before && silent_after);
    site_close(&site);
}

static ssize_t outcomes[3];

static int handle_killed(verd_http_exchange *x, void *ctx)
{
    char byte;
    (void)ctx;
    verd_http_begin(x, 200, 3);
    verd_kill(verd_self());
    outcomes[0] = outcome(verd_http_write(x, "abc", 3));
    outcomes[1] = outcome(verd_http_flush(x));
    outcomes[2] = outcome(verd_http_read(x, &byte, 1));
    return -1;
}

/* Though nothing would have to be waited for. */
Test(http, a_killed_handler_neither_reads_nor_writes)
{
    site_open(&site, handle_killed, NULL);
    ask_and_stay(&site, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(outcomes[i], -ECANCELED, "%d", i);
    site_close(&site);
}
