/* SPDX-License-Identifier: MIT */

/* Requests whose body is still being sent when the server has something to say. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "peer.h"
#include "site.h"

#define LARGE ((size_t)10 << 20)
#define PATIENCE (60 * VERD_SEC)

static struct site site;
static char large[LARGE];

static void make_large(void)
{
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 2654435761U >> 16);
}

/* Where the site is; without an end, a test is to fail rather than to last. */
static const char *begin(verd_http_handler handler)
{
    static char url[64];
    static verd_timeout limit;
    static verd_http_options options = {.body = VERD_HTTP_UNLIMITED};
    make_large();
    verd_timeout_begin(&limit, PATIENCE);
    site_open(&site, handler, &options);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", site.port);
    return url;
}

static void end(void)
{
    cr_expect_eq(verd_http_client_close_idle(NULL), 0);
    site_close(&site);
}

/* ---- a server that answers while it reads ---- */

static int echo(verd_http_exchange *x, void *ctx)
{
    char piece[8192];
    ssize_t n;
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    while ((n = verd_http_read(x, piece, sizeof piece)) > 0) {
        if (verd_http_write(x, piece, (size_t)n) != 0)
            return -1;
    }
    return (int)n;
}

/* A source of all that there is, in pieces of an odd size. */
struct source {
    size_t given, most;
    size_t asked; /* times */
    verd_duration pause;
    int error; /* at the end */
};

static ssize_t give(void *ctx, void *buffer, size_t size)
{
    struct source *source = ctx;
    size_t left = source->most - source->given;
    source->asked++;
    if (source->pause > 0 && verd_sleep(source->pause) != 0)
        return -1;
    if (left == 0 && source->error != 0) {
        errno = source->error;
        return -1;
    }
    size = size < 10007 ? size : 10007;
    size = size < left ? size : left;
    memcpy(buffer, large + source->given, size);
    source->given += size;
    return (ssize_t)size;
}

static bool comes_back(const char *url, const verd_http_request_options *options)
{
    size_t size;
    verd_http_response *response = verd_http_request("POST", url, options);
    cr_assert_not_null(response, "%s", strerror(errno));
    const char *body = verd_http_response_body(response, LARGE, &size);
    cr_assert_not_null(body, "%s", strerror(errno));
    bool same = size == LARGE && memcmp(body, large, LARGE) == 0;
    verd_http_response_free(response);
    return same;
}

Test(duplex, an_echo_of_more_than_the_network_holds_comes_back)
{
    const char *url = begin(echo);
    cr_expect(comes_back(url, &(verd_http_request_options){.body = large, .size = LARGE}));
    cr_expect_eq(verd_http_client_idle(NULL), 1, "the connection is kept");
    end();
}

Test(duplex, an_echo_of_a_source_comes_back_whether_its_length_is_known_or_not)
{
    const char *url = begin(echo);
    struct source source = {.most = LARGE};
    verd_http_request_options options = {.source = give, .source_ctx = &source};
    cr_expect(comes_back(url, &options));
    source = (struct source){.most = LARGE};
    options.length = LARGE;
    cr_expect(comes_back(url, &options));
    cr_expect_eq(verd_http_client_idle(NULL), 1);
    cr_expect_eq(verd_http_client_connections(NULL), 1);
    end();
}

Test(duplex, a_body_in_memory_is_the_callers_again_when_the_call_returns)
{
    const char *url = begin(echo);
    char *body = malloc(LARGE), piece[4096];
    size_t got = 0;
    ssize_t n;
    memcpy(body, large, LARGE);
    verd_http_request_options options = {.body = body, .size = LARGE};
    verd_http_response *response = verd_http_request("POST", url, &options);
    memset(body, 0, LARGE);
    free(body);
    while ((n = verd_http_response_read(response, piece, sizeof piece)) > 0) {
        cr_assert_eq(memcmp(piece, large + got, (size_t)n), 0, "at %zu", got);
        got += (size_t)n;
    }
    cr_expect_eq(got, LARGE);
    verd_http_response_free(response);
    end();
}

Test(duplex, a_source_that_fails_behind_the_answers_head_fails_the_reading)
{
    char piece[4096];
    ssize_t n;
    const char *url = begin(echo);
    struct source source = {.most = LARGE, .error = ENOLINK};
    verd_http_request_options options = {.source = give, .source_ctx = &source};
    verd_http_response *response = verd_http_request("POST", url, &options);
    cr_assert_not_null(response);
    while ((n = verd_http_response_read(response, piece, sizeof piece)) > 0)
        ;
    cr_expect_eq(n, -1);
    cr_expect_eq(errno, ENOLINK, "%s", strerror(errno));
    verd_http_response_free(response);
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    end();
}

