/* SPDX-License-Identifier: MIT */

/* The client: what it sends, and what it makes of what comes back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static struct peer peer;

#define OK "HTTP/1.1 200 OK\r\n"
#define HELLO OK "Content-Length: 5\r\n\r\nhello"

/* ---- what comes back ---- */

Test(client, gets_a_status_fields_and_a_body)
{
    PEER(&peer,
         {.text = OK "Content-Type: text/plain\r\nX: 1\r\nx: 2\r\nContent-Length: 5\r\n\r\nhello"});
    size_t count, size;
    verd_http_response *response = verd_http_get(peer_url(&peer, "/a"), NULL);
    cr_assert_not_null(response);
    cr_expect_eq(verd_http_response_status(response), 200);
    cr_expect_str_eq(verd_http_response_url(response), peer_url(&peer, "/a"));
    cr_expect_str_eq(verd_http_response_header(response, "content-TYPE"), "text/plain");
    cr_expect_str_eq(verd_http_response_header(response, "X"), "1");
    cr_expect_null(verd_http_response_header(response, "Y"));
    const verd_http_field *fields = verd_http_response_headers(response, &count);
    cr_expect_eq(count, 4);
    cr_expect_str_eq(fields[2].name, "x");
    cr_expect_str_eq(fields[2].value, "2");
    cr_expect_eq(verd_http_response_length(response), 5);
    const char *body = verd_http_response_body(response, 5, &size);
    cr_expect_str_eq(body, "hello");
    cr_expect_eq(size, 5);
    cr_expect_eq(verd_http_response_body(response, 5, NULL), body);
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(client, reads_a_body_as_a_stream)
{
    char text[8] = "";
    PEER(&peer, {.text = HELLO});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_eq(verd_http_response_read(response, text, 2), 2);
    cr_expect_eq(verd_http_response_read(response, text + 2, 6), 3);
    cr_expect_eq(verd_http_response_read(response, text, 1), 0);
    cr_expect_eq(verd_http_response_read(response, text, 1), 0);
    cr_expect_str_eq(text, "hello");
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(client, gives_what_is_left_of_a_body_that_was_begun_as_a_stream)
{
    char text[3];
    PEER(&peer, {.text = HELLO});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_eq(verd_http_response_read(response, text, 3), 3);
    cr_expect_str_eq(verd_http_response_body(response, 8, NULL), "lo");
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(client, bounds_a_body_and_loses_none_of_it)
{
    PEER(&peer, {.text = OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_null(verd_http_response_body(response, 4, NULL));
    cr_expect_eq(errno, EMSGSIZE);
    cr_expect_str_eq(verd_http_response_body(response, 5, NULL), "hello");
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(client, reads_chunks_and_drops_what_is_behind_them)
{
    PEER(&peer, {.text = OK "Transfer-Encoding: chunked\r\n\r\n"
                            "5;a=b\r\nhello\r\n7\r\n, world\r\n0\r\nTrailer: x\r\n\r\n"});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_eq(verd_http_response_length(response), VERD_HTTP_CHUNKED);
    cr_expect_str_eq(response_text(response), "200 hello, world");
    cr_expect_str_eq(get_text(peer_url(&peer, "/"), NULL), "200 hello, world");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

Test(client, reads_to_the_end_of_the_connection_where_nothing_else_is_said)
{
    PEER(&peer, {.text = OK "\r\nhello", .close = true},
         {.text = "HTTP/1.0 200\r\n\r\nold", .close = true});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_eq(verd_http_response_length(response), VERD_HTTP_CHUNKED);
    cr_expect_str_eq(response_text(response), "200 hello");
    cr_expect_str_eq(get_text(peer_url(&peer, "/"), NULL), "200 old");
    cr_expect_eq(peer.accepted, 2);
    peer_stop(&peer);
}

Test(client, knows_which_responses_have_no_body)
{
    PEER(&peer, {.text = "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n"},
         {.text = "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n"},
         {.text = "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n"},
         {.text = OK "Content-Length: 5\r\n\r\n"}, {.text = OK "\r\n"},
         {.text = OK "Content-Length: 0\r\n\r\n"});
    const char *url = peer_url(&peer, "/");
    cr_expect_str_eq(get_text(url, NULL), "204 ");
    cr_expect_str_eq(get_text(url, NULL), "304 ");
    cr_expect_str_eq(get_text(url, NULL), "304 ");
    cr_expect_str_eq(ask_text("HEAD", url, NULL), "200 ");
    cr_expect_str_eq(ask_text("HEAD", url, NULL), "200 ");
    cr_expect_str_eq(get_text(url, NULL), "200 ");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

Test(client, says_how_long_a_body_is_to_be_read)
{
    PEER(&peer, {.text = OK "Content-Length: 5\r\n\r\n"});
    verd_http_response *response = verd_http_request("HEAD", peer_url(&peer, "/"), NULL);
    cr_expect_eq(verd_http_response_length(response), 0);
    cr_expect_str_eq(verd_http_response_header(response, "Content-Length"), "5");
    verd_http_response_free(response);
    peer_stop(&peer);
}

Test(client, skips_what_comes_before_the_response)
{
    PEER(&peer,
         {.text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" HELLO},
         {.text = "HTTP/1.1 100 Continue\r\n\r\n" HELLO, .step = 1});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_null(verd_http_response_header(response, "Link"));
    cr_expect_str_eq(response_text(response), "200 hello");
    cr_expect_str_eq(get_text(peer_url(&peer, "/"), NULL), "200 hello");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

struct hint {
    int status[4];
    char link[8];
    size_t count;
};

static void note_hint(void *ctx, int status, const verd_http_field *fields, size_t count)
{
    struct hint *hint = ctx;
    hint->status[hint->count++] = status;
    if (count > 0)
        snprintf(hint->link, sizeof hint->link, "%s", fields[0].value);
}

Test(client, tells_of_what_comes_before_the_response)
{
    struct hint hint = {.count = 0};
    verd_http_request_options options = {.interim = note_hint, .interim_ctx = &hint};
    PEER(&peer, {.text = "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                         "HTTP/1.1 199 Other\r\n\r\n" HELLO});
    cr_expect_str_eq(get_text(peer_url(&peer, "/"), &options), "200 hello");
    cr_expect_eq(hint.count, 3);
    cr_expect_eq(hint.status[0], 102);
    cr_expect_eq(hint.status[1], 103);
    cr_expect_eq(hint.status[2], 199);
    cr_expect_str_eq(hint.link, "x");
    peer_stop(&peer);
}

Test(client, reads_the_fields_behind_a_body)
{
    size_t count;
    PEER(&peer,
         {.text = OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
                     "Sum: a \r\n\tb\r\nContent-Length: nonsense\r\nsum: c\r\n\r\n",
          .step = 3},
         {.text = HELLO}, {.text = OK "Transfer-Encoding: chunked\r\n\r\n0\r\n b\r\n\r\n"});
    verd_http_response *response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_null(verd_http_response_trailers(response, &count));
    cr_expect_str_eq(verd_http_response_body(response, 5, NULL), "hello");
    const verd_http_field *fields = verd_http_response_trailers(response, &count);
    cr_assert_eq(count, 3);
    cr_expect_str_eq(fields[0].name, "Sum");
    cr_expect_str_eq(fields[0].value, "a    b");
    cr_expect_str_eq(fields[1].value, "nonsense");
    cr_expect_str_eq(verd_http_response_trailer(response, "SUM"), "a    b");
    cr_expect_null(verd_http_response_trailer(response, "x"));
    verd_http_response_free(response);
    response = verd_http_get(peer_url(&peer, "/"), NULL);
    cr_expect_str_eq(verd_http_response_body(response, 5, NULL), "hello");
    cr_expect_null(verd_http_response_trailers(response, &count));
    cr_expect_eq(count, 0);
    verd_http_response_free(response);
    cr_expect_eq(peer.accepted, 1);
    const char *text = get_text(peer_url(&peer, "/"), NULL);
    cr_expect_not_null(strstr(text, strerror(EBADMSG)), "%s", text);
    peer_stop(&peer);
}

Test(client, does_not_skip_for_ever)
{
    static const char interim[] = "HTTP/1.1 102 Wait\r\n\r\n";
    static char endless[100000];
    static const struct reply reply = {.text = endless};
    for (size_t i = 0; i + sizeof interim < sizeof endless; i += sizeof interim - 1)
        memcpy(endless + i, interim, sizeof interim);
    peer_start(&peer, &reply, 1);
    cr_expect_str_eq(get_text(peer_url(&peer, "/"), NULL), strerror(EMSGSIZE));
    peer_stop(&peer);
}

/* ---- what is sent ---- */

static const char *heard(size_t i)
{
    static char text[1024];
    snprintf(text, sizeof text, "%s", peer.heard[i]);
    char *port = strstr(text, peer.origin + 17);
    if (port != NULL)
        memmove(port, port + strlen(peer.origin + 17), strlen(port + strlen(peer.origin + 17)) + 1);
    return text;
}

#define HOST "Host: 127.0.0.1:\r\n"
#define IDENTITY "Accept-Encoding: identity\r\n"

Test(client, asks_for_what_the_url_says)
{
    PEER(&peer, {.text = HELLO});
    get_text(peer_url(&peer, "/a/../b?c=%20#d"), NULL);
    cr_expect_str_eq(heard(0), "GET /a/../b?c=%20 HTTP/1.1\r\n" HOST IDENTITY "\r\n");
    get_text(peer.origin, NULL);
    cr_expect_str_eq(heard(1), "GET / HTTP/1.1\r\n" HOST IDENTITY "\r\n");
    peer_stop(&peer);
}

Test(client, sends_fields_and_takes_others_for_its_own)
{
    static const verd_http_field fields[] = {
        {"X", "1"}, {"host", "h"}, {"accept-encoding", "br"}, {"Empty", ""}};
    verd_http_client *client = verd_http_client_new(&(verd_http_client_options){.agent = "a/1"});
    verd_http_request_options options = {.fields = fields, .field_count = 4, .client = client};
    PEER(&peer, {.text = HELLO});
    get_text(peer.origin, &options);
    cr_expect_str_eq(heard(0), "GET / HTTP/1.1\r\nUser-Agent: a/1\r\n"
                               "X: 1\r\nhost: h\r\naccept-encoding: br\r\nEmpty: \r\n\r\n");
    cr_expect_eq(verd_http_client_free(client), 0);
    peer_stop(&peer);
}

Test(client, sends_a_body)
{
    verd_http_request_options options = {.body = "a\0b", .size = 3};
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("POST", peer.origin, &options), "200 hello");
    cr_expect_str_eq(heard(0), "POST / HTTP/1.1\r\n" HOST IDENTITY "Content-Length: 3\r\n\r\na");
    cr_expect_eq(memcmp(strstr(peer.heard[0], "\r\n\r\n") + 4, "a\0b", 3), 0);
    ask_text("POST", peer.origin, NULL);
    cr_expect_str_eq(heard(1), "POST / HTTP/1.1\r\n" HOST IDENTITY "Content-Length: 0\r\n\r\n");
    ask_text("DELETE", peer.origin, NULL);
    cr_expect_str_eq(heard(2), "DELETE / HTTP/1.1\r\n" HOST IDENTITY "\r\n");
    cr_expect_eq(peer.accepted, 1);
    peer_stop(&peer);
}

/* A body that comes piece by piece, and fails or ends. */
struct source {
    const char *const *pieces;
    int error;
};

static ssize_t give(void *ctx, void *buffer, size_t size)
{
    struct source *source = ctx;
    const char *piece = *source->pieces;
    if (piece == NULL) {
        errno = source->error;
        return source->error != 0 ? -1 : 0;
    }
    source->pieces++;
    cr_assert(strlen(piece) <= size);
    memcpy(buffer, piece, strlen(piece));
    verd_yield();
    return (ssize_t)strlen(piece);
}

static const char *const pieces[] = {"hel", "lo", NULL};

Test(client, sends_a_body_of_a_source_in_chunks)
{
    struct source source = {.pieces = pieces};
    verd_http_request_options options = {.source = give, .source_ctx = &source};
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_str_eq(heard(0),
                     "PUT / HTTP/1.1\r\n" HOST IDENTITY "Transfer-Encoding: chunked\r\n\r\n"
                     "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
    peer_stop(&peer);
}

Test(client, sends_a_body_of_a_source_with_its_length)
{
    struct source source = {.pieces = pieces};
    verd_http_request_options options = {.source = give, .source_ctx = &source, .length = 5};
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), "200 hello");
    cr_expect_str_eq(heard(0), "PUT / HTTP/1.1\r\n" HOST IDENTITY "Content-Length: 5\r\n\r\nhello");
    peer_stop(&peer);
}

Test(client, fails_with_its_source_and_gives_the_connection_up)
{
    struct source source = {.pieces = pieces, .error = ECONNRESET};
    verd_http_request_options options = {.source = give, .source_ctx = &source};
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), strerror(ECONNRESET));
    source = (struct source){.pieces = pieces};
    options.length = 6;
    cr_expect_str_eq(ask_text("PUT", peer.origin, &options), strerror(EIO));
    cr_expect_eq(peer.requests, 0);
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    peer_stop(&peer);
}

static const char *with_field(const char *name, const char *value)
{
    verd_http_field field = {name, value};
    return get_text(peer.origin, &(verd_http_request_options){.fields = &field, .field_count = 1});
}

Test(client, lets_no_field_say_what_is_not_its_own)
{
    static const char *const wrong[][2] = {
        {"X", "a\r\nY: b"},
        {"X", "a\nb"},
        {"X", "a\rb"},
        {"X", "\x01"},
        {"X", "\x7f"},
        {"X\r\nY", "a"},
        {"X Y", "a"},
        {"X:", "a"},
        {"", "a"},
        {NULL, "a"},
        {"X", NULL},
        {"Content-Length", "1"},
        {"transfer-encoding", "chunked"},
        {"Connection", "keep-alive"},
    };
    PEER(&peer, {.text = HELLO});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_str_eq(with_field(wrong[i][0], wrong[i][1]), strerror(EINVAL), "%zu", i);
    cr_expect_eq(peer.accepted, 0);
    cr_expect_str_eq(with_field("X", "a\tb \xc3\xa4"), "200 hello");
    peer_stop(&peer);
}

Test(client, refuses_what_cannot_be_sent)
{
    verd_http_request_options both = {.body = "", .source = give};
    verd_http_request_options none = {.size = 1};
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("GET /", peer.origin, NULL), strerror(EINVAL));
    cr_expect_str_eq(ask_text("", peer.origin, NULL), strerror(EINVAL));
    cr_expect_str_eq(ask_text(NULL, peer.origin, NULL), strerror(EINVAL));
    cr_expect_str_eq(ask_text("CONNECT", peer.origin, NULL), strerror(EINVAL));
    cr_expect_str_eq(ask_text("POST", peer.origin, &both), strerror(EINVAL));
    cr_expect_str_eq(ask_text("POST", peer.origin, &none), strerror(EINVAL));
    cr_expect_str_eq(get_text("http://me:secret@127.0.0.1/", NULL), strerror(EINVAL));
    cr_expect_str_eq(get_text(NULL, NULL), strerror(EINVAL));
    cr_expect_str_eq(get_text("https://127.0.0.1/", NULL), strerror(EPROTONOSUPPORT));
    cr_expect_str_eq(get_text("ftp://127.0.0.1/", NULL), strerror(EPROTONOSUPPORT));
    cr_expect_eq(peer.accepted, 0);
    peer_stop(&peer);
}

Test(client, sends_any_method_that_is_a_token)
{
    PEER(&peer, {.text = HELLO});
    cr_expect_str_eq(ask_text("PROPFIND", peer.origin, NULL), "200 hello");
    cr_expect_str_eq(heard(0), "PROPFIND / HTTP/1.1\r\n" HOST IDENTITY "\r\n");
    peer_stop(&peer);
}

Test(client, hears_an_answer_that_comes_before_the_body_was_sent)
{
    static char large[4 << 20];
    verd_http_request_options options = {.body = large, .size = sizeof large};
    PEER(&peer, {.text = "HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\nno",
                 .close = true,
                 .deaf = true});
    cr_expect_str_eq(ask_text("POST", peer.origin, &options), "413 no");
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    peer_stop(&peer);
}
