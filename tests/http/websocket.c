/* SPDX-License-Identifier: MIT */

/*
 * What a WebSocket makes of the frames that come: a server echoes, and a client of the test's own sends it bytes
 * and reads what comes back. The numbers are those of the cases of Autobahn's test suite that do the same.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "handshake.h"
#include "site.h"

#define FRAMES 8

static struct site site;
static verd_websocket_options options;
static int last_outcome; /* of the server's receiving */

static int echo(verd_http_exchange *x, void *ctx)
{
    verd_websocket_message message;
    verd_websocket *socket = verd_websocket_accept(x, &options);
    int result;
    (void)ctx;
    if (socket == NULL)
        return -1;
    while ((result = verd_websocket_receive(socket, &message)) == 1)
        verd_websocket_send(socket, message.type, message.data, message.size);
    last_outcome = result < 0 ? -errno : result;
    cr_expect(result == 0 || outcome(verd_websocket_receive(socket, &message)) == last_outcome);
    verd_websocket_free(socket);
    return 0;
}

/* ---- a client that says bytes ---- */

struct bytes {
    char *data;
    size_t size;
};

static void add(struct bytes *bytes, const void *data, size_t size)
{
    char *grown = realloc(bytes->data, bytes->size + size + 1);
    cr_assert_not_null(grown);
    bytes->data = grown;
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

/* A frame as a client sends it. */
static void add_frame(struct bytes *bytes, int first, const char *payload, size_t size)
{
    static const char mask[] = "\x37\xfa\x21\x3d";
    char head[] = {(char)first, (char)(0x80 | (size < 126 ? size : size < 65536 ? 126 : 127))};
    char length[8];
    size_t more = size < 126 ? 0 : size < 65536 ? 2 : 8;
    for (size_t i = 0; i < more; i++)
        length[i] = (char)(size >> 8 * (more - 1 - i));
    add(bytes, head, 2);
    add(bytes, length, more);
    add(bytes, mask, 4);
    size_t start = bytes->size;
    add(bytes, payload, size);
    for (size_t i = 0; i < size; i++)
        bytes->data[start + i] ^= mask[i % 4];
}

static int join(void)
{
    char answer[256];
    size_t size = 0;
    int fd = site_connect(&site);
    say(fd, HANDSHAKE);
    do {
        cr_assert_eq(verd_read(fd, answer + size, 1), 1);
        answer[++size] = '\0';
        cr_assert_lt(size, sizeof answer - 1);
    } while (strstr(answer, "\r\n\r\n") == NULL);
    return fd;
}

/* Whether there is a whole frame; how much it takes in all, and its payload. */
static size_t frame_size(const struct bytes *got, const char **payload, size_t *size)
{
    const unsigned char *data = (unsigned char *)got->data;
    if (got->size < 2)
        return 0;
    size_t head = (data[1] & 0x7f) == 127 ? 10 : (data[1] & 0x7f) == 126 ? 4 : 2;
    cr_assert_not(data[1] & 0x80); /* a server does not mask */
    *size = head == 2 ? data[1] : 0;
    for (size_t i = 2; i < head && i < got->size; i++)
        *size = *size << 8 | data[i];
    *payload = got->data + head;
    return got->size >= head && got->size - head >= *size ? head + *size : 0;
}

static const char *name_of(unsigned char first)
{
    switch (first) {
    case 0x81:
        return "text";
    case 0x82:
        return "binary";
    case 0x88:
        return "close";
    case 0x89:
        return "ping";
    case 0x8a:
        return "pong";
    default:
        return "nonsense";
    }
}

/* "text(hello)", "close(1000 bye)" */
static void describe(struct bytes *text, unsigned char first, const char *payload, size_t size)
{
    char buffer[160];
    const char *name = name_of(first);
    const unsigned char *code = (const unsigned char *)payload;
    int length;
    if (first == 0x88 && size >= 2)
        length = snprintf(buffer, sizeof buffer, "%s(%d%s%.*s)", name, code[0] << 8 | code[1],
                          size > 2 ? " " : "", (int)size - 2, payload + 2);
    else if (size <= 125)
        length = snprintf(buffer, sizeof buffer, "%s(%.*s)", name, (int)size, payload);
    else
        length = snprintf(buffer, sizeof buffer, "%s[%zu]", name, size);
    add(text, text->size > 0 ? " " : "", text->size > 0);
    add(text, buffer, (size_t)length);
}

/* Reads all that comes, up to the end, and says what it was. */
static const char *hear_frames(int fd)
{
    static struct bytes text;
    struct bytes got = {0};
    char part[4096];
    ssize_t n;
    text.size = 0;
    while ((n = verd_read(fd, part, sizeof part)) > 0) {
        const char *payload;
        size_t size, whole;
        add(&got, part, (size_t)n);
        while ((whole = frame_size(&got, &payload, &size)) > 0) {
            describe(&text, (unsigned char)got.data[0], payload, size);
            got.size -= whole;
            memmove(got.data, got.data + whole, got.size);
        }
    }
    cr_expect_eq(got.size, 0);
    free(got.data);
    add(&text, n < 0 ? " reset" : "", n < 0 ? 7 : 1);
    verd_close(fd);
    return text.data;
}

struct speech {
    int fd;
    struct bytes bytes;
    size_t step; /* bytes at a time */
};

static void *speak(void *arg)
{
    const struct speech *speech = arg;
    for (size_t i = 0; i < speech->bytes.size; i += speech->step) {
        size_t rest = speech->bytes.size - i;
        if (verd_write_full(speech->fd, speech->bytes.data + i,
                            rest < speech->step ? rest : speech->step, NULL) < 0)
            break;
        if (speech->step < 16)
            verd_yield();
    }
    return arg;
}

/* What comes back of these bytes, which come a few at a time. */
static const char *answer_to(struct bytes bytes, size_t step)
{
    struct speech speech = {join(), bytes, step};
    verd_thread *speaker = verd_spawn(speak, &speech);
    const char *heard = hear_frames(speech.fd);
    verd_join(speaker, NULL);
    return heard;
}

/* ---- frames, and what is answered ---- */

struct frame {
    int first; /* byte */
    const char *payload;
    size_t size;
};

struct row {
    const char *number;
    struct frame frames[FRAMES];
    const char *heard;
};

#define F(first, payload) {(first), (payload), sizeof(payload) - 1}
#define TEXT(payload) F(0x81, payload)
#define BINARY(payload) F(0x82, payload)
#define PART(payload) F(0x01, payload)
#define MORE(payload) F(0x00, payload)
#define LAST(payload) F(0x80, payload)
#define CLOSE(payload) F(0x88, payload)
#define PING(payload) F(0x89, payload)
#define PONG(payload) F(0x8a, payload)
#define END CLOSE("\x03\xe8") /* 1000 */
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

static void play(const struct row *rows, size_t count)
{
    static const size_t steps[] = {100000, 1, 3};
    site_open(&site, echo, NULL);
    for (size_t i = 0; i < count; i++) {
        struct bytes bytes = {0};
        for (const struct frame *frame = rows[i].frames; frame->payload != NULL; frame++)
            add_frame(&bytes, frame->first, frame->payload, frame->size);
        for (size_t step = 0; step < sizeof steps / sizeof *steps; step++)
            cr_expect_str_eq(answer_to(bytes, steps[step]), rows[i].heard,
                             "%s, %zu bytes at a time", rows[i].number, steps[step]);
        free(bytes.data);
    }
    site_close(&site);
}

#define PLAY(...)                                        \
    do {                                                 \
        static const struct row rows_[] = {__VA_ARGS__}; \
        play(rows_, sizeof rows_ / sizeof *rows_);       \
    } while (0)

Test(http, websocket_frames)
{
    PLAY({"1.1.1", {TEXT(""), END}, "text() close(1000)"},
         {"1.1.2", {TEXT(FIFTY TEN), END}, "text(" FIFTY TEN ") close(1000)"},
         {"1.2.1", {BINARY(""), END}, "binary() close(1000)"},
         {"1.2.2", {BINARY("\xff"), END}, "binary(\xff) close(1000)"});
}

Test(http, websocket_pings)
{
    PLAY({"2.1", {PING(""), END}, "pong() close(1000)"},
         {"2.2", {PING("hello"), END}, "pong(hello) close(1000)"},
         {"2.3",
          {PING("\x01\xff\xfe\xfd\xfc\xfb\x01"), END},
          "pong(\x01\xff\xfe\xfd\xfc\xfb\x01) close(1000)"},
         {"2.4",
          {PING(FIFTY FIFTY TEN TEN "12345"), END},
          "pong(" FIFTY FIFTY TEN TEN "12345) close(1000)"},
         {"2.5", {PING(FIFTY FIFTY TEN TEN "123456"), END}, "close(1002)"},
         {"2.7", {PONG(""), END}, "close(1000)"},
         {"2.8", {PONG("unsolicited"), END}, "close(1000)"},
         {"2.9", {PONG("unsolicited"), PING("a"), END}, "pong(a) close(1000)"},
         {"2.10",
          {PING("1"), PING("2"), PING("3"), PING("4"), PING("5"), END},
          "pong(1) pong(2) pong(3) pong(4) pong(5) close(1000)"});
}

Test(http, websocket_reserved_bits)
{
    PLAY({"3.1", {F(0x91, "a"), END}, "close(1002)"},
         {"3.2", {TEXT("a"), F(0xa1, "b"), END}, "text(a) close(1002)"},
         {"3.3", {TEXT("a"), F(0xb1, "b"), PING(""), END}, "text(a) close(1002)"},
         {"3.4", {F(0xc1, "a"), PING(""), END}, "close(1002)"},
         {"3.5", {F(0xd2, "a"), END}, "close(1002)"}, {"3.6", {F(0xe9, "a"), END}, "close(1002)"},
         {"3.7", {F(0xf8, ""), END}, "close(1002)"});
}

Test(http, websocket_opcodes)
{
    PLAY(
        {"4.1.1", {F(0x83, ""), END}, "close(1002)"}, {"4.1.2", {F(0x84, "a"), END}, "close(1002)"},
        {"4.1.3", {TEXT("a"), F(0x85, ""), PING(""), END}, "text(a) close(1002)"},
        {"4.1.4", {TEXT("a"), F(0x86, "b"), PING(""), END}, "text(a) close(1002)"},
        {"4.1.5", {TEXT("a"), F(0x87, "b"), PING(""), END}, "text(a) close(1002)"},
        {"4.2.1", {F(0x8b, ""), END}, "close(1002)"}, {"4.2.2", {F(0x8c, "a"), END}, "close(1002)"},
        {"4.2.3", {TEXT("a"), F(0x8d, ""), PING(""), END}, "text(a) close(1002)"},
        {"4.2.4", {TEXT("a"), F(0x8e, "b"), PING(""), END}, "text(a) close(1002)"},
        {"4.2.5", {TEXT("a"), F(0x8f, "b"), PING(""), END}, "text(a) close(1002)"});
}

Test(http, websocket_fragments)
{
    PLAY(
        {"5.1", {F(0x09, "a"), LAST("b"), END}, "close(1002)"},
        {"5.2", {F(0x0a, "a"), LAST("b"), END}, "close(1002)"},
        {"5.3", {PART("one"), LAST("two"), END}, "text(onetwo) close(1000)"},
        {"5.6", {PART("one"), PING("p"), LAST("two"), END}, "pong(p) text(onetwo) close(1000)"},
        {"5.9", {LAST("a"), TEXT("b"), END}, "close(1002)"},
        {"5.12", {MORE("a"), TEXT("b"), END}, "close(1002)"},
        {"5.15", {PART("one"), LAST("two"), MORE("a"), TEXT("b"), END}, "text(onetwo) close(1002)"},
        {"5.18", {PART("one"), TEXT("two"), END}, "close(1002)"},
        {"5.19",
         {PART("1"), MORE("2"), PING("p"), MORE("3"), MORE("4"), PING("q"), LAST("5"), END},
         "pong(p) pong(q) text(12345) close(1000)"},
        {"-",
         {F(0x02, "a"), MORE(""), LAST("b"), TEXT("c"), END},
         "binary(ab) text(c) close(1000)"});
}

Test(http, websocket_text_is_utf8)
{
    PLAY({"6.1.2", {PART(""), MORE(""), LAST(""), END}, "text() close(1000)"},
         {"6.1.3", {PART(""), MORE("middle"), LAST(""), END}, "text(middle) close(1000)"},
         {"6.2.1",
          {TEXT("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4"), END},
          "text(Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4) close(1000)"},
         {"6.2.3",
          {PART("\xce"), MORE("\xba\xe1\xbd"), MORE(""), LAST("\xb9"), END},
          "text(\xce\xba\xe1\xbd\xb9) close(1000)"},
         {"6.3.1",
          {TEXT(KOSME "\xed\xa0\x80"
                      "edited"),
           END},
          "close(1007)"},
         {"6.3.2",
          {PART(KOSME "\xed"),
           LAST("\xa0\x80"
                "edited"),
           END},
          "close(1007)"},
         {"6.4.1", {PART(KOSME), MORE("\xf4\x90\x80\x80"), LAST("edited"), END}, "close(1007)"},
         {"6.6.1", {TEXT("\xce"), END}, "close(1007)"},
         {"-", {PART("\xce"), LAST(""), END}, "close(1007)"},
         {"-", {BINARY("\xce"), END}, "binary(\xce) close(1000)"},
         {"-",
          {PART("\xce"), PING("\xba"), LAST("\xba"), END},
          "pong(\xba) text(\xce\xba) close(1000)"});
}

/* 6.4.3, 6.4.4: neither the rest of the frame nor that of the message is waited for. */
Test(http, websocket_text_that_is_wrong_is_refused_at_its_first_wrong_byte)
{
    struct bytes bytes = {0};
    site_open(&site, echo, NULL);
    add_frame(&bytes, 0x01, "a\xf4\x90" FIFTY, 53);
    bytes.size -= 50;
    cr_expect_str_eq(answer_to(bytes, 100), "close(1007)");
    free(bytes.data);
    site_close(&site);
}

Test(http, websocket_closes)
{
    PLAY({"7.1.1", {TEXT("a"), END}, "text(a) close(1000)"}, {"7.1.2", {END, END}, "close(1000)"},
         {"7.1.3", {END, PING("")}, "close(1000)"}, {"7.1.4", {END, TEXT("a")}, "close(1000)"},
         {"7.1.5", {PART("one"), END, LAST("two")}, "close(1000)"},
         {"7.3.1", {CLOSE("")}, "close()"}, {"7.3.2", {CLOSE("a")}, "close(1002)"},
         {"7.3.4",
          {CLOSE("\x03\xe8"
                 "bye")},
          "close(1000)"},
         {"7.3.5", {CLOSE("\x03\xe8" FIFTY FIFTY TEN TEN "123")}, "close(1000)"},
         {"7.3.6", {CLOSE("\x03\xe8" FIFTY FIFTY TEN TEN "1234")}, "close(1002)"},
         {"7.5.1", {CLOSE("\x03\xe8" KOSME "\xed\xa0\x80")}, "close(1007)"},
         {"-", {CLOSE("\x03\xe8\xce")}, "close(1007)"});
}

Test(http, websocket_close_codes)
{
    static const struct {
        int code;
        bool valid;
    } rows[] = {
        {0, false},    {999, false},   {1000, true},  {1001, true},  {1002, true},  {1003, true},
        {1004, false}, {1005, false},  {1006, false}, {1007, true},  {1008, true},  {1009, true},
        {1010, true},  {1011, true},   {1014, true},  {1015, false}, {1016, false}, {1100, false},
        {2000, false}, {2999, false},  {3000, true},  {3999, true},  {4000, true},  {4999, true},
        {5000, false}, {65535, false},
    };
    site_open(&site, echo, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes bytes = {0};
        char payload[] = {(char)(rows[i].code >> 8), (char)rows[i].code}, expected[32];
        snprintf(expected, sizeof expected, "close(%d)", rows[i].valid ? rows[i].code : 1002);
        add_frame(&bytes, 0x88, payload, 2);
        cr_expect_str_eq(answer_to(bytes, 100), expected);
        free(bytes.data);
    }
    site_close(&site);
}

static const char *answer_to_raw(const char *data, size_t size)
{
    struct bytes bytes = {0};
    add(&bytes, data, size);
    const char *heard = answer_to(bytes, 100);
    free(bytes.data);
    return heard;
}

#define ANSWER_TO(literal) answer_to_raw(literal, sizeof(literal) - 1)

Test(http, websocket_heads_that_are_against_the_protocol)
{
    site_open(&site, echo, NULL);
    cr_expect_str_eq(ANSWER_TO("\x81\x01"
                               "a"),
                     "close(1002)"); /* no mask */
    cr_expect_str_eq(ANSWER_TO("\x81\xfe\x00\x01"
                               "mask"
                               "a"),
                     "close(1002)");
    cr_expect_str_eq(ANSWER_TO("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"
                               "mask"),
                     "close(1002)");
    cr_expect_str_eq(ANSWER_TO("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00"
                               "mask"),
                     "close(1002)");
    cr_expect_str_eq(ANSWER_TO("\x83"), "close(1002)"); /* from its first byte on */
    cr_expect_eq(last_outcome, -EBADMSG);
    site_close(&site);
}

/* ---- 1.1.3 to 1.2.8, 9 and 10: sizes ---- */

/* What is echoed of a message in frames of so many bytes. */
static void expect_echo(int opcode, size_t size, size_t part, const char *expected)
{
    struct bytes bytes = {0};
    char *payload = malloc(size + 1);
    memset(payload, '*', size);
    for (size_t i = 0; i < size || i == 0; i += part) {
        size_t rest = size - i, some = rest < part ? rest : part;
        add_frame(&bytes, (i == 0 ? opcode : 0) | (some == rest ? 0x80 : 0), payload + i, some);
    }
    add_frame(&bytes, 0x88, "\x03\xe8", 2);
    cr_expect_str_eq(answer_to(bytes, 997), expected, "%zu in parts of %zu", size, part);
    free(bytes.data);
    free(payload);
}

Test(http, websocket_sizes)
{
    static const size_t sizes[] = {126, 127, 128, 65535, 65536, 1 << 20};
    site_open(&site, echo, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "text[%zu] close(1000)", sizes[i]);
        expect_echo(1, sizes[i], sizes[i], expected);
        expect_echo(1, sizes[i], 1300, expected);
        snprintf(expected, sizeof expected, "binary[%zu] close(1000)", sizes[i]);
        expect_echo(2, sizes[i], sizes[i], expected);
        expect_echo(2, sizes[i], 4096, expected);
    }
    expect_echo(1, 65536, 64, "text[65536] close(1000)");
    expect_echo(1, (1 << 20) + 1, 2 << 20, "close(1009)");
    cr_expect_eq(last_outcome, -EMSGSIZE);
    expect_echo(2, (1 << 20) + 1, 65536, "close(1009)");
    site_close(&site);
}

Test(http, websocket_limit_of_a_message)
{
    options.message = 200;
    site_open(&site, echo, NULL);
    expect_echo(1, 200, 200, "text[200] close(1000)");
    expect_echo(1, 200, 1, "text[200] close(1000)");
    expect_echo(1, 201, 201, "close(1009)");
    expect_echo(1, 201, 200, "close(1009)");
    cr_expect_str_eq(ANSWER_TO("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
                               "mask"),
                     "close(1009)");
    cr_expect_str_eq(ANSWER_TO("\x02\x81"
                               "mask"
                               "a"
                               "\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
                               "mask"),
                     "close(1009)");
    site_close(&site);
}
