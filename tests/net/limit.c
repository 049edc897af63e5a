/* SPDX-License-Identifier: MIT */

/* SO_RCVTIMEO and SO_SNDTIMEO. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "call.h"
#include "process.h"

#define LIMIT (20 * VERD_MS)

static char buffer[64];
static int fds[2];

static void set_limit(int fd, int option)
{
    struct timeval limit = {.tv_usec = LIMIT / VERD_US};
    socklen_t length = sizeof limit;
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, option, &limit, length), 0);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, option, &limit, &length), 0);
    if (length == 0 && process_is_emulated()) /* QEMU 10.0 */
        cr_skip_test("the emulator does not tell a socket's limits");
}

/* The outcome of a read; -1: it came before its time. */
static ssize_t read_for_long(int fd)
{
    verd_duration begun = verd_now();
    ssize_t result = outcome(verd_read(fd, buffer, sizeof buffer));
    return verd_now() - begun >= LIMIT ? result : -1;
}

Test(net, a_socket_from_elsewhere_is_read_for_as_long_as_its_own_limit)
{
    make_foreign_pair(fds);
    set_limit(fds[0], SO_RCVTIMEO);
    cr_expect_eq(read_for_long(fds[0]), -EAGAIN);
    cr_expect_eq(read_for_long(fds[0]), -EAGAIN);
}

Test(net, a_socket_made_here_is_read_for_as_long_as_its_own_limit)
{
    with_audits();
    make_tcp_pair(fds);
    set_limit(fds[0], SO_RCVTIMEO);
    cr_expect_eq(read_for_long(fds[0]), -EAGAIN);
    cr_expect_eq(read_for_long(fds[0]), -EAGAIN);
    verd_write(fds[1], "x", 1);
    cr_expect_eq(verd_read(fds[0], buffer, sizeof buffer), 1);
}

Test(net, a_limit_that_is_taken_away_holds_no_longer)
{
    struct timeval none = {0};
    struct call reader = {0};
    with_audits();
    make_tcp_pair(fds);
    set_limit(fds[0], SO_RCVTIMEO);
    cr_expect_eq(read_for_long(fds[0]), -EAGAIN);
    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    cr_expect_eq(call_within(2 * LIMIT, &reader, call_read, fds[0]), -ETIMEDOUT);
}

Test(net, a_full_socket_is_written_for_as_long_as_its_own_limit)
{
    with_audits();
    make_foreign_pair(fds);
    set_limit(fds[0], SO_SNDTIMEO);
    fill(fds[0]);
    cr_expect_eq(outcome(verd_write(fds[0], "x", 1)), -EAGAIN);
    make_pair(fds);
    set_limit(fds[0], SO_SNDTIMEO);
    fill(fds[0]);
    cr_expect_eq(outcome(verd_write(fds[0], "x", 1)), -EAGAIN);
}

Test(net, accept_waits_for_as_long_as_the_listeners_own_limit)
{
    int port;
    with_audits();
    int listener = make_listener(&port);
    set_limit(listener, SO_RCVTIMEO);
    cr_expect_eq(outcome(verd_accept(listener, NULL, NULL)), -EAGAIN);
    verd_connect("127.0.0.1", port);
    cr_expect_geq(verd_accept(listener, NULL, NULL), 0);
}

Test(net, a_connect_waits_for_as_long_as_the_sockets_own_limit)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)verd_port(make_full_listener(AF_INET)));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    set_limit(fd, SO_SNDTIMEO);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&address, sizeof address)),
                 -EINPROGRESS);
}

Test(net, a_wait_for_readiness_has_no_limit)
{
    struct call waiter = {0};
    make_foreign_pair(fds);
    set_limit(fds[0], SO_RCVTIMEO);
    cr_expect_eq(call_within(2 * LIMIT, &waiter, call_wait_input, fds[0]), -ETIMEDOUT);
}

static void greet(int client, void *arg)
{
    (void)arg;
    verd_write(client, "x", 1);
}

Test(serve, a_listeners_own_limit_does_not_end_its_server)
{
    int port;
    with_audits();
    int listener = make_listener(&port);
    set_limit(listener, SO_RCVTIMEO);
    verd_serve(listener, greet, NULL, NULL);
    verd_sleep(200 * VERD_MS);
    cr_expect_eq(verd_read(verd_connect("127.0.0.1", port), buffer, 1), 1);
}
