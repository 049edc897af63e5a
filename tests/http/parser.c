/* SPDX-License-Identifier: MIT */

/* Heads of messages, however they are cut into pieces on their way. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/parser.h"

#define FIELDS 8

static const verd_http_limits limits = {.line = 200, .header = 600, .fields = FIELDS};

static struct verd__head head;
static verd_http_field fields[FIELDS];
static char room[70000];
static struct verd__text line;

/* The answer to the first `first` bytes of a message and, if that is to wait, to all `size`. */
static int parse_in_two(const char *text, size_t first, size_t size, bool response)
{
    verd__head_init(&head, &limits, fields, response);
    memcpy(room, text, size);
    int status = verd__head_parse(&head, room, first);
    return status != 0 ? status : verd__head_parse(&head, room, size);
}

/* The same answer has to come wherever the message is cut in two, and from single bytes. */
static int parse(const char *text, bool response)
{
    size_t size = strlen(text);
    int expected = parse_in_two(text, size, size, response);
    for (size_t i = 0; i < size; i++) {
        int status = parse_in_two(text, i, size, response);
        cr_assert_eq(status, expected, "%d, but %d when cut at %zu: %s", expected, status, i, text);
    }
    verd__head_init(&head, &limits, fields, response);
    memcpy(room, text, size);
    int status = 0;
    for (size_t i = 1; i <= size && status == 0; i++)
        status = verd__head_parse(&head, room, i);
    cr_assert_eq(status, expected, "%d, but %d of single bytes: %s", expected, status, text);
    return status;
}

static int request(const char *text)
{
    return parse(text, false);
}

/* A request with these lines after the first and Host. */
static int fields_of(const char *lines)
{
    char text[512];
    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: h\r\n%s\r\n", lines);
    return request(text);
}

/* A request with this first line. */
static int first_line(const char *line)
{
    char text[512];
    snprintf(text, sizeof text, "%s\r\nHost: h\r\n\r\n", line);
    return request(text);
}

Test(http, a_request_is_taken_apart)
{
    cr_assert_eq(
        request("GET /a/b?c=d?e HTTP/1.1\r\nHost: example.org:80\r\nX-One:  1 2\t\r\n\r\n"), 200);
    cr_expect_str_eq(head.method, "GET");
    cr_expect_str_eq(head.path, "/a/b");
    cr_expect_str_eq(head.query, "c=d?e");
    cr_expect_str_eq(head.host, "example.org:80");
    cr_expect_eq(head.minor, 1);
    cr_expect_eq(head.count, 2);
    cr_expect_str_eq(head.fields[1].name, "X-One");
    cr_expect_str_eq(head.fields[1].value, "1 2");
    cr_expect_str_eq(verd__head_find(&head, "x-oNE"), "1 2");
    cr_expect_null(verd__head_find(&head, "x-on"));
}

Test(http, what_follows_a_head_is_left_alone)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next";
    cr_assert_eq(request(text), 200);
    cr_assert_str_eq(room + head.parsed, "GET /next");
}

