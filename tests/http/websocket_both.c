/* SPDX-License-Identifier: MIT */

/* WebSockets at both ends: a client and a server of the library, each other's peers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "site.h"

static struct site site;
static verd_websocket_options server_options;
static verd_websocket *server; /* the last that was accepted, while its handler runs */
static int (*serve)(verd_websocket *socket);
static int served = 1; /* what it gave, or -errno */

static int handle(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    server = verd_websocket_accept(x, &server_options);
    if (server == NULL)
        return -1;
    served = 1;
    int result = serve(server);
    served = result < 0 ? -errno : result;
    verd_websocket_free(server);
    return 0;
}

static int echo(verd_websocket *socket)
{
    verd_websocket_message message;
    int result;
    while ((result = verd_websocket_receive(socket, &message)) == 1) {
        if (verd_websocket_send(socket, message.type, message.data, message.size) != 0)
            return -1;
    }
    return result;
}

static verd_websocket *join_served_by(int (*how)(verd_websocket *))
{
    char url[64];
    serve = how;
    site_open(&site, handle, NULL);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", site.port);
    verd_websocket *client = verd_websocket_connect(url, NULL);
    cr_assert_not_null(client, "%s", strerror(errno));
    return client;
}

static void leave(verd_websocket *client)
{
    verd_websocket_free(client);
    site_close(&site);
}

static void say_text(verd_websocket *client, const char *text)
{
    cr_expect_eq(outcome(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, text, strlen(text))), 0);
}

/* The text of the next message. */
static const char *hear_text(verd_websocket *client)
{
    verd_websocket_message message = {0};
    ssize_t result = outcome(verd_websocket_receive(client, &message));
    return result == 1 ? message.data : result == 0 ? "(closed)" : strerror((int)-result);
}

static void await_served(void)
{
    while (served == 1)
        verd_sleep(VERD_MS);
}

/* ---- messages ---- */

Test(http, websocket_messages_come_back_as_they_went)
{
    static const size_t sizes[] = {0, 1, 125, 126, 4095, 65535, 65536, 200000, 1 << 20};
    verd_websocket *client = join_served_by(echo);
    char *data = malloc(1 << 20);
    for (size_t i = 0; i < 1 << 20; i++)
        data[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        verd_websocket_message message;
        cr_assert_eq(verd_websocket_send(client, VERD_WEBSOCKET_BINARY, data, sizes[i]), 0);
        cr_assert_eq(verd_websocket_receive(client, &message), 1);
        cr_expect(message.type == VERD_WEBSOCKET_BINARY && message.size == sizes[i] &&
                  memcmp(message.data, data, sizes[i]) == 0 && message.data[sizes[i]] == '\0');
    }
    say_text(client, "h\xc3\xa4llo");
    cr_expect_str_eq(hear_text(client), "h\xc3\xa4llo");
    free(data);
    leave(client);
}

Test(http, websocket_sends_no_text_that_is_not_utf8)
{
    verd_websocket *client = join_served_by(echo);
    cr_expect_eq(outcome(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "\xff", 1)), -EILSEQ);
    cr_expect_eq(outcome(verd_websocket_send(client, 3, "a", 1)), -EINVAL);
    char bytes[126] = {0};
    cr_expect_eq(outcome(verd_websocket_ping(client, bytes, 126)), -EINVAL);
    cr_expect_eq(verd_websocket_ping(client, bytes, 125), 0);
    say_text(client, "still there");
    cr_expect_str_eq(hear_text(client), "still there");
    leave(client);
}

/* ---- closing ---- */

Test(http, websocket_client_closes)
{
    verd_websocket *client = join_served_by(echo);
    cr_expect_eq(verd_websocket_code(client), 1006);
    cr_expect_eq(outcome(verd_websocket_close(client, 1005, NULL)), -EINVAL);
    cr_expect_eq(outcome(verd_websocket_close(client, 1000, "\xff")), -EILSEQ);
    say_text(client, "is dropped when it comes back");
    cr_expect_eq(verd_websocket_close(client, 3000, "bye"), 0);
    cr_expect_eq(verd_websocket_code(client), 3000);
    cr_expect_str_eq(hear_text(client), "(closed)");
    cr_expect_eq(outcome(verd_websocket_send(client, VERD_WEBSOCKET_TEXT, "a", 1)), -EPIPE);
    await_served();
    cr_expect_eq(served, 0);
    leave(client);
}

static int close_at_once(verd_websocket *socket)
{
    return verd_websocket_close(socket, 1001, "we stop");
}

Test(http, websocket_server_closes)
{
    verd_websocket *client = join_served_by(close_at_once);
    cr_expect_str_eq(hear_text(client), "(closed)");
    cr_expect_eq(verd_websocket_code(client), 1001);
    cr_expect_str_eq(verd_websocket_reason(client), "we stop");
    cr_expect_eq(verd_websocket_close(client, 1000, NULL), 0);
    await_served();
    cr_expect_eq(served, 0);
    leave(client);
}

static int just_leave(verd_websocket *socket)
{
    (void)socket;
    return 0;
}

Test(http, websocket_whose_other_side_just_leaves)
{
    verd_websocket *client = join_served_by(just_leave);
    cr_expect_str_eq(hear_text(client), strerror(ECONNRESET));
    cr_expect_eq(verd_websocket_code(client), 1006);
    leave(client);
}

Test(http, websocket_that_ends_without_a_close)
{
    verd_websocket *client = join_served_by(echo);
    verd_websocket_free(client);
    await_served();
    cr_expect_eq(served, -ECONNRESET);
    site_close(&site);
}

static verd_websocket *receiving;

