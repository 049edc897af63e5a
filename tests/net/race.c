/* SPDX-License-Identifier: MIT */

/* Connecting to hosts with several addresses. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "net/race.h"
#include "process.h"

#define HEAD_START (250 * VERD_MS)
#define ADDRESSES 20

/* What a host's addresses might be. */
static struct addrinfo list[ADDRESSES];
static struct sockaddr_storage room[ADDRESSES];
static int addresses;

static void add(int family, const char *host, int port)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&room[addresses];
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&room[addresses];
    list[addresses] = (struct addrinfo){
        .ai_family = family,
        .ai_addr = (struct sockaddr *)&room[addresses],
        .ai_addrlen = family == AF_INET ? sizeof *ipv4 : sizeof *ipv6,
    };
    room[addresses].ss_family = (sa_family_t)family;
    ipv4->sin_port = htons((uint16_t)port); /* where IPv6 has it, too */
    inet_pton(family, host, family == AF_INET ? (void *)&ipv4->sin_addr : &ipv6->sin6_addr);
    if (addresses > 0)
        list[addresses - 1].ai_next = &list[addresses];
    addresses++;
}

/* The kinds of addresses. Each returns its port. */

static int add_listening(const char *host)
{
    int listener = verd_listen(host, 0, 0);
    cr_assert_geq(listener, 0);
    add(strchr(host, ':') != NULL ? AF_INET6 : AF_INET, host, verd_port(listener));
    return verd_port(listener);
}

static int silent_listener; /* the last one of add_silent */

static int add_silent(const char *host)
{
    int family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
    silent_listener = make_full_listener(family);
    if (silent_listener < 0)
        cr_skip_test("no IPv6 on this machine");
    add(family, host, verd_port(silent_listener));
    return verd_port(silent_listener);
}

static void add_refusing(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bind(fd, (struct sockaddr *)&address, sizeof address);
    add(AF_INET, "127.0.0.1", verd_port(fd));
}

static void add_unreachable(void)
{
    add(AF_INET, "224.0.0.1", 80); /* to many hosts there is no stream */
}

static int race(void)
{
    return verd__race(verd__loop(verd__scheduler()), list);
}

static ssize_t call_race(struct call *call)
{
    (void)call;
    return race();
}

static int peer_port(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &length) != 0)
        return -1;
    return ntohs(address.sin_port);
}

Test(race, the_first_address_is_preferred)
{
    int port = add_listening("127.0.0.1");
    add_listening("127.0.0.1");
    cr_assert_eq(peer_port(race()), port);
}

Test(race, a_connection_that_was_won_works)
{
    char byte = 0;
    add_silent("127.0.0.1");
    int listener = verd_listen("127.0.0.1", 0, 0);
    add(AF_INET, "127.0.0.1", verd_port(listener));
    int client = race();
    int server = verd_accept(listener, NULL, NULL);
    verd_write(client, "x", 1);
    cr_assert(verd_read(server, &byte, 1) == 1 && byte == 'x');
    cr_assert_eq(verd_connect_to(client, list[1].ai_addr, list[1].ai_addrlen), -1);
    cr_assert_eq(errno, EISCONN);
}

Test(race, after_a_refusal_comes_the_next)
{
    for (int i = 0; i < ADDRESSES - 1; i++)
        add_refusing();
    int port = add_listening("127.0.0.1");
    cr_assert_eq(peer_port(race()), port);
}

Test(race, an_address_that_does_not_answer_has_a_head_start)
{
    verd_duration begin = verd_now();
    add_silent("127.0.0.1");
    int port = add_listening("127.0.0.1");
    cr_assert_eq(peer_port(race()), port);
    cr_assert_geq(verd_now() - begin, HEAD_START);
}

Test(race, each_address_has_a_head_start)
{
    verd_duration begin = verd_now();
    add_silent("127.0.0.1");
    add_silent("127.0.0.1");
    int port = add_listening("127.0.0.1");
    cr_assert_eq(peer_port(race()), port);
    cr_assert_geq(verd_now() - begin, 2 * HEAD_START);
}

Test(race, others_run_meanwhile)
{
    struct call connecter = {0};
    add_silent("127.0.0.1");
    add_listening("127.0.0.1");
    call_start(&connecter, call_race, 0);
    cr_assert_not(connecter.returned);
    cr_assert_geq(call_end(&connecter), 0);
}

Test(race, families_take_turns)
{
    add_silent("::1");
    add_listening("::1");
    int port = add_listening("127.0.0.1");
    cr_assert_eq(peer_port(race()), port);
}

Test(race, either_family_may_be_the_first)
{
    add_silent("127.0.0.1");
    add_listening("127.0.0.1");
    if (verd_listen("::1", 0, 0) < 0)
        cr_skip_test("no IPv6 on this machine");
    int port = add_listening("::1");
    cr_assert_eq(peer_port(race()), port);
}

/* Its first packet is lost, and sent again after a second. */
Test(race, an_early_attempt_is_still_in_the_race_when_later_ones_have_begun)
{
    struct call connecter = {0};
    int port = add_silent("127.0.0.1");
    int listener = silent_listener;
    add_silent("127.0.0.1");
    call_start(&connecter, call_race, 0);
    verd_sleep(2 * HEAD_START);
    for (int i = 0; i < 2; i++)
        verd_close(verd_accept(listener, NULL, NULL));
    cr_assert_eq(peer_port((int)call_end(&connecter)), port);
}

