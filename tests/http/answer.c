/* SPDX-License-Identifier: MIT */

/* Responses that are malformed, too large, cut short, or come byte by byte. They come from memory, by
 * way of a client whose `https` is a stream of exactly the pieces that a test wants. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "peer.h"

#define OK "HTTP/1.1 200 OK\r\n"

/* What the stream has to say. */
static struct {
    const char *text;
    size_t size;
    size_t cut;   /* the first piece ends here */
    size_t piece; /* others are of so many bytes at most */
    int error;    /* that it ends with; 0: an end */
    size_t given;
} script;

static ssize_t give(void *ctx, void *buffer, size_t size)
{
    (void)ctx;
    size_t there =
        script.given < script.cut ? script.cut - script.given : script.size - script.given;
    size = size < there ? size : there;
    if (script.piece != 0 && size > script.piece)
        size = script.piece;
    if (size == 0 && script.error != 0) {
        errno = script.error;
        return -1;
    }
    memcpy(buffer, script.text + script.given, size);
    script.given += size;
    return (ssize_t)size;
}

static ssize_t swallow(void *ctx, const void *data, size_t size)
{
    (void)ctx, (void)data;
    return (ssize_t)size;
}

static int open_script(void *ctx, int fd, const char *host, verd_stream *stream)
{
    static const verd_stream_ops ops = {.read = give, .write = swallow};
    (void)ctx, (void)fd, (void)host;
    stream->ops = &ops;
    script.given = 0;
    return 0;
}

static verd_http_client *client;
static char url[64];

/* Nobody accepts the connections: the backlog takes them. */
static void begin(const verd_http_limits *limits)
{
    int port;
    verd_http_client_options options = {.open = open_script};
    if (limits != NULL)
        options.limits = *limits;
    client = verd_http_client_new(&options);
    make_listener(&port);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
}

/* What comes of the first `size` bytes. */
static const char *hear_some(const char *method, const char *text, size_t size)
{
    script.text = text;
    script.size = size;
    const char *heard = ask_text(method, url, &(verd_http_request_options){.client = client});
    verd_http_client_close_idle(client);
    return heard;
}

static const char *hear(const char *text)
{
    return hear_some("GET", text, strlen(text));
}

Test(answer, that_is_malformed_is_EBADMSG)
{
    static const char *const wrong[] = {
        "\r\n" OK "\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>hello</html>\r\n\r\n",
        OK "A: b\n\r\n",
        OK "A: b\rc\r\n\r\n",
        OK "A : b\r\n\r\n",
        OK " A: b\r\n\r\n",
        OK "Content-Length: 1\r\n 1\r\n\r\n11",
        OK "Transfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n",
        OK "A: b\r\n \x01\r\n\r\n",
        OK "A\r\n\r\n",
        OK ": b\r\n\r\n",
        OK "A: \x01\r\n\r\n",
        OK "Content-Length: x\r\n\r\n",
        OK "Content-Length: -1\r\n\r\n",
        OK "Content-Length: +1\r\n\r\n1",
        OK "Content-Length: 1, 1\r\n\r\n1",
        OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n1",
        OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n1",
        OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: gzip\r\n\r\n",
        OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        NULL,
    };
    begin(NULL);
    for (size_t i = 0; wrong[i] != NULL; i++)
        cr_expect_str_eq(hear(wrong[i]), strerror(EBADMSG), "%s", wrong[i]);
    cr_expect_eq(verd_http_client_connections(client), 0);
}

Test(answer, with_NUL_in_it_is_EBADMSG)
{
    static const char text[] = OK "A: b\0c\r\n\r\n";
    begin(NULL);
    cr_expect_str_eq(hear_some("GET", text, sizeof text - 1), strerror(EBADMSG));
}

Test(answer, whose_body_is_malformed_says_so_behind_the_head)
{
    static const char *const wrong[] = {
        "x\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nA\r\n\r\n",
        "11111111111111111\r\nhello\r\n0\r\n\r\n",
        NULL,
    };
    char text[256], expected[64];
    begin(NULL);
    snprintf(expected, sizeof expected, "200, then %s", strerror(EBADMSG));
    for (size_t i = 0; wrong[i] != NULL; i++) {
        snprintf(text, sizeof text, OK "Transfer-Encoding: chunked\r\n\r\n%s", wrong[i]);
        cr_expect_str_eq(hear(text), expected, "%s", wrong[i]);
    }
    cr_expect_eq(verd_http_client_connections(client), 0);
}

