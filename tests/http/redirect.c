/* SPDX-License-Identifier: MIT */

/* Redirects: how they are followed, with what, and how far. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static struct peer peer, other;

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define TO(status, where) \
    "HTTP/1.1 " status " Elsewhere\r\nLocation: " where "\r\nContent-Length: 4\r\n\r\ngone"

/* The request line of request i. */
static const char *line(const struct peer *at, size_t i)
{
    static char text[128];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at->heard[i], "\r"), at->heard[i]);
    return text;
}

static const char *field(const struct peer *at, size_t i, const char *name)
{
    static char text[128];
    const char *found = strstr(at->heard[i], name);
    if (found == NULL)
        return NULL;
    found += strlen(name) + 2;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(found, "\r"), found);
    return text;
}

Test(redirect, is_followed_on_the_same_connection)
{
    PEER(&peer, {.text = TO("302", "b?c")}, {.text = TO("301", "/d#e")}, {.text = HELLO});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/a/a"), NULL);
    cr_expect_str_eq(verd_http_response_url(response), peer_url(&peer, "/d"));
    cr_expect_str_eq(response_text(response), "200 hello");
    cr_expect_str_eq(line(&peer, 1), "GET /a/b?c HTTP/1.1");
    cr_expect_str_eq(line(&peer, 2), "GET /d HTTP/1.1");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

/* The request line after a redirect with this status, with the body and type that came along. */
static const char *after(const char *status, const char *method)
{
    static char text[256], seen[256];
    static const verd_http_field type = {"Content-Type", "a/b"};
    struct reply replies[] = {{.text = text}, {.text = HELLO}};
    verd_http_request_options options = {
        .fields = &type, .field_count = 1, .body = "body", .size = 4};
    snprintf(text, sizeof text, TO("%s", "/b"), status);
    if (strcmp(method, "HEAD") == 0)
        *strstr(text, "gone") = '\0';
    peer_start(&peer, replies, 2);
    ask_text(method, peer_url(&peer, "/a"), &options);
    const char *content = field(&peer, 1, "Content-Type");
    snprintf(seen, sizeof seen, "%.*s %s %s", (int)strcspn(peer.heard[1], " "), peer.heard[1],
             content != NULL ? content : "-", strstr(peer.heard[1], "\r\n\r\n") + 4);
    peer_stop(&peer);
    return seen;
}

Test(redirect, keeps_the_method_and_the_body_or_makes_it_GET)
{
    cr_expect_str_eq(after("301", "POST"), "GET - ");
    cr_expect_str_eq(after("302", "POST"), "GET - ");
    cr_expect_str_eq(after("303", "POST"), "GET - ");
    cr_expect_str_eq(after("307", "POST"), "POST a/b body");
    cr_expect_str_eq(after("308", "POST"), "POST a/b body");
    cr_expect_str_eq(after("301", "PUT"), "PUT a/b body");
    cr_expect_str_eq(after("302", "PUT"), "PUT a/b body");
    cr_expect_str_eq(after("303", "PUT"), "GET - ");
    cr_expect_str_eq(after("303", "DELETE"), "GET - ");
    cr_expect_str_eq(after("303", "HEAD"), "HEAD a/b body");
    cr_expect_str_eq(after("301", "HEAD"), "HEAD a/b body");
}

Test(redirect, is_only_what_the_standard_calls_so)
{
    PEER(&peer, {.text = TO("300", "/b")}, {.text = TO("304", "/b")}, {.text = TO("305", "/b")},
         {.text = TO("306", "/b")}, {.text = TO("201", "/b")},
         {.text = "HTTP/1.1 302 Where\r\nContent-Length: 0\r\n\r\n"});
    static const int expected[] = {300, 304, 305, 306, 201, 302};
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(atoi(get_text(peer.origin, NULL)), expected[i], "%d", expected[i]);
    cr_expect_eq(peer.requests, 6);
    peer_stop(&peer);
}

Test(redirect, is_followed_so_many_times_and_no_more)
{
    verd_http_request_options options = {.redirects = 2};
    PEER(&peer, {.text = TO("302", "/b")});
    cr_expect_str_eq(get_text(peer.origin, &options), strerror(ELOOP));
    cr_expect_eq(peer.requests, 3);
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(ELOOP));
    cr_expect_eq(peer.requests, 3 + 11);
    options.redirects = -1;
    cr_expect_str_eq(get_text(peer.origin, &options), "302 gone");
    cr_expect_eq(peer.requests, 3 + 11 + 1);
    peer_stop(&peer);
}

