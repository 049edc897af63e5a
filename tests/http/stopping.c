/* SPDX-License-Identifier: MIT */

/* Handlers whose replies have no end of their own, when their server is stopped: the grace is without end, so a test
 * ends because they have learnt of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "caller.h"
#include "http/websocket.h"
#include "site.h"
#include "turned.h"

static struct site site;
static struct caller stopper;
static size_t begun;
static ssize_t told[4];

static int call_stop(struct caller *self)
{
    (void)self;
    return verd_http_stop(site.server, VERD_FOREVER);
}

/* Begins to stop the server, once its handler waits. */
static void stop(void)
{
    while (begun == 0)
        verd_yield();
    settle();
    caller_start(&stopper, call_stop, NULL, NULL);
}

static void end(int fd)
{
    verd_close(fd);
    cr_expect_eq(caller_end(&stopper), 0);
    verd_http_free(site.server);
}

/* A client that has asked, and whose handler waits while the server is being stopped. */
static int ask_and_stop(verd_http_handler handler, const char *request)
{
    site_open(&site, handler, NULL);
    int fd = site_connect(&site);
    say(fd, request);
    stop();
    return fd;
}

/* ---- upgraded connections ---- */

#define UPGRADE "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: talk\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: talk\r\n\r\n"

/* Reads until it is told, and then what the client says at last. */
static int talk(verd_http_exchange *x, void *ctx)
{
    char bytes[8] = "";
    (void)ctx;
    if (verd_http_upgrade(x, "talk") != 0)
        return -1;
    begun++;
    while ((told[0] = outcome(verd_http_read(x, bytes, sizeof bytes))) > 0)
        verd_http_write(x, bytes, (size_t)told[0]);
    verd_http_write(x, "bye?", 4);
    told[1] = outcome(verd_http_read(x, bytes, sizeof bytes));
    verd_http_write(x, bytes, (size_t)told[1]);
    told[2] = outcome(verd_http_read(x, bytes, sizeof bytes));
    return 0;
}

Test(http, an_upgraded_connection_learns_once_that_the_server_stops)
{
    int fd = ask_and_stop(talk, UPGRADE);
    cr_expect_str_eq(hear_some(fd, SWITCHED "bye?"), SWITCHED "bye?");
    cr_expect_not(stopper.done);
    say(fd, "bye!");
    cr_expect_str_eq(hear_some(fd, "bye!"), "bye!");
    end(fd);
    cr_expect(told[0] == -ESHUTDOWN && told[1] == 4 && told[2] == 0, "%zd %zd %zd", told[0],
              told[1], told[2]);
}

Test(http, an_upgraded_connection_reads_first_what_has_come_unseen)
{
    site_open(&site, talk, NULL);
    int fd = site_connect(&site);
    say(fd, UPGRADE);
    hear_some(fd, SWITCHED);
    settle();
    say(fd, "unseen");
    stop();
    cr_expect_str_eq(hear_some(fd, "unseenbye?"), "unseenbye?");
    end(fd);
    cr_expect_eq(told[0], -ESHUTDOWN);
}

static int upgrade_late(verd_http_exchange *x, void *ctx)
{
    begun++;
    while (!verd_http_stopping(x))
        verd_yield();
    return talk(x, ctx);
}

Test(http, a_connection_that_is_upgraded_while_the_server_stops_learns_of_it)
{
    int fd = ask_and_stop(upgrade_late, UPGRADE "early");
    cr_expect_str_eq(hear_some(fd, SWITCHED "earlybye?"), SWITCHED "earlybye?");
    end(fd);
    cr_expect_eq(told[0], -ESHUTDOWN);
}

/* ---- replies that go on ---- */

static int tick(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    told[0] = outcome(verd_http_pause(x, 0));
    told[1] = outcome(verd_http_pause(x, VERD_MS));
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, "tick", 4);
    verd_http_flush(x);
    begun++;
    told[2] = outcome(verd_http_pause(x, VERD_FOREVER));
    told[3] = outcome(verd_http_pause(x, VERD_FOREVER));
    return 0;
}

#define TICKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntick\r\n"

Test(http, a_reply_that_goes_on_ends_when_the_server_stops)
{
    int fd = ask_and_stop(tick, GET);
    cr_expect_str_eq(hear(fd), TICKED "0\r\n\r\n");
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect(told[0] == 0 && told[1] == 0 && told[2] == 1 && told[3] == 1, "%zd %zd %zd %zd",
              told[0], told[1], told[2], told[3]);
    verd_http_free(site.server);
}

Test(http, a_reply_that_goes_on_ends_when_its_client_leaves)
{
    site_open(&site, tick, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    hear_some(fd, TICKED);
    settle();
    verd_close(fd);
    site_close(&site);
    cr_expect_eq(told[2], 1);
}

static int pause_within_a_timeout(verd_http_exchange *x, void *ctx)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    told[0] = outcome(verd_http_pause(x, VERD_FOREVER));
    told[1] = outcome(verd_http_pause(x, 0));
    verd_timeout_end(&limit);
    return handle_hello(x, ctx);
}

