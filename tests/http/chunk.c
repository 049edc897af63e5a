/* SPDX-License-Identifier: MIT */

/* Bodies in chunks, however they are cut into pieces on their way. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/chunk.h"

static const verd_http_limits limits = {.line = 40, .header = 100, .fields = 2};

static char data[4096];
static size_t data_size; /* of what was decoded */
static size_t rest_size; /* of what was left behind the body */

/* Decodes what has come in one piece. */
static enum verd__chunk_result decode_piece(struct verd__chunk *chunk, const char *piece,
                                            size_t size)
{
    for (;;) {
        size_t used;
        enum verd__chunk_result result = verd__chunk_eat(chunk, piece, size, &used);
        piece += used;
        size -= used;
        rest_size = size;
        if (result != VERD__CHUNK_DATA)
            return result;
        size_t some = chunk->left < size ? (size_t)chunk->left : size;
        memcpy(data + data_size, piece, some);
        data_size += some;
        chunk->left -= some;
        piece += some;
        size -= some;
        if (size == 0)
            return VERD__CHUNK_MORE;
    }
}

/* Decodes a body that comes in two pieces. */
static enum verd__chunk_result decode_in_two(const char *body, size_t first, size_t size)
{
    struct verd__chunk chunk;
    data_size = 0;
    verd__chunk_init(&chunk, &limits);
    enum verd__chunk_result result = decode_piece(&chunk, body, first);
    if (result != VERD__CHUNK_MORE) {
        rest_size += size - first;
        return result;
    }
    return decode_piece(&chunk, body + first, size - first);
}

/* The result is the same wherever the body is cut in two. */
static enum verd__chunk_result decode(const char *body)
{
    size_t size = strlen(body);
    enum verd__chunk_result expected = decode_in_two(body, size, size);
    size_t expected_size = data_size;
    for (size_t i = 0; i < size; i++) {
        cr_assert_eq(decode_in_two(body, i, size), expected, "cut at %zu: %s", i, body);
        cr_assert_eq(data_size, expected_size, "cut at %zu: %s", i, body);
    }
    return expected;
}

Test(http, chunks_are_put_together)
{
    cr_assert_eq(decode("3\r\nabc\r\n0000A\r\n0123456789\r\n1;x=\"y\"\r\nd\r\n0\r\n\r\n"),
                 VERD__CHUNK_END);
    cr_assert_eq(data_size, 14);
    cr_assert_arr_eq(data, "abc0123456789d", 14);
}

Test(http, what_follows_the_last_chunk_is_left_alone)
{
    decode("1\r\na\r\n0\r\n\r\nGET /");
    cr_assert_eq(rest_size, 5);
}

Test(http, trailers_are_dropped)
{
    cr_assert_eq(decode("1\r\na\r\n0\r\nA: b\r\nC:\td\r\n\r\n"), VERD__CHUNK_END);
    cr_assert_eq(data_size, 1);
}

Test(http, white_space_may_stand_before_an_extension)
{
    cr_expect_eq(decode("1 \t;a\r\nx\r\n0\r\n\r\n"), VERD__CHUNK_END);
}

Test(http, a_malformed_chunk_is_found)
{
    static const char *const bodies[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        ";a\r\n",
        "1\n",
        "1\ra",
        "1\r\r\n",
        "1 a\r\n",
        "1;a\x01\r\n",
        "1;a\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\r1",
        "1\r\na0\r\n",
        "00000000000000001\r\n",
        "10000000000000000\r\n",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\n A: b\r\n",
        "0\r\nA\r\n",
        "0\r\nA : b\r\n",
        "0\r\n: b\r\n",
        "0\r\nA: b\n",
        "0\r\nA: b\x7f\r\n",
        "0\r\nA: b\r\n c\r\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        cr_expect_eq(decode(bodies[i]), VERD__CHUNK_WRONG, "%s", bodies[i]);
}

Test(http, a_null_byte_in_an_extension_is_malformed)
{
    cr_expect_eq(decode_in_two("1;\0\r\n", 2, 5), VERD__CHUNK_WRONG);
}

Test(http, sixteen_digits_are_the_largest_size)
{
    struct verd__chunk chunk;
    size_t used;
    verd__chunk_init(&chunk, &limits);
    cr_assert_eq(verd__chunk_eat(&chunk, "fFfffffffffffffe\r\n", 18, &used), VERD__CHUNK_DATA);
    cr_assert_eq(chunk.left, UINT64_MAX - 1);
}

Test(http, extensions_are_limited_over_the_whole_body)
{
    char body[2048];
    size_t size = 0;
    for (int i = 0; i < 4; i++)
        size += (size_t)snprintf(body + size, sizeof body - size, "1;%020d\r\na\r\n", 0);
    snprintf(body + size, sizeof body - size, "0\r\n\r\n");
    cr_expect_eq(decode(body), VERD__CHUNK_END);
    snprintf(body + size, sizeof body - size, "1;%020d\r\na\r\n0\r\n\r\n", 0);
    cr_expect_eq(decode(body), VERD__CHUNK_LARGE);
}

Test(http, trailers_are_limited_like_fields)
{
    char body[256];
    cr_expect_eq(decode("0\r\nA:\r\nB:\r\n\r\n"), VERD__CHUNK_END);
    cr_expect_eq(decode("0\r\nA:\r\nB:\r\nC:\r\n\r\n"), VERD__CHUNK_LARGE);
    snprintf(body, sizeof body, "0\r\nA:%038d\r\n\r\n", 0);
    cr_expect_eq(decode(body), VERD__CHUNK_END);
    snprintf(body, sizeof body, "0\r\nA:%039d\r\n\r\n", 0);
    cr_expect_eq(decode(body), VERD__CHUNK_LARGE);
}

Test(http, the_line_before_a_chunk_is_its_size_in_hexadecimal)
{
    static const struct {
        uint64_t size;
        const char *line;
    } cases[] = {
        {1, "1\r\n"},
        {15, "f\r\n"},
        {16, "10\r\n"},
        {0xabcdef, "abcdef\r\n"},
        {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[VERD__CHUNK_LINE + 1];
        line[verd__chunk_line(line, cases[i].size)] = '\0';
        cr_expect_str_eq(line, cases[i].line);
    }
}
