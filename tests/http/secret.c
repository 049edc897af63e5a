/* SPDX-License-Identifier: MIT */

/* A server whose streams are the caller's: every byte is turned around on its way, as a stand-in for
 * what a TLS library does. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "site.h"
#include "turned.h"

static struct site site;
static size_t opened, closed, shut;
static int refused; /* connections that `open` refuses */

static void note_shut(void *ctx)
{
    (void)ctx;
    shut++;
}

static void end(void *ctx)
{
    closed++;
    free(ctx);
}

static const verd_stream_ops ops = {
    .read = read_turned, .write = write_turned, .shut = note_shut, .close = end};

/* A handshake: the client says one byte, and is answered. */
static int begin(void *ctx, int fd, verd_stream *stream)
{
    char byte;
    int *own = malloc(sizeof *own);
    cr_expect_eq(ctx, &site);
    if (refused > 0 || verd_read(fd, &byte, 1) != 1 || verd_write(fd, &byte, 1) != 1) {
        free(own);
        return -1;
    }
    *own = fd;
    stream->ops = &ops;
    stream->ctx = own;
    opened++;
    return 0;
}

static const verd_http_options options = {.open = begin, .open_ctx = &site};

/* Says text to the server, turned, and returns what it answers, turned back. */
static const char *ask_turned(const char *text)
{
    static char answer[4096];
    char turned[1024];
    size_t size = strlen(text), got = 0;
    ssize_t n;
    int fd = site_connect(&site);
    verd_write(fd, "!", 1);
    verd_read(fd, answer, 1);
    memcpy(turned, text, size);
    turn(turned, size);
    verd_write_full(fd, turned, size, NULL);
    while ((n = verd_read(fd, answer + got, sizeof answer - 1 - got)) > 0)
        got += (size_t)n;
    turn(answer, got);
    answer[got] = '\0';
    verd_close(fd);
    return answer;
}

#define CLOSE "Connection: close\r\n\r\n"

Test(http, a_server_can_have_streams_of_the_callers)
{
    site_open(&site, handle_echo, &options);
    const char *answer =
        ask_turned("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                   "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" CLOSE
                   "3\r\ndef\r\n0\r\n\r\n");
    cr_expect_not_null(strstr(answer, "POST h /1 - 1.1 [abc]HTTP/1.1 200 OK"), "%s", answer);
    cr_expect_not_null(strstr(answer, "POST h /2 - 1.1 [def]"), "%s", answer);
    site_close(&site);
    cr_expect_eq(opened, 1);
    cr_expect_eq(closed, 1);
}

Test(http, a_refusal_over_a_callers_stream_ends_what_is_written)
{
    site_open(&site, handle_echo, &options);
    const char *answer = ask_turned("malformed\r\n");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 400 Bad Request", 24), 0, "%s", answer);
    site_close(&site);
    cr_expect_eq(shut, 1);
    cr_expect_eq(closed, 1);
}

Test(http, a_connection_whose_stream_cannot_be_made_is_closed)
{
    site_open(&site, handle_echo, &options);
    refused = 1;
    cr_expect_str_eq(ask_and_stay(&site, ""), "");
    site_close(&site);
    cr_expect_eq(opened, 0);
}

Test(http, making_a_stream_has_its_time)
{
    verd_http_options brief = options;
    brief.header_time = 10 * VERD_MS;
    site_open(&site, handle_echo, &brief);
    cr_expect_str_eq(ask_and_stay(&site, ""), "");
    site_close(&site);
    cr_expect_eq(opened, 0);
}

Test(http, an_idle_callers_stream_ends_when_the_server_stops)
{
    char byte;
    site_open(&site, handle_echo, &options);
    int fd = site_connect(&site);
    verd_write(fd, "!", 1);
    verd_read(fd, &byte, 1);
    settle();
    site_close(&site);
    cr_expect_eq(verd_read(fd, &byte, 1), 0);
    cr_expect_eq(closed, 1);
    verd_close(fd);
}
