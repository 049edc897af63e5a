/* SPDX-License-Identifier: MIT */

/* Many connections: of which most are idle, and more than there is room for. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"
#include "http/server.h"
#include "process.h"
#include "shortage.h"
#include "site.h"

static struct site site;
static verd_semaphore go;
static size_t begun;

static int handle_when_told(verd_http_exchange *x, void *ctx)
{
    begun++;
    if (verd_semaphore_acquire(&go) != 0)
        return -1;
    return handle_hello(x, ctx);
}

Test(http, the_connection_that_is_idle_for_longest_makes_room)
{
    verd_http_options options = {.connections = 2};
    site_open(&site, handle_hello, &options);
    int first = site_connect(&site);
    say(first, GET);
    hear_some(first, HELLO);
    int second = site_connect(&site);
    say(second, GET);
    hear_some(second, HELLO);
    int third = site_connect(&site);
    say(third, GET);
    cr_expect_str_eq(hear_some(third, HELLO), HELLO);
    cr_expect_str_eq(hear(first), "");
    say(second, GET);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    verd_close(second);
    verd_close(third);
    site_close(&site);
}

Test(http, without_an_idle_connection_clients_wait_for_one)
{
    verd_http_options options = {.connections = 1};
    site_open(&site, handle_when_told, &options);
    int first = site_connect(&site);
    say(first, GET);
    while (begun == 0)
        verd_yield();
    int second = site_connect(&site);
    say(second, GET);
    settle();
    cr_expect_eq(begun, 1);
    verd_semaphore_release(&go);
    verd_semaphore_release(&go);
    cr_expect_str_eq(hear(first), HELLO); /* it became idle, and made room */
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    verd_close(second);
    site_close(&site);
}

/* A handshake of one byte. */
static int open_by_byte(void *ctx, int fd, verd_stream *stream)
{
    char byte;
    (void)ctx;
    (void)stream;
    return verd_read(fd, &byte, 1) == 1 ? 0 : -1;
}

static const verd_http_options handshaken = {
    .connections = 2, .header_time = 3600 * VERD_SEC, .open = open_by_byte};

Test(http, the_connection_whose_handshake_takes_longest_makes_room)
{
    site_open(&site, handle_hello, &handshaken);
    int first = site_connect(&site), second = site_connect(&site);
    settle();
    int third = site_connect(&site);
    say(third, "!" GET);
    cr_expect_str_eq(hear_some(third, HELLO), HELLO);
    cr_expect_str_eq(hear(first), "");
    say(second, "!" GET);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    verd_close(second);
    verd_close(third);
    site_close(&site);
}

Test(http, as_many_connections_as_there_is_room_for_are_kept)
{
    verd_http_options options = {.connections = 2};
    site_open(&site, handle_hello, &options);
    int first = site_connect(&site), second = site_connect(&site);
    for (int i = 0; i < 5; i++) {
        say(first, GET);
        say(second, GET);
        cr_expect_str_eq(hear_some(first, HELLO), HELLO);
        cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    }
    verd_close(first);
    verd_close(second);
    site_close(&site);
}

Test(http, a_crowded_server_stops)
{
    verd_http_options options = {.connections = 1};
    site_open(&site, handle_when_told, &options);
    int first = site_connect(&site);
    say(first, GET);
    while (begun == 0)
        verd_yield();
    settle();
    cr_expect_eq(verd_http_stop(site.server, 0),
                 0); /* the acceptor waits for who wants to get in */
    verd_http_free(site.server);
    verd_close(first);
}

static void stay(void *semaphore)
{
    verd_semaphore_acquire(semaphore);
}

/* They go on; nobody has to be let in any more. */
static void stop_among_others(verd_duration grace)
{
    verd_http_options options = {.pool = verd_pool_new(1)};
    cr_assert_eq(verd_pool_spawn_n(options.pool, stay, &go), 0);
    site_open(&site, handle_hello, &options);
    settle();
    cr_expect_eq(verd_http_stop(site.server, grace), 0);
    cr_expect_eq(verd_pool_running(options.pool), 1);
    cr_expect_eq(verd_http_free(site.server), 0);
    verd_semaphore_release(&go);
    verd_pool_wait_all(options.pool);
    cr_expect_eq(verd_pool_free(options.pool), 0);
}

Test(http, a_server_whose_pool_is_full_of_others_stops)
{
    stop_among_others(0);
    stop_among_others(VERD_FOREVER);
}

/* ---- no descriptors ---- */