Test(duplex, a_response_that_is_freed_early_ends_its_source)
{
    const char *url = begin(echo);
    struct source source = {.most = LARGE, .pause = VERD_MS};
    verd_http_request_options options = {.source = give, .source_ctx = &source};
    verd_http_response *response = verd_http_request("POST", url, &options);
    cr_assert_not_null(response);
    verd_http_response_free(response);
    size_t asked = source.asked;
    verd_sleep(5 * VERD_MS);
    cr_expect_eq(source.asked, asked);
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    end();
}

/* ---- a server that refuses what it has not read ---- */

static verd_semaphore left; /* by the client */

/* Leaves the body where it is, and the connection open. */
static void *refuse(void *arg)
{
    static const char refusal[] = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
    char byte, last[4] = "";
    int fd = verd_accept((int)(intptr_t)arg, NULL, NULL);
    while (memcmp(last, "\r\n\r\n", 4) != 0 && verd_read(fd, &byte, 1) == 1) {
        memmove(last, last + 1, 3);
        last[3] = byte;
    }
    verd_write_full(fd, refusal, sizeof refusal - 1, NULL);
    verd_semaphore_acquire(&left);
    verd_close(fd);
    return NULL;
}

static void expect_refusal(const verd_http_request_options *options)
{
    int port;
    char url[64];
    verd_timeout limit;
    int listener = make_listener(&port);
    verd_thread *server = verd_spawn(refuse, (void *)(intptr_t)listener);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    verd_timeout_begin(&limit, PATIENCE);
    cr_expect_str_eq(ask_text("PUT", url, options), "413 no");
    cr_expect_eq(verd_http_client_connections(NULL), 0, "what was cut short is not used again");
    verd_timeout_end(&limit);
    verd_semaphore_release(&left);
    verd_join(server, NULL);
    verd_close(listener);
}

Test(duplex, a_refusal_ends_the_sending)
{
    struct source source = {.most = LARGE};
    expect_refusal(&(verd_http_request_options){.body = large, .size = LARGE});
    expect_refusal(&(verd_http_request_options){.source = give, .source_ctx = &source});
    cr_expect_lt(source.given, LARGE);
}

/* ---- Expect: 100-continue ---- */

static const verd_http_field expect = {"Expect", "100-continue"};
static struct source source;

#define EXPECTING {.fields = &expect, .field_count = 1, .source = give, .source_ctx = &source}

static int read_late(verd_http_exchange *x, void *ctx)
{
    char text[64];
    settle();
    cr_expect_eq(source.asked, 0, "the body was not asked for yet");
    const char *body = verd_http_body(x, 32, NULL);
    (void)ctx;
    cr_assert_not_null(body);
    snprintf(text, sizeof text, "%zu", strlen(body));
    return verd_http_reply(x, 200, NULL, text, strlen(text));
}

Test(duplex, a_body_is_not_sent_before_the_server_wants_it)
{
    verd_http_request_options options = EXPECTING;
    const char *url = begin(read_late);
    memset(large, 'a', 20);
    source = (struct source){.most = 20};
    cr_expect_str_eq(ask_text("PUT", url, &options), "200 20");
    cr_expect_eq(verd_http_client_idle(NULL), 1);
    end();
}

static int refuse_all(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return verd_http_reply(x, 403, NULL, "no", 2);
}

Test(duplex, a_body_that_the_server_does_not_want_is_not_sent)
{
    verd_http_request_options options = EXPECTING;
    const char *url = begin(refuse_all);
    source = (struct source){.most = 20};
    cr_expect_str_eq(ask_text("PUT", url, &options), "403 no");
    cr_expect_eq(source.asked, 0);
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    end();
}

static struct peer peer;

Test(duplex, a_server_that_knows_no_Expect_is_asked_without)
{
    verd_http_request_options options = EXPECTING;
    PEER(&peer, {.text = "HTTP/1.1 417 What\r\nContent-Length: 0\r\n\r\n", .deaf = true},
         {.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    source = (struct source){.most = 20};
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_not_null(strstr(peer.heard[0], "Expect: 100-continue\r\n"));
    cr_expect_null(strstr(peer.heard[1], "Expect"));
    cr_expect_eq(source.given, 20);
    peer_stop(&peer);
}

Test(duplex, a_server_that_does_not_answer_Expect_is_sent_the_body_after_a_while)
{
    verd_http_request_options options = EXPECTING;
    PEER(&peer, {.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    source = (struct source){.most = 20};
    verd_duration begun = verd_now();
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_geq(verd_now() - begun, VERD_SEC);
    peer_stop(&peer);
}

Test(duplex, nothing_is_expected_without_a_body)
{
    verd_http_request_options options = {.fields = &expect, .field_count = 1};
    PEER(&peer, {.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_null(strstr(peer.heard[0], "Expect"));
    peer_stop(&peer);
}
