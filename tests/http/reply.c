/* SPDX-License-Identifier: MIT */

/* Replies, whole and in parts, as they come over the connection. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "http/date.h"
#include "site.h"

static struct site site;
static int outcomes[8];

#define CHUNKED_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* The answer to a GET by a handler, on a connection that the client ends. */
static const char *answer_of(verd_http_handler handler, const char *request)
{
    site_open(&site, handler, NULL);
    const char *text = ask(&site, request);
    site_close(&site);
    return text;
}

/* ---- fields ---- */

static int handle_adding(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_add(x, "Set-Cookie", "a=b");
    verd_http_add(x, "Set-Cookie", "c=d");
    verd_http_add(x, "X-Empty", "");
    return verd_http_reply(x, 404, NULL, NULL, 0);
}

Test(http, a_handler_adds_fields)
{
    cr_expect_str_eq(answer_of(handle_adding, GET),
                     "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                     "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nX-Empty: \r\n\r\n");
}

static int handle_adding_much(verd_http_exchange *x, void *ctx)
{
    char value[1001];
    (void)ctx;
    memset(value, 'v', 1000);
    value[1000] = '\0';
    for (int i = 0; i < 100; i++)
        verd_http_add(x, "X", value);
    return verd_http_reply(x, 200, NULL, "hello", 5);
}

Test(http, there_is_room_for_many_fields)
{
    cr_expect_eq(strlen(answer_of(handle_adding_much, GET GET)), 2 * (100 * 1005 + 43));
}

static int handle_bad_adding(verd_http_exchange *x, void *ctx)
{
    static const char *const names[] = {"",
                                        "A B",
                                        "A:",
                                        "A\r\nB",
                                        "A\n",
                                        "\x80",
                                        NULL,
                                        "A\t",
                                        "(",
                                        "Content-Length",
                                        "transfer-ENCODING"};
    static const char *const values[] = {"a\r\nB: c", "a\nb", "a\rb", "\x01", "\x7f", NULL};
    int *wrong = &outcomes[0];
    (void)ctx;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        *wrong += outcome(verd_http_add(x, names[i], "a")) != -EINVAL;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        *wrong += outcome(verd_http_add(x, "A", values[i])) != -EINVAL;
    *wrong += outcome(verd_http_add(x, "Connection", "keep-alive")) != -EINVAL;
    *wrong += outcome(verd_http_reply(x, 200, "text/plain\r\nA: b", "", 0)) != -EINVAL;
    *wrong += outcome(verd_http_reply(x, 199, NULL, "", 0)) != -EINVAL;
    *wrong += outcome(verd_http_reply(x, 600, NULL, "", 0)) != -EINVAL;
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

Test(http, what_would_forge_a_head_is_EINVAL)
{
    cr_expect_str_eq(answer_of(handle_bad_adding, GET), HELLO);
    cr_expect_eq(outcomes[0], 0);
}

static int handle_dating(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_add(x, "date", "today");
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

Test(http, a_handler_may_give_a_date_of_its_own)
{
    cr_expect_str_eq(answer_of(handle_dating, GET),
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
                     "date: today\r\n\r\nhello");
}

Test(http, dates_are_written_as_the_standard_has_them)
{
    char line[VERD__DATE_SIZE + 1] = "";
    verd__date_write(line, 784111777);
    cr_expect_str_eq(line, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    verd__date_write(line, 951782400);
    cr_expect_str_eq(line, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n");
}

/* ---- bodies that are not sent ---- */

Test(http, head_gets_the_head_of_a_get)
{
    cr_expect_str_eq(answer_of(handle_hello, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" GET),
                     OK("5", "") HELLO);
}

static int handle_status(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return verd_http_reply(x, atoi(verd_http_path(x) + 1), NULL, "hello", 5);
}

Test(http, some_statuses_have_no_body)
{
    site_open(&site, handle_status, NULL);
    cr_expect_str_eq(ask(&site, "GET /204 HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "HTTP/1.1 204 No Content\r\n\r\n");
    cr_expect_str_eq(ask(&site, "GET /304 HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "HTTP/1.1 304 Not Modified\r\n\r\n");
    cr_expect_str_eq(ask(&site, "GET /205 HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
    cr_expect_str_eq(ask(&site, "GET /299 HTTP/1.1\r\nHost: h\r\n\r\n"),
                     "HTTP/1.1 299 Unknown\r\nContent-Length: 5\r\n\r\nhello");
    site_close(&site);
}

static int handle_chunks(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    if (verd_http_begin(x, 200, VERD_HTTP_CHUNKED) != 0 || verd_http_write(x, "he", 2) != 0 ||
        verd_http_write(x, "", 0) != 0 || verd_http_flush(x) != 0)
        return -1;
    return verd_http_write(x, "l", 1) | verd_http_write(x, "lo", 2);
}

Test(http, a_reply_in_parts_has_no_body_where_none_is_sent)
{
    cr_expect_str_eq(answer_of(handle_chunks, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" GET),
                     CHUNKED_HEAD CHUNKED_HEAD "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
}

/* ---- bodies in parts ---- */

Test(http, a_body_of_unknown_length_is_sent_in_chunks)
{
    cr_expect_str_eq(answer_of(handle_chunks, GET GET),
                     CHUNKED_HEAD "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n" CHUNKED_HEAD
                                  "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
}

Test(http, to_http_1_0_it_is_sent_up_to_the_end_of_the_connection)
{
    site_open(&site, handle_chunks, NULL);
    cr_expect_str_eq(ask_and_stay(&site, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                     "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
    site_close(&site);
}

static int handle_empty(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    return verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
}

Test(http, a_body_in_chunks_may_be_empty)
{
    cr_expect_str_eq(answer_of(handle_empty, GET), CHUNKED_HEAD "0\r\n\r\n");
}

static int handle_parts(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, 5);
    verd_http_write(x, "he", 2);
    outcomes[0] = outcome(verd_http_write(x, "llo!", 4));
    return verd_http_write(x, "llo", 3);
}

Test(http, a_body_of_a_known_length_is_sent_as_it_is)
{
    cr_expect_str_eq(answer_of(handle_parts, GET GET),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    cr_expect_eq(outcomes[0], -EMSGSIZE);
}

static int handle_much(verd_http_exchange *x, void *ctx)
{
    static char block[50000];
    (void)ctx;
    memset(block, 'x', sizeof block);
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    for (size_t size = 1; size < sizeof block; size = size * 3 / 2 + 1) {
        if (verd_http_write(x, block, size) != 0)
            return -1;
    }
    return 0;
}

/* Undoes the chunks of a reply; the number of bytes in them, or -1. */
static long count_chunked(const char *text)
{
    long sum = 0;
    text = strstr(text, "\r\n\r\n");
    for (text += 4;;) {
        char *end;
        long size = strtol(text, &end, 16);
        if (end == text || strncmp(end, "\r\n", 2) != 0)
            return -1;
        if (size == 0)
            return strcmp(end, "\r\n\r\n") == 0 ? sum : -1;
        if ((long)strspn(end + 2, "x") != size || strncmp(end + 2 + size, "\r\n", 2) != 0)
            return -1;
        sum += size;
        text = end + 2 + size + 2;
    }
}

Test(http, parts_of_any_size_arrive_in_chunks)
{
    long expected = 0;
    for (size_t size = 1; size < 50000; size = size * 3 / 2 + 1)
        expected += (long)size;
    cr_expect_eq(count_chunked(answer_of(handle_much, GET)), expected);
}

static int handle_large(verd_http_exchange *x, void *ctx)
{
    static char body[300000];
    (void)ctx;
    memset(body, 'x', sizeof body);
    return verd_http_reply(x, 200, NULL, body, sizeof body);
}

Test(http, a_whole_body_may_be_large)
{
    const char *text = answer_of(handle_large, GET);
    cr_expect_eq(strspn(strstr(text, "\r\n\r\n") + 4, "x"), 300000);
}

static verd_semaphore go;

static int handle_in_steps(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    verd_http_write(x, "one", 3);
    verd_http_flush(x);
    verd_semaphore_acquire(&go);
    return verd_http_write(x, "two", 3);
}

Test(http, a_flush_sends_what_there_is)
{
    site_open(&site, handle_in_steps, NULL);
    int fd = site_connect(&site);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, CHUNKED_HEAD "3\r\none\r\n"), CHUNKED_HEAD "3\r\none\r\n");
    verd_semaphore_release(&go);
    verd_shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(fd), "3\r\ntwo\r\n0\r\n\r\n");
    site_close(&site);
}

static int handle_echo_stream(verd_http_exchange *x, void *ctx)
{
    char buffer[7];
    ssize_t n;
    (void)ctx;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    while ((n = verd_http_read(x, buffer, sizeof buffer)) > 0) {
        if (verd_http_write(x, buffer, (size_t)n) != 0 || verd_http_flush(x) != 0)
            return -1;
    }
    return (int)n;
}

Test(http, a_handler_may_reply_while_it_reads)
{
    site_open(&site, handle_echo_stream, NULL);
    int fd = site_connect(&site);
    say(fd, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    cr_expect_str_eq(hear_some(fd, CHUNKED_HEAD "3\r\nabc\r\n"), CHUNKED_HEAD "3\r\nabc\r\n");
    say(fd, "2\r\nde\r\n0\r\n\r\n");
    verd_shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(fd), "2\r\nde\r\n0\r\n\r\n");
    site_close(&site);
}

/* ---- misuse ---- */

static int handle_out_of_order(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    outcomes[0] = outcome(verd_http_write(x, "a", 1));
    outcomes[1] = outcome(verd_http_flush(x));
    verd_http_begin(x, 200, 5);
    outcomes[2] = outcome(verd_http_begin(x, 200, 5));
    outcomes[3] = outcome(verd_http_reply(x, 200, NULL, "", 0));
    outcomes[4] = outcome(verd_http_add(x, "A", "b"));
    outcomes[5] = outcome(verd_http_upgrade(x, "p"));
    return verd_http_write(x, "hello", 5);
}

Test(http, a_reply_is_begun_once_and_before_its_body)
{
    cr_expect_str_eq(answer_of(handle_out_of_order, GET),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    cr_expect_eq(outcomes[0], -EINVAL);
    cr_expect_eq(outcomes[1], -EINVAL);
    for (int i = 2; i < 6; i++)
        cr_expect_eq(outcomes[i], -EALREADY, "%d", i);
}

static int handle_twice(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    verd_http_reply(x, 200, "text/plain", "hello", 5);
    outcomes[0] = outcome(verd_http_reply(x, 200, "text/plain", "again", 5));
    outcomes[1] = outcome(verd_http_write(x, "again", 5));
    return 0;
}

Test(http, a_whole_reply_is_all_there_is)
{
    cr_expect_str_eq(answer_of(handle_twice, GET), HELLO);
    cr_expect_eq(outcomes[0], -EALREADY);
    cr_expect_eq(outcomes[1], -EINVAL);
}

/* ---- other protocols ---- */

static int handle_upgrade(verd_http_exchange *x, void *ctx)
{
    char buffer[64];
    ssize_t n;
    (void)ctx;
    verd_http_add(x, "X-Accept", "yes");
    outcomes[0] = outcome(verd_http_upgrade(x, "shout"));
    if (outcomes[0] != 0)
        return verd_http_reply(x, 426, NULL, NULL, 0);
    while ((n = verd_http_read(x, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            buffer[i] &= (char)~0x20;
        verd_http_write(x, buffer, (size_t)n);
    }
    return (int)n;
}

#define SWITCHED                                                                            \
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nX-Accept: yes\r\nUpgrade: " \
    "shout\r\n\r\n"

Test(http, a_connection_can_switch_to_another_protocol)
{
    site_open(&site, handle_upgrade, NULL);
    int fd = site_connect(&site);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nearly");
    cr_expect_str_eq(hear_some(fd, SWITCHED "EARLY"), SWITCHED "EARLY");
    say(fd, "late");
    cr_expect_str_eq(hear_some(fd, "LATE"), "LATE");
    verd_shutdown(fd, SHUT_WR);
    cr_expect_str_eq(hear(fd), "");
    site_close(&site);
}

Test(http, connect_is_switched_by_200)
{
    site_open(&site, handle_upgrade, NULL);
    cr_expect_str_eq(ask(&site, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\nabc"),
                     "HTTP/1.1 200 OK\r\nX-Accept: yes\r\n\r\nABC");
    site_close(&site);
}

Test(http, nobody_is_switched_who_has_not_asked)
{
    site_open(&site, handle_upgrade, NULL);
    ask(&site, GET);
    cr_expect_eq(outcomes[0], -EPROTO);
    ask(&site, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: shout\r\n\r\n");
    cr_expect_eq(outcomes[0], -EPROTO);
    ask(&site, "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n");
    cr_expect_eq(outcomes[0], -EPROTO);
    ask(&site, "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: shout\r\n"
               "Content-Length: 1\r\n\r\na");
    cr_expect_eq(outcomes[0], -EPROTO);
    site_close(&site);
}

Test(http, success_to_connect_is_a_switch)
{
    site_open(&site, handle_twice, NULL);
    ask(&site, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n");
    cr_expect_eq(outcomes[0], -EPROTO);
    site_close(&site);
}