Test(http, a_pause_is_not_ended_by_another_timeout_than_its_own)
{
    site_open(&site, pause_within_a_timeout, NULL);
    cr_expect_str_eq(ask_and_stay(&site, "GET / HTTP/1.0\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
                     "Connection: close\r\n\r\nhello");
    cr_expect(told[0] == -ETIMEDOUT && told[1] == -ETIMEDOUT, "%zd %zd", told[0], told[1]);
    site_close(&site);
}

static int stream_events(verd_http_exchange *x, void *ctx)
{
    static const verd_http_event event = {.data = "tick"};
    (void)ctx;
    if (verd_http_events_begin(x) != 0)
        return -1;
    begun++;
    while ((told[0] = outcome(verd_http_events_send(x, &event))) == 0)
        verd_sleep(VERD_MS);
    told[1] = outcome(verd_http_events_keep(x));
    return 0;
}

Test(http, events_end_when_the_server_stops)
{
    int fd = ask_and_stop(stream_events, GET);
    const char *heard = hear(fd);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_not_null(strstr(heard, "data: tick\n\n\r\n0\r\n\r\n"), "%s", heard);
    cr_expect(told[0] == -ESHUTDOWN && told[1] == -ESHUTDOWN, "%zd %zd", told[0], told[1]);
    verd_http_free(site.server);
}

/* ---- WebSockets ---- */

static verd_websocket_options options;
static verd_websocket *serving; /* the server's end */

static int echo(verd_http_exchange *x, void *ctx)
{
    verd_websocket_message message;
    serving = verd_websocket_accept(x, &options);
    (void)ctx;
    if (serving == NULL)
        return -1;
    begun++;
    while ((told[0] = outcome(verd_websocket_receive(serving, &message))) == 1)
        told[1] = outcome(verd_websocket_send(serving, message.type, message.data, message.size));
    told[2] = verd_websocket_code(serving);
    verd_websocket_free(serving);
    return 0;
}

static verd_websocket *join(const verd_http_options *http, const char *scheme,
                            const verd_websocket_options *own)
{
    char url[64];
    site_open(&site, echo, http);
    snprintf(url, sizeof url, "%s://127.0.0.1:%d/", scheme, site.port);
    verd_websocket *client = verd_websocket_connect(url, own);
    cr_assert_not_null(client);
    settle();
    return client;
}

static void expect_to_be_told(verd_websocket *client)
{
    verd_websocket_message message;
    cr_expect_eq(verd_websocket_receive(client, &message), 0);
    cr_expect_eq(verd_websocket_code(client), 1001);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect(told[0] == 0 && told[2] == 1001, "%zd %zd", told[0], told[2]);
    verd_websocket_free(client);
    verd_http_free(site.server);
}

Test(http, a_websocket_is_closed_when_its_server_stops)
{
    verd_websocket *client = join(NULL, "ws", NULL);
    stop();
    expect_to_be_told(client);
}

Test(http, a_websocket_answers_what_has_come_before_it_is_closed)
{
    verd_websocket_message message = {0};
    verd_websocket *client = join(NULL, "ws", NULL);
    cr_expect_eq(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "unseen", 6), 0);
    stop();
    cr_expect_eq(verd_websocket_receive(client, &message), 1);
    cr_expect_str_eq(message.data, "unseen");
    expect_to_be_told(client);
    cr_expect_eq(told[1], 0);
}

/* The client does not read the Close before it has sent something. */
Test(http, a_websocket_receives_until_its_close_is_answered)
{
    verd_websocket *client = join(NULL, "ws", NULL);
    stop();
    cr_expect_eq(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "late", 4), 0);
    settle();
    cr_expect_not(stopper.done);
    expect_to_be_told(client);
    cr_expect_eq(told[1], -EPIPE);
}

Test(http, a_websocket_whose_client_does_not_answer_is_given_up)
{
    options.idle_time = 5 * VERD_MS;
    verd_websocket *client = join(NULL, "ws", NULL);
    stop();
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(told[0], -ECONNRESET);
    verd_websocket_free(client);
    verd_http_free(site.server);
}

/* It may have what is said all the time, but not for ever. What has passed is taken from the time that is left. */
Test(http, a_websocket_whose_client_goes_on_without_an_answer_is_given_up)
{
    options.idle_time = VERD_FOREVER;
    verd_websocket *client = join(NULL, "ws", NULL);
    verd_duration before = verd_now();
    stop();
    settle();
    cr_expect_leq(serving->close_by, verd_now() + VERD__WEBSOCKET_CLOSE_TIME);
    cr_expect_geq(serving->close_by, before + VERD__WEBSOCKET_CLOSE_TIME);
    serving->close_by = verd_now() + 5 * VERD_MS;
    cr_expect_eq(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "on", 2), 0);
    cr_expect_eq(caller_end(&stopper), 0);
    cr_expect_eq(told[0], -ECONNRESET);
    verd_websocket_free(client);
    verd_http_free(site.server);
}

static int open_client(void *ctx, int fd, const char *host, verd_stream *stream)
{
    (void)host;
    return open_turned(ctx, fd, stream);
}

Test(http, a_websocket_over_a_stream_of_the_users_is_closed_when_its_server_stops)
{
    static const verd_http_options http = {.open = open_turned};
    const verd_http_client_options wss = {.open = open_client};
    const verd_websocket_options own = {.client = verd_http_client_new(&wss)};
    verd_websocket *client = join(&http, "wss", &own);
    cr_expect_eq(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "unseen", 6), 0);
    stop();
    verd_websocket_message message = {0};
    cr_expect_eq(verd_websocket_receive(client, &message), 1);
    expect_to_be_told(client);
    cr_expect_eq(verd_http_client_free(own.client), 0);
}

/* A stop without any grace kills. */
Test(http, a_websocket_has_no_time_to_close_without_grace)
{
    verd_websocket *client = join(NULL, "ws", NULL);
    cr_expect_eq(verd_http_stop(site.server, 0), 0);
    cr_expect_eq(told[0], -ECANCELED);
    verd_websocket_free(client);
    verd_http_free(site.server);
}
