/* SPDX-License-Identifier: MIT */

/* Bodies read through a buffer, from a stream that gives them piece by piece. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "http/body.h"

/* A stream of what is in `text`, at most `piece` bytes at once; then its end, or `error`. */
struct source {
    const char *text;
    size_t size, piece;
    int error;
};

static ssize_t give(void *ctx, void *to, size_t size)
{
    struct source *source = ctx;
    size = size < source->piece ? size : source->piece;
    size = size < source->size ? size : source->size;
    if (source->size == 0 && source->error != 0) {
        errno = source->error;
        return -1;
    }
    memcpy(to, source->text, size);
    source->text += size;
    source->size -= size;
    return (ssize_t)size;
}

static const verd_stream_ops ops = {.read = give};
static const verd_http_limits limits = {.line = 100, .header = 100, .fields = 10};

static struct source source;
static verd_stream stream = {.fd = -1, .ops = &ops, .ctx = &source};
static struct verd__buffer buffer;
static struct verd__body body;

static void begin(const char *text, size_t piece)
{
    source = (struct source){.text = text, .size = strlen(text), .piece = piece};
    verd__buffer_free(&buffer);
    verd__buffer_init(&buffer, 8);
    verd__body_init(&body, &stream, &buffer);
}

/* What reads of `step` bytes give until the end; the error instead, if there is one. */
static const char *read_all(size_t step)
{
    static char text[256];
    size_t size = 0;
    ssize_t n;
    while ((n = verd__body_read(&body, text + size, step)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    return n == 0 ? text : strerror(errno);
}

#define CHUNKS "4\r\n0123\r\n10;x\r\n456789abcdefghij\r\n0\r\nA: b\r\n\r\nGET"

static void expect_all(void (*set)(void), const char *text, const char *expected, const char *rest)
{
    for (size_t piece = 1; piece < 30; piece++) {
        for (size_t step = 1; step < 30; step++) {
            char left[64];
            begin(text, piece);
            set();
            cr_assert_str_eq(read_all(step), expected, "pieces of %zu, steps of %zu", piece, step);
            cr_assert_eq(verd__body_read(&body, left, 1), 0);
            size_t there = verd__buffer_size(&buffer);
            memcpy(left, verd__buffer_at(&buffer), there);
            memcpy(left + there, source.text, source.size);
            left[there + source.size] = '\0';
            cr_assert_str_eq(left, rest, "pieces of %zu, steps of %zu", piece, step);
        }
    }
    verd__buffer_free(&buffer);
}

static void set_twenty(void)
{
    verd__body_set_length(&body, 20);
}

static void set_chunked(void)
{
    verd__body_set_chunked(&body, &limits, 20);
}

static void set_until_close(void)
{
    verd__body_set_until_close(&body, 20);
}

Test(http, a_body_of_a_length_ends_there)
{
    expect_all(set_twenty, "0123456789abcdefghijGET", "0123456789abcdefghij", "GET");
}

Test(http, a_body_in_chunks_ends_behind_the_trailers)
{
    expect_all(set_chunked, CHUNKS, "0123456789abcdefghij", "GET");
}

Test(http, a_body_without_a_length_ends_with_the_stream)
{
    expect_all(set_until_close, "0123456789abcdefghij", "0123456789abcdefghij", "");
}

Test(http, a_body_that_is_cut_short_is_ECONNRESET)
{
    begin("012345", 4);
    set_twenty();
    cr_expect_str_eq(read_all(5), strerror(ECONNRESET));
    cr_expect_str_eq(read_all(5), strerror(ECONNRESET)); /* and stays so */
    begin("6\r\n012", 4);
    set_chunked();
    cr_expect_str_eq(read_all(5), strerror(ECONNRESET));
    begin("6", 4);
    set_chunked();
    cr_expect_str_eq(read_all(5), strerror(ECONNRESET));
    verd__buffer_free(&buffer);
}

Test(http, a_body_that_is_too_long_is_EMSGSIZE)
{
    begin("15\r\n0", 4);
    set_chunked();
    cr_expect_str_eq(read_all(5), strerror(EMSGSIZE));
    begin("a\r\n0123456789\r\nb\r\n", 40);
    set_chunked();
    cr_expect_str_eq(read_all(5), strerror(EMSGSIZE));
    begin("0123456789abcdefghijk", 4);
    set_until_close();
    cr_expect_str_eq(read_all(5), strerror(EMSGSIZE));
    verd__buffer_free(&buffer);
}

Test(http, malformed_chunks_are_EBADMSG)
{
    begin("1\r\nab\r\n", 40);
    set_chunked();
    cr_expect_str_eq(read_all(5), strerror(EBADMSG));
    verd__buffer_free(&buffer);
}

Test(http, a_read_that_was_interrupted_can_be_repeated)
{
    begin("0123", 4);
    set_twenty();
    source.error = ETIMEDOUT;
    cr_expect_str_eq(read_all(5), strerror(ETIMEDOUT));
    source = (struct source){.text = "456789abcdefghij", .size = 16, .piece = 100};
    cr_expect_str_eq(read_all(5), "456789abcdefghij");
    verd__buffer_free(&buffer);
}

Test(http, a_whole_body_has_a_zero_behind_it)
{
    for (size_t piece = 1; piece < 30; piece++) {
        struct verd__text all = {0};
        begin(CHUNKS, piece);
        set_chunked();
        cr_assert_eq(verd__body_all(&body, 20, &all), 0);
        cr_assert_eq(all.size, 20);
        cr_assert_str_eq(all.data, "0123456789abcdefghij");
        verd__text_free(&all);
    }
    verd__buffer_free(&buffer);
}

Test(http, a_whole_body_is_bounded)
{
    struct verd__text all = {0};
    begin("0123456789abcdefghij", 7);
    set_twenty();
    cr_expect_eq(verd__body_all(&body, 19, &all), -1);
    cr_expect_eq(errno, EMSGSIZE);
    cr_expect_eq(verd__body_all(&body, 20, &all), 0);
    cr_expect_str_eq(all.data, "0123456789abcdefghij");
    verd__text_free(&all);
    begin(CHUNKS, 7);
    set_chunked();
    cr_expect_eq(verd__body_all(&body, 19, &all), -1);
    cr_expect_eq(errno, EMSGSIZE);
    verd__text_free(&all);
    verd__buffer_free(&buffer);
}

Test(http, a_body_is_dropped_up_to_a_bound)
{
    begin(CHUNKS, 100);
    set_chunked();
    cr_expect_eq(verd__body_drop(&body, 19), 0);
    cr_expect_eq(verd__body_drop(&body, 2), 1);
    begin("0123456789abcdefghij", 100);
    set_twenty();
    cr_expect_eq(verd__body_drop(&body, 19), 0);
    cr_expect_eq(source.size, 20, "a body that is known to be too long is not read at all");
    cr_expect_eq(verd__body_drop(&body, 20), 1);
    verd__buffer_free(&buffer);
}

Test(http, what_is_kept_in_front_of_a_body_stays)
{
    begin("0123456789abcdefghij", 100);
    memcpy(buffer.data, "head", 4);
    buffer.kept = buffer.start = buffer.end = 4;
    set_twenty();
    cr_expect_str_eq(read_all(3), "0123456789abcdefghij");
    cr_expect_arr_eq(buffer.data, "head", 4);
    verd__buffer_free(&buffer);
}