/* A socket for later, behind which there is no descriptor to be had. */
static int take_last_descriptor(void)
{
    struct rlimit limit;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int next = dup(fd);
    cr_assert(fd >= 0 && next >= 0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &limit);
    return fd;
}

/* The system makes the connection, before the server accepts it. */
static void connect_last(int fd)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)site.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    say(fd, GET);
}

Test(http, an_idle_connection_gives_its_descriptor_to_whoever_lacks_one)
{
    site_open(&site, handle_hello, NULL);
    int first = site_connect(&site);
    say(first, GET);
    hear_some(first, HELLO);
    int second = site_connect(&site);
    say(second, GET);
    hear_some(second, HELLO);
    int third = take_last_descriptor();
    connect_last(third);
    cr_expect_str_eq(hear_some(third, HELLO), HELLO);
    cr_expect_str_eq(hear(first), "");
    say(second, GET);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    verd_close(second);
    verd_close(third);
    site_close(&site);
}

Test(http, a_busy_connection_gives_its_descriptor_once_it_is_idle)
{
    site_open(&site, handle_when_told, NULL);
    int first = site_connect(&site);
    say(first, GET);
    while (begun == 0)
        verd_yield();
    int second = take_last_descriptor();
    connect_last(second);
    settle();
    cr_expect_eq(begun, 1);
    verd_semaphore_release(&go);
    verd_semaphore_release(&go);
    cr_expect_str_eq(hear(first), HELLO);
    cr_expect_str_eq(hear_some(second, HELLO), HELLO);
    verd_close(second);
    site_close(&site);
}

/* ---- many ---- */

/* What a request takes is other connections' while this one is idle. */
Test(http, idle_connections_share_what_a_request_takes)
{
    int fds[10];
    site_open(&site, handle_hello, NULL);
    for (int i = 0; i < 10; i++) {
        fds[i] = site_connect(&site);
        say(fds[i], GET);
        hear_some(fds[i], HELLO);
        settle();
    }
    cr_expect_eq(site.server->spare_count, 1);
    for (int i = 0; i < 10; i++)
        verd_close(fds[i]);
    site_close(&site);
}

Test(http, connections_may_run_in_a_pool_of_the_callers)
{
    verd_pool *pool = verd_pool_new(3);
    verd_http_options options = {.pool = pool};
    site_open(&site, handle_hello, &options);
    int fd = site_connect(&site);
    say(fd, GET);
    cr_expect_str_eq(hear_some(fd, HELLO), HELLO);
    cr_expect_eq(verd_pool_running(pool), 1);
    site_close(&site);
    cr_expect_eq(verd_pool_free(pool), 0);
    verd_close(fd);
}

/* Both ends of a connection are in this process. The time that poll(2) takes grows with all of them. */
static unsigned connection_count(void)
{
    const char *hub = getenv("VERD_HUB");
    bool slow =
        process_is_translated() || UNDER_SANITIZER || (hub != NULL && strcmp(hub, "poll") == 0);
    size_t wanted = slow ? 500 : 10000;
    return (unsigned)process_descriptors_up_to(2 * wanted) / 2;
}

static int fds[10000];

/* Has a request answered on every `step`th of the connections from `first` to `last`; how many were
 * not. */
static unsigned round_trips(unsigned first, unsigned last, unsigned step)
{
    unsigned failed = 0;
    for (unsigned i = first; i < last; i += step)
        say(fds[i], GET);
    for (unsigned i = first; i < last; i += step)
        failed += strcmp(hear_some(fds[i], HELLO), HELLO) != 0;
    return failed;
}

#define WAVE 100

Test(http, ten_thousand_connections_are_kept_while_a_tenth_of_them_works)
{
    unsigned count = connection_count(), failed = 0;
    need_stacks(count);
    site_open(&site, handle_hello, NULL);
    for (unsigned i = 0; i < count; i += WAVE) {
        unsigned end = i + WAVE < count ? i + WAVE : count;
        for (unsigned j = i; j < end; j++)
            fds[j] = site_connect(&site);
        failed += round_trips(i, end, 1);
    }
    cr_expect_eq(verd_http_connections(site.server), count);
    for (int round = 0; round < 5; round++)
        failed += round_trips(0, count, 10);
    settle();
    cr_expect_eq(verd_http_connections(site.server), count);
    cr_expect_eq(verd_http_busy(site.server), 0);
    site_close(&site);
    for (unsigned i = 0; i < count; i++)
        failed += strcmp(hear(fds[i]), "") != 0; /* they end without a word */
    cr_expect_eq(failed, 0);
}
