/* SPDX-License-Identifier: MIT */

/* Handlers whose clients leave, streams of events, and what an exchange takes along. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static ssize_t gone[3];
static bool answered;

/* Asks twice without waiting, the second time when the client has left, and once until it has. */
static int watch(verd_http_exchange *x, void *ctx)
{
    char bytes[4];
    (void)ctx;
    verd_http_add(x, "Connection", "close");
    verd_http_read(x, bytes, sizeof bytes);
    gone[0] = outcome(verd_http_gone(x, 0));
    gone[1] = outcome(verd_http_gone(x, VERD_FOREVER));
    gone[2] = outcome(verd_http_gone(x, 0));
    answered = true;
    return -1;
}

static void await_answer(void)
{
    while (!answered)
        verd_sleep(VERD_MS);
}

static void leave_after(const char *request)
{
    answered = false;
    int fd = site_connect(&site);
    say(fd, request);
    while (verd_http_busy(site.server) == 0)
        verd_sleep(VERD_MS);
    settle();
    cr_expect_not(answered);
    verd_close(fd);
    await_answer();
    cr_expect(gone[0] == 0 && gone[1] == 1 && gone[2] == 1, "%zd %zd %zd", gone[0], gone[1],
              gone[2]);
}

Test(http, a_handler_learns_that_its_client_has_left)
{
    site_open(&site, watch, NULL);
    leave_after(GET);
    site_close(&site);
}

Test(http, unread_input_does_not_hide_that_a_client_has_left)
{
    site_open(&site, watch, NULL);
    leave_after(GET GET);
    leave_after("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabcdefgh");
    site_close(&site);
}

static int watch_for_a_while(verd_http_exchange *x, void *ctx)
{
    verd_timeout limit;
    (void)ctx;
    verd_duration start = verd_now();
    gone[0] = outcome(verd_http_gone(x, 20 * VERD_MS));
    cr_expect_geq(verd_now() - start, 20 * VERD_MS);
    verd_timeout_begin(&limit, VERD_MS);
    gone[1] = outcome(verd_http_gone(x, VERD_FOREVER));
    verd_timeout_end(&limit);
    return handle_hello(x, ctx);
}

Test(http, who_stays_is_not_gone)
{
    site_open(&site, watch_for_a_while, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    verd_close(fd);
    cr_expect(gone[0] == 0 && gone[1] == -ETIMEDOUT, "%zd %zd", gone[0], gone[1]);
    site_close(&site);
}

static int watch_until_killed(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    gone[0] = outcome(verd_http_gone(x, VERD_FOREVER));
    answered = true;
    return -1;
}

Test(http, a_stopped_server_ends_who_waits_for_his_client_to_leave)
{
    site_open(&site, watch_until_killed, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    while (verd_http_busy(site.server) == 0)
        verd_sleep(VERD_MS);
    settle();
    cr_expect_eq(verd_http_stop(site.server, 0), 0);
    cr_expect_eq(gone[0], -ECANCELED);
    verd_close(fd);
    verd_http_free(site.server);
}

/* ---- data of the handler's ---- */

static char logged[64];

static void log_data(void *ctx, const verd_http_entry *entry)
{
    const char *data = entry->exchange != NULL ? verd_http_data(entry->exchange) : "unreadable";
    (void)ctx;
    snprintf(logged + strlen(logged), sizeof logged - strlen(logged), "%s;",
             data != NULL ? data : "none");
}

static int set_data(verd_http_exchange *x, void *ctx)
{
    static char texts[4][8];
    static size_t next;
    char *text = texts[next++ % 4];
    (void)ctx;
    snprintf(text, sizeof texts[0], "%s", verd_http_path(x));
    if (strcmp(text, "/") != 0)
        verd_http_set_data(x, text);
    return verd_http_reply(x, 204, NULL, NULL, 0);
}

Test(http, what_a_handler_has_set_reaches_the_log_and_no_other_request)
{
    static const verd_http_options options = {.log = log_data};
    site_open(&site, set_data, &options);
    ask(&site, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" GET "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
               "nonsense\r\n\r\n");
    ask(&site, GET);
    site_close(&site);
    cr_expect_str_eq(logged, "/a;none;/b;unreadable;none;");
}

/* ---- events ---- */

static ssize_t outcomes[3];

static int send_events(verd_http_exchange *x, void *ctx)
{
    static const verd_http_event events[] = {
        {.data = "one"}, {.type = "t", .data = "a\nb\r\nc\rd", .id = "7", .retry = 1500 * VERD_MS},
        {.data = ""},    {.data = "\n"},
        {.id = ""},
    };
    (void)ctx;
    outcomes[0] = outcome(verd_http_events_send(x, &events[0]));
    if (verd_http_events_begin(x) != 0)
        return -1;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        cr_expect_eq(verd_http_events_send(x, &events[i]), 0);
    outcomes[1] = outcome(verd_http_events_send(x, &(verd_http_event){.type = "a\nb"}));
    outcomes[2] = outcome(verd_http_events_send(x, &(verd_http_event){.id = "a\rb"}));
    return verd_http_events_keep(x);
}

Test(http, events_are_written_as_browsers_read_them)
{
    site_open(&site, send_events, NULL);
    cr_expect_str_eq(ask(&site, "GET / HTTP/1.0\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n"
                     "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n"
                     "data: one\n\n"
                     "event: t\nid: 7\nretry: 1500\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
                     "data: \n\n"
                     "data: \ndata: \n\n"
                     "id: \n\n"
                     ":\n\n");
    cr_expect(outcomes[0] == -EINVAL && outcomes[1] == -EINVAL && outcomes[2] == -EINVAL);
    site_close(&site);
}

static int tick(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (verd_http_events_begin(x) != 0)
        return -1;
    do
        verd_sleep(VERD_MS);
    while (verd_http_events_keep(x) == 0);
    outcomes[0] = -errno;
    answered = true;
    return -1;
}

Test(http, a_stream_of_events_outlives_the_time_of_requests_and_ends_with_its_client)
{
    static const verd_http_options options = {.request_time = VERD_MS};
    site_open(&site, tick, &options);
    int fd = site_connect(&site);
    char bytes[400];
    say(fd, GET);
    for (size_t got = 0; got < sizeof bytes;) {
        ssize_t n = verd_read(fd, bytes + got, sizeof bytes - got);
        cr_assert_gt(n, 0);
        got += (size_t)n;
    }
    verd_close(fd);
    await_answer();
    cr_expect_eq(outcomes[0], -EPIPE);
    site_close(&site);
}