Test(http, empty_lines_before_a_request_are_ignored)
{
    cr_assert_eq(request("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 200);
}

Test(http, a_head_can_be_moved)
{
    static char elsewhere[512];
    parse_in_two("GET /p?q HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n", 30, 37, false);
    memcpy(elsewhere, room, 37);
    verd__head_moved(&head, room, elsewhere);
    memset(room, 'x', 37);
    cr_expect_str_eq(head.method, "GET");
    cr_expect_str_eq(head.path, "/p");
    cr_expect_str_eq(head.query, "q");
    cr_expect_str_eq(head.host, "h");
    cr_expect_str_eq(verd__head_find(&head, "x"), "y");
    cr_expect_str_eq(verd__head_line(&head, &line), "GET /p?q HTTP/1.1");
    cr_expect_str_eq(head.path, "/p");
    verd__text_free(&line);
}

Test(http, the_first_line_can_be_put_together_again)
{
    static const char *const lines[] = {
        "GET / HTTP/1.1",
        "GET /a?b?c HTTP/1.0",
        "GET http://host HTTP/1.1",
        "GET http://host:80/path?query HTTP/1.1",
        "GET https://host?query HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "OPTIONS http://h HTTP/1.1",
        "CONNECT host:80 HTTP/1.1",
        "GET / HTTP/3.1",
        "malformed",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        first_line(lines[i]);
        cr_expect_str_eq(verd__head_line(&head, &line), lines[i]);
    }
    verd__text_free(&line);
}

Test(http, what_is_not_printable_in_a_first_line_is_replaced)
{
    first_line("GET /\x1b[2J\x80 HTTP/1.1");
    cr_expect_str_eq(verd__head_line(&head, &line), "GET /?[2J? HTTP/1.1");
    verd__text_free(&line);
}

/* ---- first lines ---- */

Test(http, the_target_may_name_the_host)
{
    cr_assert_eq(first_line("GET http://[::1]:81/a?b HTTP/1.1"), 200);
    cr_expect_str_eq(head.host, "[::1]:81");
    cr_expect_str_eq(head.path, "/a");
    cr_expect_str_eq(head.query, "b");
}

Test(http, a_target_without_a_path_means_the_root)
{
    cr_assert_eq(first_line("GET HTTP://other?b HTTP/1.1"), 200);
    cr_expect_str_eq(head.host, "other");
    cr_expect_str_eq(head.path, "/");
    cr_expect_str_eq(head.query, "b");
}

Test(http, options_may_be_asked_of_the_whole_server)
{
    cr_expect_eq(first_line("OPTIONS * HTTP/1.1"), 200);
    cr_expect_eq(first_line("OPTIONS http://h HTTP/1.1"), 200);
    cr_expect_str_eq(head.path, "*");
    cr_expect_eq(first_line("GET * HTTP/1.1"), 400);
    cr_expect_eq(first_line("OPTIONS *x HTTP/1.1"), 400);
}

Test(http, connect_names_a_host_and_a_port)
{
    cr_expect_eq(first_line("CONNECT host:443 HTTP/1.1"), 200);
    cr_expect_str_eq(head.path, "host:443");
    cr_expect_eq(first_line("CONNECT host HTTP/1.1"), 400);
    cr_expect_eq(first_line("CONNECT host: HTTP/1.1"), 400);
    cr_expect_eq(first_line("CONNECT :443 HTTP/1.1"), 400);
    cr_expect_eq(first_line("CONNECT / HTTP/1.1"), 400);
}

Test(http, a_later_minor_version_is_taken_for_1_1)
{
    cr_expect_eq(first_line("GET / HTTP/1.7"), 200);
    cr_expect_eq(head.minor, 1);
}

Test(http, another_major_version_is_505)
{
    cr_expect_eq(first_line("GET / HTTP/2.0"), 505);
    cr_expect_eq(first_line("GET / HTTP/0.9"), 505);
}

Test(http, a_malformed_first_line_is_400)
{
    static const char *const lines[] = {
        " GET / HTTP/1.1",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/1",
        "GET / HTTP/1.11",
        "GET / HTTP/11",
        "GET / HTTP/a.1",
        "GET / HTTX/1.1",
        "G(T / HTTP/1.1",
        "G\x80T / HTTP/1.1",
        " / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /\x80 HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /a<b HTTP/1.1",
        "GET /a>b HTTP/1.1",
        "GET /a?\"b HTTP/1.1",
        "GET /a?{b HTTP/1.1",
        "GET /a|b HTTP/1.1",
        "GET /a}b HTTP/1.1",
        "GET /a\\b HTTP/1.1",
        "GET /a?^b HTTP/1.1",
        "GET /a`b HTTP/1.1",
        "GET http://host/a|b HTTP/1.1",
        "GET a HTTP/1.1",
        "GET ftp://host/ HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET http:///a HTTP/1.1",
        "GET http://user@host/ HTTP/1.1",
        "GET http://:80/ HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "GET http:/a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET /\x01 HTTP/1.1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_eq(first_line(lines[i]), 400, "%s", lines[i]);
}

/* ---- line ends ---- */

Test(http, a_line_that_ends_in_lf_alone_is_400)
{
    cr_expect_eq(request("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400);
    cr_expect_eq(request("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400);
    cr_expect_eq(request("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400);
    cr_expect_eq(request("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

Test(http, a_cr_alone_is_400)
{
    cr_expect_eq(request("GET / HTTP/1.1\rHost: h\r\r"), 400);
    cr_expect_eq(request("GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    cr_expect_eq(fields_of("A: b\rc\r\n"), 400);
    cr_expect_eq(fields_of("A: b\r\r\n"), 400);
}

Test(http, a_null_byte_is_400)
{
    static const char first[] = "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n";
    static const char value[] = "GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n";
    static const char name[] = "GET / HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n";
    cr_expect_eq(parse_in_two(first, 3, sizeof first - 1, false), 400);
    cr_expect_eq(parse_in_two(value, 3, sizeof value - 1, false), 400);
    cr_expect_eq(parse_in_two(name, 3, sizeof name - 1, false), 400);
}

/* ---- fields ---- */

Test(http, a_malformed_field_is_400)
{
    static const char *const lines[] = {
        "A : b\r\n",    "A\t: b\r\n",     ": b\r\n",         "A\r\n",
        " A: b\r\n",    "A: b\r\n c\r\n", "A: b\r\n\tc\r\n", "A: b\x01\r\n",
        "A: b\x7f\r\n", "A(: b\r\n",      "A\x80: b\r\n",    "A: 12345678\x1f 12345678\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_eq(fields_of(lines[i]), 400, "%s", lines[i]);
}

Test(http, white_space_before_the_first_field_is_400)
{
    cr_expect_eq(request("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
}

Test(http, a_field_may_be_empty_or_contain_tabs_and_bytes_above_ascii)
{
    cr_expect_eq(fields_of("A:\r\nB: \r\nC: 12345678\t\x80\xff 12345678\r\n"), 200);
    cr_expect_str_eq(verd__head_find(&head, "a"), "");
    cr_expect_str_eq(verd__head_find(&head, "b"), "");
    cr_expect_str_eq(verd__head_find(&head, "c"), "12345678\t\x80\xff 12345678");
}

Test(http, there_is_one_host_in_a_request)
{
    cr_expect_eq(request("GET / HTTP/1.1\r\n\r\n"), 400);
    cr_expect_eq(request("GET / HTTP/1.0\r\n\r\n"), 200);
    cr_expect_eq(fields_of("Host: h\r\n"), 400);
    cr_expect_eq(request("GET http://h/ HTTP/1.1\r\n\r\n"), 400);
}

Test(http, a_host_that_is_none_is_400)
{
    static const char *const hosts[] = {"a b",   "a, b", "a/b",  "a@b", "[::1", "a:b",
                                        "a:1:2", "a?",   "\x80", ":",   ":80"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char text[128];
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
        cr_expect_eq(request(text), 400, "%s", hosts[i]);
    }
    cr_expect_eq(request("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 200);
    cr_expect_eq(request("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 200);
}

Test(http, the_length_of_the_body_is_read)
{
    cr_expect_eq(fields_of("Content-Length: 00042\r\n"), 200);
    cr_expect_eq(head.length, 42);
    cr_expect_eq(fields_of("Content-Length: 18446744073709551614\r\n"), 200);
    cr_expect_eq(head.length, UINT64_MAX - 1);
    cr_expect_eq(fields_of("Content-Length: 18446744073709551615\r\n"), 200);
    cr_expect_eq(head.length, UINT64_MAX); /* or more: nobody can tell */
    cr_expect_eq(fields_of("Content-Length: 18446744073709551616\r\n"), 200);
    cr_expect_eq(head.length, UINT64_MAX);
    cr_expect_eq(fields_of("Content-Length: 184467440737095516150\r\n"), 200);
    cr_expect_eq(head.length, UINT64_MAX);
    cr_expect_eq(fields_of("Content-Length: 99999999999999999999999999\r\n"), 200);
    cr_expect_eq(head.length, UINT64_MAX);
}

Test(http, a_length_that_is_none_or_two_is_400)
{
    static const char *const values[] = {
        "", "-1", "+1", "1 ,", "0x1", "1.0", "1, 1", "1,1", "a", "1 1", "1;", "\xb2",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char line[64];
        snprintf(line, sizeof line, "Content-Length: %s\r\n", values[i]);
        cr_expect_eq(fields_of(line), 400, "%s", values[i]);
    }
    cr_expect_eq(fields_of("Content-Length: 1\r\nContent-length: 1\r\n"), 400);
    cr_expect_eq(fields_of("Content-Length: 1\r\nContent-length: 2\r\n"), 400);
}

Test(http, chunked_is_the_last_coding_and_only_once)
{
    cr_expect_eq(fields_of("Transfer-Encoding: Chunked\r\n"), 200);
    cr_expect(head.bits & VERD__HEAD_CHUNKED);
    cr_expect_eq(fields_of("Transfer-Encoding: , chunked ,\r\n"), 200);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked, chunked\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked, gzip\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: gzip\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: identity\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked;a=b\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked a\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: \"chunked\"\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: \r\n"), 400);
}

Test(http, an_unknown_coding_below_chunked_is_501)
{
    cr_expect_eq(fields_of("Transfer-Encoding: gzip, chunked\r\n"), 501);
    cr_expect_eq(fields_of("Transfer-Encoding: xchunked, chunked\r\n"), 501);
    cr_expect_eq(fields_of("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501);
}

Test(http, both_a_length_and_a_coding_are_400)
{
    cr_expect_eq(fields_of("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
    cr_expect_eq(fields_of("Transfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n"), 400);
}

Test(http, a_coding_in_http_1_0_is_400)
{
    cr_expect_eq(request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

Test(http, expectations_other_than_100_continue_are_417)
{
    cr_expect_eq(fields_of("Expect: 100-Continue\r\n"), 200);
    cr_expect(head.bits & VERD__HEAD_CONTINUE);
    cr_expect_eq(fields_of("Expect: the unexpected\r\n"), 417);
    cr_expect_eq(request("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), 200);
    cr_expect_not(head.bits & VERD__HEAD_CONTINUE);
}

Test(http, the_members_of_connection_are_found)
{
    cr_expect_eq(fields_of("Connection: foo ,CLOSE\r\nConnection: Upgrade\r\nUpgrade: x\r\n"), 200);
    cr_expect_eq(head.bits & (VERD__HEAD_CLOSE | VERD__HEAD_UPGRADE | VERD__HEAD_SWITCH),
                 VERD__HEAD_CLOSE | VERD__HEAD_UPGRADE | VERD__HEAD_SWITCH);
    cr_expect_eq(fields_of("Connection: keep-alive, closed\r\n"), 200);
    cr_expect_eq(head.bits & (VERD__HEAD_CLOSE | VERD__HEAD_KEEP_ALIVE), VERD__HEAD_KEEP_ALIVE);
}

/* ---- limits ---- */

/* A request, its first line filled up to `first` bytes, and two fields' lines to `line` each. */
static int long_lines(size_t first, size_t line)
{
    static char text[4096];
    int size = snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: h\r\n", (int)first - 14, 0);
    for (int i = 0; line > 0 && i < 2; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "A: %0*d\r\n", (int)line - 3, 0);
    snprintf(text + size, sizeof text - (size_t)size, "\r\n");
    return request(text);
}

Test(http, a_first_line_that_is_too_long_is_414)
{
    cr_expect_eq(long_lines(200, 0), 200);
    cr_expect_eq(long_lines(201, 0), 414);
}

Test(http, a_field_that_is_too_long_is_431)
{
    cr_expect_eq(long_lines(100, 200), 200);
    cr_expect_eq(long_lines(100, 201), 431);
}

Test(http, fields_that_are_too_long_together_are_431)
{
    cr_expect_eq(long_lines(185, 200), 200);
    cr_expect_eq(long_lines(190, 200), 431);
}

Test(http, an_endless_line_is_refused_before_it_ends)
{
    memset(room, 'a', sizeof room);
    verd__head_init(&head, &limits, fields, false);
    cr_expect_eq(verd__head_parse(&head, room, 200), 0);
    cr_expect_eq(verd__head_parse(&head, room, 201), 414);
}

Test(http, too_many_fields_are_431)
{
    cr_expect_eq(fields_of("A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"), 200);
    cr_expect_eq(fields_of("A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"), 431);
}

Test(http, limits_have_defaults)
{
    verd_http_limits none = {0};
    verd_http_limits all = verd__http_limits(&none);
    cr_expect_eq(all.line, 8192);
    cr_expect_eq(all.header, 65536);
    cr_expect_eq(all.fields, 100);
}

/* ---- responses ---- */

Test(http, a_response_is_taken_apart)
{
    cr_assert_eq(parse("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", true), 200);
    cr_expect_eq(head.status, 404);
    cr_expect_eq(head.minor, 1);
    cr_expect_eq(head.length, 5);
}

Test(http, the_reason_of_a_response_may_be_missing)
{
    cr_expect_eq(parse("HTTP/1.0 200 \r\n\r\n", true), 200);
    cr_expect_eq(parse("HTTP/1.0 200\r\n\r\n", true), 200);
    cr_expect_eq(head.minor, 0);
}

Test(http, folded_lines_of_a_response_are_one_with_spaces_in_between)
{
    cr_assert_eq(
        parse("HTTP/1.1 200 OK\r\nA: b \r\n\t c \r\n \r\n d\r\nB:\r\n e\r\nC: f\r\n\r\n", true),
        200);
    cr_expect_eq(head.count, 3);
    cr_expect_str_eq(verd__head_find(&head, "A"), "b     c       d");
    cr_expect_str_eq(verd__head_find(&head, "C"), "f");
    cr_expect_str_eq(verd__head_find(&head, "B"), "e");
    cr_expect_eq(parse("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", true), 400);
    cr_expect_eq(parse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 1\r\n\r\n", true), 400);
}

Test(http, a_malformed_status_line_is_400)
{
    static const char *const lines[] = {
        "HTTP/1.1 20 OK",     "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 20x OK",    "HTTP/1.1 099 OK",  "HTTP/1.1200 OK",
        "HTTP/1.1",           "200 OK",           "",
        "HTTP/1.1 200 a\x01",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s\r\n\r\n", lines[i]);
        cr_expect_eq(parse(text, true), 400, "%s", lines[i]);
    }
}