Test(answer, beyond_the_limits_is_EMSGSIZE)
{
    static const verd_http_limits limits = {.line = 30, .header = 60, .fields = 3};
    begin(&limits);
    cr_expect_str_eq(hear("HTTP/1.1 200 234567890123456789\r\n\r\n"), strerror(EMSGSIZE));
    cr_expect_str_eq(hear("HTTP/1.1 200 23456789012345678\r\n\r\n"), "200 ");
    cr_expect_str_eq(hear(OK "A: 4567890123456789012345678901\r\n\r\n"), strerror(EMSGSIZE));
    cr_expect_str_eq(hear(OK "A: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"), strerror(EMSGSIZE));
    cr_expect_str_eq(hear(OK "A: b\r\nA: b\r\nA: b\r\n\r\n"), "200 ");
    cr_expect_str_eq(hear(OK "A: 45678901234567890\r\nA: 4567890123456789012\r\n\r\n"),
                     strerror(EMSGSIZE));
    cr_expect_str_eq(hear("HTTP/1.1 102 W\r\nA: 4567890\r\n\r\nHTTP/1.1 102 W\r\nA: 45\r\n\r\n" OK),
                     strerror(EMSGSIZE));
}

Test(answer, whose_trailers_are_beyond_the_limits_ends_in_EMSGSIZE)
{
    static const verd_http_limits limits = {.line = 40, .header = 80, .fields = 2};
    char expected[64];
    begin(&limits);
    snprintf(expected, sizeof expected, "200, then %s", strerror(EMSGSIZE));
    cr_expect_str_eq(hear(OK "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"),
                     expected);
}

/* Where it is cut, and how its bytes come, must make no difference. */
static void expect_however_it_comes(const char *method, const char *text, const char *expected)
{
    size_t size = strlen(text);
    for (script.piece = 0; script.piece < 4; script.piece++) {
        for (script.cut = 0; script.cut < size; script.cut++)
            cr_expect_str_eq(hear_some(method, text, size), expected,
                             "cut at %zu, pieces of %zu: %s", script.cut, script.piece, text);
    }
    script.piece = script.cut = 0;
}

#define CHUNKED                                                        \
    OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=\"y\"\r\n" \
       ", world\r\n0\r\nA: b\r\nC: d\r\n\r\n"
#define LENGTH OK "A: b\r\nContent-Length: 5\r\n\r\nhello"
#define INTERIM "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"

Test(answer, is_the_same_wherever_it_is_split)
{
    begin(NULL);
    expect_however_it_comes("GET", LENGTH, "200 hello");
    expect_however_it_comes("GET", CHUNKED, "200 hello, world");
    expect_however_it_comes("GET", INTERIM LENGTH, "200 hello");
    expect_however_it_comes("GET", OK "\r\nto the end", "200 to the end");
    expect_however_it_comes("HEAD", OK "Content-Length: 5\r\n\r\n", "200 ");
    expect_however_it_comes("GET", "HTTP/1.1 204 No\r\n\r\n", "204 ");
}

/* Until it is complete, it is an error: of the request as long as the head is not, then of the body. */
static void expect_errors_until_complete(const char *text, int error)
{
    char broken[64];
    size_t size = strlen(text);
    size_t head = (size_t)(strstr(strstr(text, OK), "\r\n\r\n") + 4 - text);
    snprintf(broken, sizeof broken, "200, then %s", strerror(error));
    script.error = error == ECONNRESET ? 0 : error;
    for (size_t i = 0; i < size; i++)
        cr_expect_str_eq(hear_some("GET", text, i), i < head ? strerror(error) : broken,
                         "cut at %zu: %s", i, text);
    script.error = 0;
    cr_expect_eq(verd_http_client_connections(client), 0);
}

Test(answer, that_is_cut_short_is_never_taken_for_complete)
{
    begin(NULL);
    expect_errors_until_complete(LENGTH, ECONNRESET);
    expect_errors_until_complete(CHUNKED, ECONNRESET);
    expect_errors_until_complete(INTERIM LENGTH, ECONNRESET);
    expect_errors_until_complete(CHUNKED, EIO);
}

Test(answer, without_a_length_is_broken_by_an_error_of_the_connection)
{
    char expected[64];
    begin(NULL);
    script.error = ECONNRESET;
    snprintf(expected, sizeof expected, "200, then %s", strerror(ECONNRESET));
    cr_expect_str_eq(hear(OK "\r\nto the en"), expected);
    script.error = 0;
    cr_expect_str_eq(hear(OK "\r\nto the en"), "200 to the en");
}

Test(answer, says_the_same_error_again)
{
    char byte;
    begin(NULL);
    script.text = OK "Content-Length: 5\r\n\r\nh";
    script.size = strlen(script.text);
    verd_http_response *response =
        verd_http_get(url, &(verd_http_request_options){.client = client});
    cr_expect_eq(verd_http_response_read(response, &byte, 1), 1);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(verd_http_response_read(response, &byte, 1), -1);
        cr_expect_eq(errno, ECONNRESET);
        cr_expect_null(verd_http_response_body(response, 10, NULL));
        cr_expect_eq(errno, ECONNRESET);
    }
    cr_expect_eq(verd_http_client_connections(client), 0);
    verd_http_response_free(response);
}
