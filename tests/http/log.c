/* SPDX-License-Identifier: MIT */

/* The access log. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "http/server.h"
#include "site.h"

static struct site site;
static char lines[1024];
static verd_duration spent;
static int64_t at;

static void write_line(void *ctx, const verd_http_entry *entry)
{
    size_t size = strlen(lines);
    const char *agent = entry->exchange != NULL ? verd_http_header(entry->exchange, "Agent") : "?";
    cr_expect_eq(ctx, lines);
    snprintf(lines + size, sizeof lines - size, "%s \"%s\" %d %d %s\n", entry->client, entry->line,
             entry->status, (int)entry->bytes, agent != NULL ? agent : "-");
    spent = entry->spent;
    at = entry->time;
}

static const verd_http_options options = {.log = write_line, .log_ctx = lines};

Test(http, requests_are_logged)
{
    site_open(&site, handle_hello, &options);
    ask(&site, "GET /a?b=c HTTP/1.1\r\nHost: h\r\nAgent: x\r\n\r\n"
               "HEAD http://h/ HTTP/1.1\r\nHost: h\r\n\r\n");
    site_close(&site);
    cr_expect_str_eq(lines, "127.0.0.1 \"GET /a?b=c HTTP/1.1\" 200 5 x\n"
                            "127.0.0.1 \"HEAD http://h/ HTTP/1.1\" 200 0 -\n");
}

Test(http, refusals_are_logged)
{
    site_open(&site, handle_hello, &options);
    ask(&site, "GET /\x1b HTTP/1.1\r\nHost: h\r\n\r\n");
    ask(&site, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
    ask(&site, "\n");
    site_close(&site);
    cr_expect_str_eq(lines, "127.0.0.1 \"GET /? HTTP/1.1\" 400 16 ?\n"
                            "127.0.0.1 \"GET / HTTP/1.1\" 413 22 -\n"
                            "127.0.0.1 \"\" 400 16 ?\n");
}

static int handle_sleeping(verd_http_exchange *x, void *ctx)
{
    verd_sleep(5 * VERD_MS);
    return handle_hello(x, ctx);
}

Test(http, the_log_tells_when_and_how_long)
{
    int64_t now = time(NULL);
    site_open(&site, handle_sleeping, &options);
    ask(&site, GET);
    site_close(&site);
    cr_expect_geq(spent, 5 * VERD_MS);
    cr_expect_geq(at, now - 1); /* as coarse as the kernel's tick */
    cr_expect_leq(at, time(NULL));
}

static int handle_leaving(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, "hello", 5);
    verd_http_flush(x);
    verd_http_write(x, "never", 5);
    return -1;
}

Test(http, the_log_counts_what_was_sent)
{
    site_open(&site, handle_leaving, &options);
    ask(&site, GET);
    site_close(&site);
    cr_expect_str_eq(lines, "127.0.0.1 \"GET / HTTP/1.1\" 200 5 -\n");
}

static int handle_and_die(verd_http_exchange *x, void *ctx)
{
    (void)x;
    (void)ctx;
    verd_kill(verd_self());
    return -1;
}

Test(http, a_request_that_was_not_answered_is_logged)
{
    site_open(&site, handle_and_die, &options);
    ask_and_stay(&site, GET);
    site_close(&site);
    cr_expect_str_eq(lines, "127.0.0.1 \"GET / HTTP/1.1\" 0 0 -\n");
}

Test(http, clients_of_a_unix_socket_have_no_address)
{
    char path[64];
    snprintf(path, sizeof path, "@verd-test-log-%d", (int)getpid());
    verd_http_server *server =
        verd_http_serve(verd_listen_unix(path, 0), handle_hello, NULL, &options);
    int fd = verd_connect_unix(path);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    verd_close(fd);
    verd_http_stop(server, VERD_FOREVER);
    verd_http_free(server);
    cr_expect_str_eq(lines, " \"GET / HTTP/1.1\" 200 5 -\n");
}

static verd_semaphore go;

static int handle_when_told(verd_http_exchange *x, void *ctx)
{
    verd_semaphore_acquire(&go);
    return handle_hello(x, ctx);
}

Test(http, clients_that_have_reset_the_connection_have_an_address)
{
    const struct linger at_once = {.l_onoff = 1};
    site_open(&site, handle_when_told, &options);
    int fd = site_connect(&site);
    say(fd, GET);
    while (verd_http_busy(site.server) == 0)
        verd_yield();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    verd_close(fd);
    verd_semaphore_release(&go);
    site_close(&site);
    cr_expect_eq(strncmp(lines, "127.0.0.1 ", 10), 0, "%s", lines);
}

static int greet_ipv4(verd_http_exchange *x, void *ctx)
{
    socklen_t length;
    const struct sockaddr *peer = verd_http_peer(x, &length);
    const struct sockaddr_in *address = (const void *)peer;
    bool is_right = peer->sa_family == AF_INET && length == sizeof *address &&
                    address->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && address->sin_port != 0;
    return is_right ? handle_hello(x, ctx) : verd_http_reply(x, 400, "text/plain", "", 0);
}

Test(http, clients_of_ipv4_have_an_address_of_that)
{
    verd_http_server *server = verd_http_serve(verd_listen(NULL, 0, 0), greet_ipv4, NULL, &options);
    int fd = verd_connect("127.0.0.1", verd_port(server->net->listener));
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    verd_close(fd);
    verd_http_stop(server, VERD_FOREVER);
    verd_http_free(server);
    cr_expect_eq(strncmp(lines, "127.0.0.1 ", 10), 0, "%s", lines);
}