/* Starts a peer that redirects to another one, which then redirects back to the first. */
static void start_two(const char *back)
{
    static char there[256], here[256];
    static struct reply replies[2][2];
    replies[0][0] = (struct reply){.text = there};
    replies[0][1] = (struct reply){.text = HELLO};
    replies[1][0] = (struct reply){.text = here};
    peer_start(&peer, replies[0], 2);
    peer_start(&other, replies[1], 1);
    snprintf(there, sizeof there, TO("307", "%s/b"), other.origin);
    snprintf(here, sizeof here, TO("307", "%s/c"), peer.origin);
    if (back == NULL)
        strcpy(here, HELLO);
}

static const verd_http_field secrets[] = {
    {"Authorization", "secret"},
    {"cookie", "secret"},
    {"Proxy-Authorization", "secret"},
    {"Host", "own"},
    {"X-Other", "open"},
};

Test(redirect, to_another_origin_tells_it_no_secrets)
{
    verd_http_request_options options = {.fields = secrets, .field_count = 5};
    start_two(NULL);
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_str_eq(field(&peer, 0, "Authorization"), "secret");
    cr_expect_str_eq(field(&peer, 0, "Host"), "own");
    cr_expect_null(strstr(other.heard[0], "secret"));
    cr_expect_str_eq(field(&other, 0, "Host"), other.origin + 7);
    cr_expect_str_eq(field(&other, 0, "X-Other"), "open");
    peer_stop(&peer);
    peer_stop(&other);
}

Test(redirect, back_to_the_first_origin_tells_it_no_secrets_either)
{
    verd_http_request_options options = {.fields = secrets, .field_count = 5};
    start_two("back");
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_eq(peer.requests, 2);
    cr_expect_null(strstr(peer.heard[1], "secret"));
    cr_expect_str_eq(field(&peer, 1, "Host"), peer.origin + 7);
    peer_stop(&peer);
    peer_stop(&other);
}

Test(redirect, within_an_origin_keeps_them)
{
    verd_http_request_options options = {.fields = secrets, .field_count = 5};
    PEER(&peer, {.text = TO("302", "/b")}, {.text = HELLO});
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_str_eq(field(&peer, 1, "Authorization"), "secret");
    cr_expect_str_eq(field(&peer, 1, "Host"), "own");
    peer_stop(&peer);
}

Test(redirect, to_nonsense_is_an_error)
{
    PEER(&peer, {.text = TO("302", "http:///")}, {.text = TO("302", "http://me@127.0.0.1/")},
         {.text = TO("302", "a\tb")}, {.text = TO("302", "ftp://a/")},
         {.text = TO("302", "https://127.0.0.1/")});
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(EBADMSG));
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(EBADMSG));
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(EBADMSG));
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(get_text(peer.origin, NULL), strerror(EPROTONOSUPPORT));
    peer_stop(&peer);
}

static ssize_t give_once(void *ctx, void *buffer, size_t size)
{
    bool *given = ctx;
    size_t give = *given ? 0 : 4;
    cr_assert(size >= 4);
    memcpy(buffer, "body", give);
    *given = true;
    return (ssize_t)give;
}

Test(redirect, of_a_body_that_is_gone_is_left_to_the_caller)
{
    bool given = false;
    verd_http_request_options options = {.source = give_once, .source_ctx = &given};
    PEER(&peer, {.text = TO("307", "/b")}, {.text = TO("303", "/b")}, {.text = HELLO});
    cr_expect_str_eq(ask_text("POST", peer.origin, &options), "307 gone");
    given = false;
    cr_expect_str_eq(ask_text("POST", peer.origin, &options), "200 hello");
    cr_expect_str_eq(line(&peer, 2), "GET /b HTTP/1.1");
    cr_expect_null(strstr(peer.heard[2], "chunked"));
    peer_stop(&peer);
}
