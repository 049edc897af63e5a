/* SPDX-License-Identifier: MIT */

/* Sizes that a peer says its message has, up to what no number holds. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "site.h"

static struct peer peer;
static struct site site;

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define MOST_BUT_ONE "18446744073709551614"
#define MOST "18446744073709551615"
#define MORE "99999999999999999999999999999999999999999"
#define SAY(length) {.text = OK_HEAD "Content-Length: " length "\r\n\r\nhello", .close = true}

/* What comes of reading all of it, without a bound. */
static const char *all_of(const char *url)
{
    verd_http_response *response = verd_http_get(url, NULL);
    if (response == NULL)
        return strerror(errno);
    char *body = verd_http_response_body(response, SIZE_MAX, NULL);
    int error = errno;
    verd_http_response_free(response);
    return body != NULL ? "a body" : strerror(error);
}

Test(size, of_a_response_that_no_number_holds_is_EOVERFLOW)
{
    PEER(&peer, SAY(MOST), SAY(MORE));
    cr_expect_str_eq(all_of(peer.origin), strerror(EOVERFLOW));
    cr_expect_str_eq(all_of(peer.origin), strerror(EOVERFLOW));
    cr_expect_eq(verd_http_client_connections(NULL), 0);
    peer_stop(&peer);
}

Test(size, that_is_only_announced_takes_no_memory)
{
    PEER(&peer, SAY(MOST_BUT_ONE), SAY("9223372036854775807"), SAY("1099511627776"));
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(all_of(peer.origin), strerror(ECONNRESET), "%d", i);
    peer_stop(&peer);
}

Test(size, of_a_body_that_does_not_come_is_no_matter)
{
    PEER(&peer, {.text = OK_HEAD "Content-Length: " MOST "\r\n\r\n"},
         {.text = "HTTP/1.1 304 No\r\nContent-Length: " MORE "\r\n\r\n"});
    verd_http_response *response = verd_http_request("HEAD", peer.origin, NULL);
    cr_assert_not_null(response);
    cr_expect_eq(verd_http_response_length(response), 0);
    cr_expect_str_eq(verd_http_response_header(response, "Content-Length"), MOST);
    verd_http_response_free(response);
    cr_expect_str_eq(get_text(peer.origin, NULL), "304 ");
    peer_stop(&peer);
}

Test(size, of_a_chunk_may_be_the_largest_number_and_no_larger)
{
    char text[8];
    PEER(&peer,
         {.text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                          "ffffffffffffffff\r\nhel",
          .close = true},
         {.text = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nhel"});
    verd_http_response *response = verd_http_get(peer.origin, NULL);
    cr_expect_eq(verd_http_response_read(response, text, 8), 3);
    cr_expect_eq(verd_http_response_read(response, text, 8), 3);
    cr_expect_eq(verd_http_response_read(response, text, 8), -1);
    cr_expect_eq(errno, ECONNRESET);
    verd_http_response_free(response);
    cr_expect_str_eq(all_of(peer.origin), strerror(EBADMSG));
    peer_stop(&peer);
}

/* What comes of a request with so long a body, which a handler reads without a bound. */
static int error;

static int read_all(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    error = verd_http_body(x, SIZE_MAX, NULL) == NULL ? errno : 0;
    return -1;
}

Test(size, of_a_request_is_refused_or_awaited)
{
    verd_http_options options = {.body = VERD_HTTP_UNLIMITED};
    site_open(&site, read_all, &options);
    ask(&site, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " MOST_BUT_ONE "\r\n\r\nhello");
    cr_expect_eq(error, ECONNRESET, "%s", strerror(error));
    error = 0;
    const char *answer =
        ask(&site, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " MOST "\r\n\r\nhello");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 413", 12), 0, "%s", answer);
    cr_expect_eq(error, 0);
    site_close(&site);
}
