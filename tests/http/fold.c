/* SPDX-License-Identifier: MIT */

/* Fields that go on on lines of their own. */
#include <criterion/criterion.h>
#include <string.h>

#include "http/parser.h"

static const verd_http_limits limits = {.line = 200, .header = 600, .fields = 8};
static struct verd__head head;
static verd_http_field fields[8];

/* The answer to the message, the same if it comes byte by byte. */
static int parse(const char *text, bool response)
{
    char room[512];
    size_t size = strlen(text);
    int status = 0;
    verd__head_init(&head, &limits, fields, response);
    memcpy(room, text, size);
    int whole = verd__head_parse(&head, room, size);
    verd__head_init(&head, &limits, fields, response);
    memcpy(room, text, size);
    for (size_t i = 1; i <= size && status == 0; i++)
        status = verd__head_parse(&head, room, i);
    cr_assert_eq(status, whole, "%d, but %d byte by byte: %s", whole, status, text);
    return status;
}

Test(http, folded_fields_of_a_response_say_how_it_ends)
{
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\nContent-Length:\r\n 17\r\n\r\n", true), 200);
    cr_expect_eq(head.length, 17);
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\nConnection: a,\r\n close\r\nA: b\r\n\r\n", true), 200);
    cr_expect(head.bits & VERD__HEAD_CLOSE);
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n\tchunked\r\n\r\n", true),
                 200);
    cr_expect(head.bits & VERD__HEAD_CHUNKED);
    cr_expect(head.bits & VERD__HEAD_UNKNOWN);
    cr_assert_eq(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n \r\n\r\n", true),
                 200);
    cr_expect_eq(head.bits, VERD__HEAD_TRANSFER | VERD__HEAD_CHUNKED);
    cr_expect_eq(
        parse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length:\r\n 2\r\n\r\n", true), 400);
    cr_expect_eq(parse("HTTP/1.1 200 OK\r\nConnection: close\r\n ,\r\n\r\n", true), 200);
    cr_expect_eq(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: a,\r\n close\r\n\r\n", false),
                 400);
}