static size_t descriptors_now(void)
{
    verd_yield();
    return process_descriptors();
}

/* How long it takes to the next attempt once one of two has failed. */
static verd_duration go_on_after_a_failure(void)
{
    struct call connecter = {0};
    addresses = 0;
    add_silent("127.0.0.1");
    add_silent("127.0.0.1");
    int port = add_listening("127.0.0.1");
    int first = dup(0);
    close(first); /* the lowest number that is free is the next to be had */
    size_t before = descriptors_now();
    call_start(&connecter, call_race, -1);
    while (!connecter.returned && descriptors_now() < before + 2)
        verd_sleep(VERD_MS);
    bool late = connecter.returned;
    verd_duration begin = verd_now();
    shutdown(first, SHUT_RDWR); /* which ends an attempt, as a reset would */
    cr_assert_eq(peer_port((int)call_end(&connecter)), port);
    return late ? HEAD_START : verd_now() - begin;
}

/* On a machine that is slow at times, at least once. */
Test(race, when_one_fails_the_next_does_not_wait_for_the_others_head_start)
{
    int tries = 8;
    verd__loop(verd__scheduler());
    while (go_on_after_a_failure() >= HEAD_START / 2)
        cr_assert_gt(--tries, 0);
}

/* ---- nothing is left ---- */

Test(race, the_losers_are_closed)
{
    add_silent("127.0.0.1");
    add_refusing();
    add_silent("127.0.0.1");
    add_listening("127.0.0.1");
    size_t before = process_descriptors();
    verd_close(race());
    cr_assert_eq(process_descriptors(), before);
}

Test(race, a_race_that_is_out_of_time_leaves_nothing)
{
    struct call connecter = {0};
    add_silent("127.0.0.1");
    add_silent("127.0.0.1");
    verd__loop(verd__scheduler());
    size_t before = descriptors_now();
    cr_expect_eq(call_within(HEAD_START * 3 / 2, &connecter, call_race, 0), -ETIMEDOUT);
    cr_expect_eq(descriptors_now(), before);
}

Test(race, a_race_that_is_killed_leaves_nothing)
{
    struct call connecter = {0};
    add_silent("127.0.0.1");
    add_silent("127.0.0.1");
    verd__loop(verd__scheduler());
    size_t before = descriptors_now();
    call_start(&connecter, call_race, 0);
    verd_sleep(HEAD_START * 3 / 2);
    cr_expect_eq(descriptors_now(), before + 2);
    verd_kill(connecter.thread);
    cr_expect_eq(call_end(&connecter), -ECANCELED);
    cr_expect_eq(descriptors_now(), before);
}

Test(race, a_race_that_all_lose_leaves_nothing)
{
    add_refusing();
    add_unreachable();
    add_refusing();
    verd__loop(verd__scheduler());
    size_t before = descriptors_now();
    cr_expect_eq(outcome(race()), -ECONNREFUSED);
    cr_expect_eq(descriptors_now(), before);
}

/* ---- errors ---- */

Test(race, a_refusal_does_not_end_the_race_for_the_others)
{
    struct call connecter = {0};
    add_silent("127.0.0.1");
    add_refusing();
    cr_assert_eq(call_within(HEAD_START * 3 / 2, &connecter, call_race, 0), -ETIMEDOUT);
}

Test(race, a_refusal_tells_more_than_an_address_without_a_way)
{
    add_refusing();
    add_unreachable();
    cr_expect_eq(outcome(race()), -ECONNREFUSED);
    addresses = 0;
    add_unreachable();
    add_refusing();
    cr_expect_eq(outcome(race()), -ECONNREFUSED);
}

Test(race, without_a_way_to_any_address_that_is_the_error)
{
    add_unreachable();
    add_unreachable();
    cr_assert_eq(outcome(race()), -ENETUNREACH);
}

Test(race, a_lack_of_descriptors_is_the_error)
{
    struct rlimit limit = {32, 32};
    add_listening("127.0.0.1");
    add_listening("127.0.0.1");
    setrlimit(RLIMIT_NOFILE, &limit);
    while (dup(0) >= 0)
        ;
    cr_assert_eq(outcome(race()), -EMFILE);
}

static void write_over_stack(void *arg)
{
    volatile char frame[64 * 1024];
    (void)arg;
    memset((char *)frame, 0x55, sizeof frame);
}

/* On the stack that the race had, too. */
static bool outlives_the_head_start(void)
{
    for (int i = 0; i < 4; i++)
        verd_spawn_n(write_over_stack, NULL);
    verd_sleep(HEAD_START + 20 * VERD_MS);
    return true;
}

Test(race, one_that_was_killed_before_a_fork_leaves_nothing_in_the_child)
{
    struct call racer = {0};
    add_silent("127.0.0.1");
    add_listening("127.0.0.1");
    call_start(&racer, call_race, -1);
    cr_assert_not(racer.returned);
    verd_kill(racer.thread);
    cr_assert(process_child_finds(outlives_the_head_start));
    cr_assert_eq(call_end(&racer), -ECANCELED);
}