static void *receive_until_closed(void *arg)
{
    verd_websocket_message message;
    (void)arg;
    while (verd_websocket_receive(receiving, &message) == 1)
        ;
    return "received";
}

Test(http, websocket_is_closed_by_one_thread_while_another_receives)
{
    void *result = NULL;
    verd_websocket_message message;
    receiving = join_served_by(echo);
    verd_thread *receiver = verd_spawn(receive_until_closed, NULL);
    settle();
    cr_expect_eq(outcome(verd_websocket_receive(receiving, &message)), -EBUSY);
    cr_expect_eq(verd_websocket_close(receiving, 1000, NULL), 0);
    cr_expect_eq(verd_join(receiver, &result), 0);
    cr_expect_str_eq(result, "received");
    leave(receiving);
}

/* ---- time ---- */

static int receive_one_late(verd_websocket *socket)
{
    verd_websocket_message message;
    verd_timeout limit;
    for (int i = 0; i < 3; i++) {
        verd_timeout_begin(&limit, 5 * VERD_MS);
        cr_expect_eq(outcome(verd_websocket_receive(socket, &message)), -ETIMEDOUT);
        verd_timeout_end(&limit);
    }
    if (verd_websocket_receive(socket, &message) != 1)
        return -1;
    return strcmp(message.data, "hello") == 0 ? 0 : 2;
}

/* A message in pieces, with pauses, to a server that gives up again and again. */
Test(http, websocket_loses_nothing_when_receiving_is_given_up)
{
    static const char bytes[] = "\x01\x83\0\0\0\0hel\x89\x81\0\0\0\0p\x80\x82\0\0\0\0lo";
    char answer[512];
    serve = receive_one_late;
    site_open(&site, handle, NULL);
    int fd = site_connect(&site);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    cr_assert_gt(verd_read(fd, answer, sizeof answer), 0);
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        verd_write(fd, &bytes[i], 1);
        verd_sleep(VERD_MS);
    }
    await_served();
    cr_expect_eq(served, 0);
    verd_close(fd);
    site_close(&site);
}

static int receive_until_error(verd_websocket *socket)
{
    verd_websocket_message message;
    return verd_websocket_receive(socket, &message);
}

Test(http, websocket_gives_up_who_does_not_answer_pings)
{
    char answer[512];
    size_t size = 0;
    ssize_t n;
    server_options.idle_time = 10 * VERD_MS;
    serve = receive_until_error;
    site_open(&site, handle, NULL);
    int fd = site_connect(&site);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    while ((n = verd_read(fd, answer + size, sizeof answer - size)) > 0)
        size += (size_t)n;
    cr_expect(size > 2 && memcmp(answer + size - 2, "\x89\0", 2) == 0);
    cr_expect_eq(served, -ECONNRESET);
    verd_close(fd);
    site_close(&site);
}

Test(http, websocket_keeps_who_answers_pings)
{
    server_options.idle_time = 5 * VERD_MS;
    receiving = join_served_by(echo);
    verd_thread *receiver = verd_spawn(receive_until_closed, NULL);
    verd_sleep(50 * VERD_MS);
    cr_expect_eq(served, 1);
    cr_expect_eq(verd_websocket_close(receiving, 1000, NULL), 0);
    verd_join(receiver, NULL);
    leave(receiving);
}

/* ---- several threads ---- */

static char block[300000];

static void *send_blocks(void *arg)
{
    for (int i = 0; i < 5; i++)
        cr_expect_eq(verd_websocket_send(arg, VERD_WEBSOCKET_BINARY, block, sizeof block), 0);
    return NULL;
}

/* Receives, late, while two threads send more than fits on the way. */
static int exchange_blocks(verd_websocket *socket)
{
    verd_websocket_message message;
    verd_thread *senders[2];
    for (int i = 0; i < 2; i++)
        senders[i] = verd_spawn(send_blocks, socket);
    settle();
    for (int i = 0; i < 10; i++) {
        verd_websocket_ping(socket, "x", 1);
        cr_expect(verd_websocket_receive(socket, &message) == 1 && message.size == sizeof block);
    }
    for (int i = 0; i < 2; i++)
        verd_join(senders[i], NULL);
    return 0;
}

static int exchange_and_stay(verd_websocket *socket)
{
    verd_websocket_message message;
    exchange_blocks(socket);
    return verd_websocket_receive(socket, &message);
}

Test(http, websocket_messages_of_several_threads_are_not_mixed)
{
    verd_websocket *client = join_served_by(exchange_and_stay);
    exchange_blocks(client);
    cr_expect_eq(verd_websocket_close(client, 1000, NULL), 0);
    await_served();
    cr_expect_eq(served, 0);
    leave(client);
}

static int send_until_late(verd_websocket *socket)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, 20 * VERD_MS);
    while (verd_websocket_send(socket, VERD_WEBSOCKET_BINARY, block, sizeof block) == 0)
        ;
    cr_expect_eq(errno, ETIMEDOUT);
    verd_timeout_end(&limit);
    return verd_websocket_send(socket, VERD_WEBSOCKET_BINARY, "a", 1);
}

Test(http, websocket_sends_nothing_behind_part_of_a_frame)
{
    verd_websocket *client = join_served_by(send_until_late);
    await_served();
    cr_expect_eq(served, -EPIPE);
    leave(client);
}

Test(http, websocket_ends_with_its_server)
{
    verd_websocket *client = join_served_by(echo);
    while (server == NULL)
        verd_sleep(VERD_MS);
    cr_expect_eq(verd_http_stop(site.server, 0), 0);
    cr_expect_eq(served, -ECANCELED);
    cr_expect_str_eq(hear_text(client), strerror(ECONNRESET));
    verd_websocket_free(client);
    verd_http_free(site.server);
}
