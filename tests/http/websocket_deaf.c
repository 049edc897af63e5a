/* SPDX-License-Identifier: MIT */

/* WebSockets whose other side does not read. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "handshake.h"
#include "process.h"
#include "site.h"

static struct site site;
static char block[8000000];
static verd_websocket_options server_options = {.idle_time = 10 * VERD_MS};
static int (*serve)(verd_websocket *socket);
static int served = 1; /* what it gave, or -errno */

static int handle(verd_http_exchange *x, void *ctx)
{
    verd_websocket *socket = verd_websocket_accept(x, &server_options);
    (void)ctx;
    if (socket == NULL)
        return -1;
    int result = serve(socket);
    served = result < 0 ? -errno : result;
    verd_websocket_free(socket);
    return 0;
}

static void await_served(void)
{
    while (served == 1)
        verd_sleep(VERD_MS);
}

/* ---- a server ---- */

static const verd_http_options fillable = {.open = open_fillable};

/* The client has sent a frame, and reads only when the server has done with it. How that ends, below zero. */
static ssize_t end_of_deaf_client(int (*how)(verd_websocket *), const char *frame, size_t size)
{
    static char some[65536];
    ssize_t n;
    serve = how;
    site_open(&site, handle, &fillable);
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    cr_assert_eq(verd_write_full(fd, frame, size, NULL), (ssize_t)size);
    await_served();
    while ((n = outcome(verd_read(fd, some, sizeof some))) > 0) {
    }
    verd_close(fd);
    site_close(&site);
    return n;
}

static int receive_without_room(verd_websocket *socket)
{
    verd_websocket_message message;
    stream_is_full = true;
    return verd_websocket_receive(socket, &message);
}

Test(http, websocket_gives_up_who_takes_no_answers_to_pings)
{
    static const char ping[] = "\x89\x80\0\0\0\0";
    cr_expect_eq(end_of_deaf_client(receive_without_room, ping, sizeof ping - 1), -ECONNRESET);
    cr_expect_eq(served, -ECONNRESET);
}

static int send_without_room(verd_websocket *socket)
{
    verd_websocket_message message;
    stream_is_full = true;
    cr_expect_eq(outcome(verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, "a", 1)), -ETIMEDOUT);
    cr_expect_eq(outcome(verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, "a", 1)), -EPIPE);
    cr_expect_eq(outcome(verd_websocket_receive(socket, &message)), -ECONNRESET);
    return 0;
}

/* Though it has something to say. */
Test(http, websocket_gives_up_who_takes_no_messages)
{
    static const char text[] = "\x81\x80\0\0\0\0";
    cr_expect_eq(end_of_deaf_client(send_without_room, text, sizeof text - 1), -ECONNRESET);
    cr_expect_eq(served, 0);
}

static void *send_in_background(void *arg)
{
    stream_is_full = true;
    cr_expect_eq(outcome(verd_websocket_send(arg, VERD_WEBSOCKET_TEXT, "a", 1)), -ETIMEDOUT);
    return NULL;
}

static int receive_while_another_sends(verd_websocket *socket)
{
    verd_websocket_message message;
    verd_thread *sender = verd_spawn(send_in_background, socket);
    int result;
    while ((result = verd_websocket_receive(socket, &message)) == 1) {
    }
    int error = errno;
    verd_join(sender, NULL);
    errno = error;
    return result;
}

/* No message, so that it is received in one call. */
static void *speak_without_end(void *arg)
{
    static const char pong[] = "\x8a\x80\0\0\0\0";
    const int *fd = arg;
    while (verd_write_full(*fd, pong, sizeof pong - 1, NULL) > 0)
        verd_sleep(VERD_MS);
    return NULL;
}

Test(http, websocket_is_received_from_no_more_once_it_was_given_up)
{
    serve = receive_while_another_sends;
    site_open(&site, handle, &fillable);
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    verd_thread *speaker = verd_spawn(speak_without_end, &fd);
    await_served();
    cr_expect_eq(served, -ECONNRESET);
    verd_kill(speaker);
    verd_join(speaker, NULL);
    verd_close(fd);
    site_close(&site);
}

static int send_long(verd_websocket *socket)
{
    return verd_websocket_send(socket, VERD_WEBSOCKET_BINARY, block, sizeof block);
}

/* The system takes a lot, and has room for more only when much of that has been read. */
Test(http, websocket_does_not_give_up_who_reads_what_the_system_has_taken)
{
    static char some[65536];
    size_t size = 0;
    ssize_t n = 1;
    if (process_is_emulated())
        cr_skip("the emulator does not tell what was acknowledged");
    serve = send_long;
    server_options.idle_time = 300 * VERD_MS;
    site_open(&site, handle, NULL);
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    while (n > 0) {
        n = verd_read(fd, some, sizeof some);
        size += n > 0 ? (size_t)n : 0;
        if (size < 1000000)
            verd_sleep(200 * VERD_MS); /* less than it may be idle */
    }
    cr_expect_gt(size, sizeof block);
    cr_expect_eq(served, 0);
    verd_close(fd);
    site_close(&site);
}

/* ---- a client ---- */

static verd_semaphore go;

static int wait_to_go(verd_websocket *socket)
{
    (void)socket;
    return verd_semaphore_acquire(&go);
}

Test(http, websocket_client_gives_up_a_server_that_takes_nothing)
{
    verd_websocket_options options = {.idle_time = 10 * VERD_MS};
    verd_websocket_message message;
    char url[64];
    serve = wait_to_go;
    site_open(&site, handle, NULL);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", site.port);
    verd_websocket *client = verd_websocket_connect(url, &options);
    cr_assert_not_null(client);
    while (verd_websocket_send(client, VERD_WEBSOCKET_BINARY, block, 65536) == 0) {
    }
    cr_expect_eq(errno, ETIMEDOUT);
    cr_expect_eq(outcome(verd_websocket_receive(client, &message)), -ECONNRESET);
    verd_semaphore_release(&go);
    verd_websocket_free(client);
    site_close(&site);
}
