/* SPDX-License-Identifier: MIT */

/* Clients that are slow, and those that others have to wait for. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "process.h"
#include "site.h"

#define SOON (40 * VERD_MS)
#define POST "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n"

static struct site site;
static verd_semaphore go;
static ssize_t last;
static size_t begun;

static int handle_body(verd_http_exchange *x, void *ctx)
{
    begun++;
    if (verd_http_body(x, 1 << 20, NULL) == NULL)
        return -1;
    return handle_hello(x, ctx);
}

/* A client that sends its body byte by byte. */
struct dripper {
    int fd, bytes;
    verd_duration pause;
    verd_thread *thread;
};

static void *drip(void *arg)
{
    const struct dripper *dripper = arg;
    for (int i = 0; i < dripper->bytes; i++) {
        if (verd_sleep(dripper->pause) != 0 || verd_write(dripper->fd, "x", 1) != 1)
            break;
    }
    return NULL;
}

static void start_dripping(struct dripper *dripper)
{
    dripper->fd = site_connect(&site);
    say(dripper->fd, POST);
    dripper->thread = verd_spawn(drip, dripper);
}

Test(http, a_client_whose_body_is_slower_than_the_least_rate_is_cut_off)
{
    verd_http_options options = {.stall_time = SOON, .rate = 1 << 20};
    struct dripper dripper = {.bytes = 30, .pause = 5 * VERD_MS};
    verd_duration begin = verd_now();
    site_open(&site, handle_body, &options);
    start_dripping(&dripper);
    const char *text = hear(dripper.fd);
    cr_expect_eq(strncmp(text, "HTTP/1.1 408 ", 13), 0, "%s", text);
    cr_expect_geq(verd_now() - begin, SOON);
    verd_join(dripper.thread, NULL);
    site_close(&site);
}

/* Each of its bytes gives it all its patience back. */
Test(http, a_client_that_keeps_to_the_least_rate_has_all_the_time_it_takes)
{
    verd_http_options options = {.stall_time = 3 * VERD_SEC, .rate = 1};
    struct dripper dripper = {.bytes = 30, .pause = 110 * VERD_MS};
    verd_duration begin = verd_now();
    site_open(&site, handle_body, &options);
    start_dripping(&dripper);
    cr_expect_str_eq(hear_some(dripper.fd, HELLO), HELLO);
    cr_expect_gt(verd_now() - begin, options.stall_time);
    verd_join(dripper.thread, NULL);
    verd_close(dripper.fd);
    site_close(&site);
}

static int handle_body_and_forgive(verd_http_exchange *x, void *ctx)
{
    if (verd_http_body(x, 1 << 20, NULL) == NULL)
        return handle_hello(x, ctx);
    return -1;
}

/* A client that begins to say something and does not end it, and what it is told. */
struct slow {
    const char *said;
    verd_http_handler handler;
    verd_http_options options;
    const char *told;
};

#define LONG_POST "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"

static struct slow slows[] = {
    {"GET / HTTP/1.1\r\nX: ", handle_hello, {.header_time = SOON}, "HTTP/1.1 408 "},
    {LONG_POST, handle_body, {.request_time = SOON}, "HTTP/1.1 408 "},
    {LONG_POST, handle_body_and_forgive, {.stall_time = SOON}, "HTTP/1.1 200 "},
};

/* It drips on for a fraction of LINGER_TIME at most, and its connection ends meanwhile. */
static void expect_end(const struct slow *slow)
{
    int fd = site_connect(&site);
    say(fd, slow->said);
    cr_expect_str_eq(hear_some(fd, slow->told), slow->told);
    for (int i = 0; i < 100 && verd_http_connections(site.server) > 0; i++) {
        verd_sleep(50 * VERD_MS);
        if (verd_write(fd, "x", 1) != 1)
            break;
    }
    cr_expect_eq(verd_http_connections(site.server), 0, "%s", slow->told);
    verd_close(fd);
}

Test(http, a_client_that_was_too_slow_does_not_stay_by_dripping_on)
{
    for (size_t i = 0; i < sizeof slows / sizeof *slows; i++) {
        site_open(&site, slows[i].handler, &slows[i].options);
        expect_end(&slows[i]);
        site_close(&site);
    }
}

Test(http, a_client_that_does_not_read_is_cut_off_by_default)
{
    verd_http_options options = {.stall_time = SOON};
    cr_expect_eq(offer_without_end(&options), -ETIMEDOUT);
}

