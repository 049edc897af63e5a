/* SPDX-License-Identifier: MIT */

/* Redirects: how they are followed, with what, and how far. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
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

/* ---- vetted ---- */

struct guard {
    char seen[512];
    int error;
    bool refuses;
};

static int guard_redirect(void *ctx, const char *from, const char *to)
{
    struct guard *guard = ctx;
    snprintf(guard->seen, sizeof guard->seen, "%s %s", from, to);
    errno = guard->error;
    return guard->refuses ? -1 : 0;
}

Test(redirect, is_followed_if_the_caller_lets_it_pass)
{
    struct guard guard = {.refuses = false};
    char expected[512];
    verd_http_client *client = verd_http_client_new(
        &(verd_http_client_options){.redirect = guard_redirect, .hook_ctx = &guard});
    verd_http_request_options options = {.client = client};
    PEER(&peer, {.text = TO("302", "b")}, {.text = HELLO}, {.text = TO("302", "b")});
    cr_expect_str_eq(get_text(peer_url(&peer, "/a/"), &options), "200 hello");
    snprintf(expected, sizeof expected, "%s/a/ %s/a/b", peer.origin, peer.origin);
    cr_expect_str_eq(guard.seen, expected);
    guard.refuses = true;
    cr_expect_str_eq(get_text(peer_url(&peer, "/a/"), &options), strerror(EACCES));
    guard.error = EHOSTUNREACH;
    cr_expect_str_eq(get_text(peer_url(&peer, "/a/"), &options), strerror(EHOSTUNREACH));
    cr_expect_eq(peer.requests, 4);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

static int guard_address(void *ctx, const char *host, const struct sockaddr *address,
                         socklen_t length)
{
    struct guard *guard = ctx;
    char text[64] = "";
    getnameinfo(address, length, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    size_t size = strlen(guard->seen);
    snprintf(guard->seen + size, sizeof guard->seen - size, "%s=%s ", host, text);
    errno = guard->error;
    return guard->refuses ? -1 : 0;
}

Test(redirect, leads_to_no_address_that_the_caller_does_not_let_pass)
{
    struct guard guard = {.refuses = false};
    char there[256], url[64];
    struct reply replies[] = {{.text = there}};
    verd_http_client *client =
        verd_http_client_new(&(verd_http_client_options){.vet = guard_address, .hook_ctx = &guard});
    verd_http_request_options options = {.client = client};
    peer_start(&peer, replies, 1);
    PEER(&other, {.text = HELLO});
    snprintf(there, sizeof there, TO("302", "http://0x7f.1%s/"), strrchr(other.origin, ':'));
    cr_expect_str_eq(get_text(peer.origin, &options), "200 hello");
    cr_expect_str_eq(guard.seen, "127.0.0.1=127.0.0.1 0x7f.1=127.0.0.1 ");
    verd_http_client_close_idle(client);
    guard.refuses = true;
    snprintf(url, sizeof url, "http://0x7f.1%s/", strrchr(other.origin, ':'));
    cr_expect_str_eq(get_text(url, &options), strerror(EACCES));
    guard.error = ENETUNREACH;
    cr_expect_str_eq(get_text(url, &options), strerror(ENETUNREACH));
    cr_expect_eq(other.accepted, 1);
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
    peer_stop(&other);
}

static int refuse_ipv6(void *ctx, const char *host, const struct sockaddr *address,
                       socklen_t length)
{
    (void)ctx, (void)host, (void)length;
    return address->sa_family == AF_INET6 ? -1 : 0;
}

Test(redirect, tries_the_addresses_that_are_left)
{
    char url[64];
    verd_http_client *client =
        verd_http_client_new(&(verd_http_client_options){.vet = refuse_ipv6});
    verd_http_request_options options = {.client = client};
    PEER(&peer, {.text = HELLO});
    snprintf(url, sizeof url, "http://localhost%s/", strrchr(peer.origin, ':'));
    cr_expect_str_eq(get_text(url, &options), "200 hello");
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

/* A stream that is the descriptor itself. */
static int open_plainly(void *ctx, int fd, const char *host, verd_stream *stream)
{
    (void)ctx, (void)fd, (void)host, (void)stream;
    return 0;
}

Test(redirect, from_https_to_http_takes_no_body_along)
{
    char there[256], url[512];
    struct reply replies[] = {{.text = there}};
    verd_http_client *client =
        verd_http_client_new(&(verd_http_client_options){.open = open_plainly});
    verd_http_request_options options = {.client = client, .body = "secret", .size = 6};
    peer_start(&peer, replies, 1);
    PEER(&other, {.text = HELLO});
    snprintf(there, sizeof there, TO("307", "%s/b"), other.origin);
    snprintf(url, sizeof url, "https%s", peer.origin + 4);
    cr_expect_str_eq(ask_text("PUT", url, &options), "307 gone");
    cr_expect_eq(other.accepted, 0);
    options = (verd_http_request_options){.client = client};
    cr_expect_str_eq(get_text(url, &options), "200 hello");
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
    peer_stop(&other);
}