static int handle_body_when_full(verd_http_exchange *x, void *ctx)
{
    (void)ctx;
    stream_is_full = true;
    last = verd_http_body(x, 100, NULL) != NULL ? 0 : -errno;
    return -1;
}

Test(http, a_client_that_does_not_read_that_it_may_continue_is_cut_off)
{
    verd_http_options options = {.stall_time = SOON, .open = open_fillable};
    site_open(&site, handle_body_when_full, &options);
    int fd = site_connect(&site);
    say(fd, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    while (last == 0)
        verd_sleep(VERD_MS);
    cr_expect_eq(last, -ETIMEDOUT);
    static char some[65536];
    ssize_t n;
    while ((n = outcome(verd_read(fd, some, sizeof some))) > 0) {
    }
    cr_expect_eq(n, -ECONNRESET, "nothing can follow part of it");
    verd_close(fd);
    site_close(&site);
}

#define LONG 8000000

static int handle_long(verd_http_exchange *x, void *ctx)
{
    static char block[LONG];
    (void)ctx;
    last = outcome(verd_http_reply(x, 200, NULL, block, sizeof block));
    return (int)last;
}

/* The system takes a lot, and has room for more only when much of that has been read. */
Test(http, a_client_that_reads_what_the_system_has_taken_gets_on)
{
    static char some[65536];
    verd_http_options options = {.stall_time = 800 * VERD_MS};
    size_t size = 0;
    ssize_t n = 1;
    if (process_is_emulated())
        cr_skip("the emulator does not tell what was acknowledged");
    site_open(&site, handle_long, &options);
    int fd = site_connect(&site);
    say(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    while (n > 0) {
        n = verd_read(fd, some, sizeof some);
        size += n > 0 ? (size_t)n : 0;
        if (size < 2000000)
            verd_sleep(100 * VERD_MS);
    }
    cr_expect_eq(n, 0);
    cr_expect_gt(size, LONG);
    cr_expect_eq(last, 0);
    verd_close(fd);
    site_close(&site);
}

/* ---- others wait ---- */

/* It keeps to the rate, but there are slices of its patience in which nothing comes. */
Test(http, a_slow_client_ends_in_favour_of_who_waits)
{
    verd_http_options options = {.connections = 1, .stall_time = VERD_SEC, .rate = 1};
    struct dripper dripper = {.bytes = 30, .pause = 400 * VERD_MS};
    site_open(&site, handle_body, &options);
    start_dripping(&dripper);
    while (begun == 0)
        verd_yield();
    int fd = site_connect(&site);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    const char *text = hear(dripper.fd);
    cr_expect_eq(strncmp(text, "HTTP/1.1 408 ", 13), 0, "%s", text);
    verd_join(dripper.thread, NULL);
    verd_close(fd);
    site_close(&site);
}

Test(http, half_a_head_ends_in_favour_of_who_waits)
{
    verd_http_options options = {
        .connections = 1, .stall_time = SOON, .rate = 1, .header_time = 3600 * VERD_SEC};
    site_open(&site, handle_hello, &options);
    int slow = site_connect(&site);
    say(slow, "GET / HTTP/1.1\r\nHost");
    while (verd_http_busy(site.server) == 0)
        verd_yield();
    int fd = site_connect(&site);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    verd_close(slow);
    verd_close(fd);
    site_close(&site);
}

static int handle_when_told(verd_http_exchange *x, void *ctx)
{
    begun++;
    if (strcmp(verd_http_path(x), "/wait") == 0 && verd_semaphore_acquire(&go) != 0)
        return -1;
    return handle_hello(x, ctx);
}

/* Without letting anyone else run. */
static int ask_unseen(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)site.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(write(fd, GET, sizeof GET - 1), sizeof GET - 1);
    return fd;
}

/* A third asks; the first, which is asked to end, has a request by then. */
static void expect_second_makes_room(int first, int second)
{
    static const char wait[] = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";
    settle();
    int third = ask_unseen();
    cr_assert_eq(write(first, wait, sizeof wait - 1), sizeof wait - 1);
    cr_expect_str_eq(hear_some(third, HELLO), HELLO);
    cr_expect_str_eq(hear(second), "");
    verd_semaphore_release(&go);
    cr_expect_eq(strncmp(hear_some(first, HELLO), HELLO, 15), 0);
    verd_close(first);
    verd_close(third);
    site_close(&site);
}

/* The one that is asked to end has a request by then. */
Test(http, where_one_connection_declines_to_end_another_is_asked)
{
    verd_http_options options = {.connections = 2};
    site_open(&site, handle_when_told, &options);
    int first = site_connect(&site), second = site_connect(&site);
    say(first, GET);
    hear_some(first, HELLO);
    say(second, GET);
    hear_some(second, HELLO);
    expect_second_makes_room(first, second);
}

/* A layer that has read more than a handshake. */
struct greedy {
    int fd;
    size_t size;
    char text[64];
};

static ssize_t read_greedily(void *ctx, void *buffer, size_t room)
{
    struct greedy *greedy = ctx;
    size_t size = greedy->size;
    if (size == 0)
        return verd_read(greedy->fd, buffer, room);
    memcpy(buffer, greedy->text, size);
    greedy->size = 0;
    return (ssize_t)size;
}

static ssize_t write_greedily(void *ctx, const void *data, size_t size)
{
    return verd_write(((struct greedy *)ctx)->fd, data, size);
}

static int open_greedily(void *ctx, int fd, verd_stream *stream)
{
    static const verd_stream_ops ops = {
        .read = read_greedily, .write = write_greedily, .close = free};
    struct greedy *greedy = malloc(sizeof *greedy);
    ssize_t n = verd_read(fd, greedy->text, sizeof greedy->text);
    (void)ctx;
    if (n <= 0) {
        free(greedy);
        return -1;
    }
    greedy->fd = fd;
    greedy->size = (size_t)n;
    stream->ops = &ops;
    stream->ctx = greedy;
    return 0;
}

/* The handshake of the one that is asked to end, has ended by then. */
Test(http, where_one_handshake_declines_to_end_another_is_asked)
{
    verd_http_options options = {
        .connections = 2, .header_time = 3600 * VERD_SEC, .open = open_greedily};
    site_open(&site, handle_when_told, &options);
    int first = site_connect(&site), second = site_connect(&site);
    expect_second_makes_room(first, second);
}

Test(http, connections_make_room_for_those_of_another_server_of_the_pool)
{
    struct site other;
    verd_pool *pool = verd_pool_new(1);
    verd_http_options options = {.pool = pool};
    site_open(&site, handle_hello, &options);
    site_open(&other, handle_hello, &options);
    int first = site_connect(&site);
    say(first, GET);
    cr_expect_str_eq(hear_some(first, HELLO), HELLO);
    int second = site_connect(&other);
    say(second, GET);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    cr_expect_str_eq(hear(first), "");
    first = site_connect(&site);
    say(first, GET);
    cr_expect_str_eq(hear_some(first, HELLO), HELLO);
    cr_expect_str_eq(hear(second), "");
    verd_close(first);
    site_close(&site);
    site_close(&other);
    cr_expect_eq(verd_pool_free(pool), 0);
}

Test(http, an_address_has_no_more_connections_than_it_may)
{
    verd_http_options options = {.per_address = 2};
    site_open(&site, handle_hello, &options);
    int first = site_connect(&site), second = site_connect(&site);
    say(first, GET);
    say(second, GET);
    cr_expect_str_eq(hear_some(first, HELLO), HELLO);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    cr_expect_str_eq(hear(site_connect(&site)), "");
    verd_close(first);
    while (verd_http_connections(site.server) > 1)
        verd_yield();
    int third = site_connect(&site);
    say(third, GET);
    cr_expect_str_eq(hear_some(third, HELLO), HELLO);
    verd_close(second);
    verd_close(third);
    site_close(&site);
}

/* ---- bodies that nobody wants ---- */

#define UNWANTED 40000000

Test(http, a_reply_outlives_a_long_body_that_nobody_wants)
{
    static char block[1000000];
    char head[80];
    verd_http_options options = {.body = VERD_HTTP_UNLIMITED};
    site_open(&site, handle_hello, &options);
    int fd = site_connect(&site);
    snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
             UNWANTED);
    say(fd, head);
    for (size_t sent = 0; sent < UNWANTED; sent += sizeof block)
        cr_assert_eq(verd_write_full(fd, block, sizeof block, NULL), sizeof block);
    const char *text = hear(fd);
    cr_expect_not_null(strstr(text, "Connection: close\r\n\r\nhello"), "%s", text);
    site_close(&site);
}
