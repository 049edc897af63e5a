/* SPDX-License-Identifier: MIT */

/* Ends and errors of connections: half-close, reset, hang-up, refusal. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

static char buffer[256];

/* Closes a TCP connection with a reset instead of a FIN. */
static void reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    verd_close(fd);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

Test(net, a_waiting_reader_of_a_socket_sees_its_peer_close)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[1]);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, a_waiting_reader_of_a_pipe_sees_its_writer_close)
{
    int fds[2];
    struct call reader = {0};
    verd_pipe(fds);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[1]);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, a_waiting_writer_of_a_pipe_sees_its_reader_close)
{
    int fds[2];
    struct call writer = {.size = 1};
    verd_pipe(fds);
    fill(fds[1]);
    call_start(&writer, call_write, fds[1]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&writer), -EPIPE);
}

Test(net, a_waiting_writer_of_a_socket_sees_its_peer_close)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_close(fds[1]);
    ssize_t result = call_end(&writer); /* the peer had not read all */
    cr_assert(result == -EPIPE || result == -ECONNRESET);
}

Test(net, a_half_close_lets_the_data_before_it_be_read)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_shutdown(fds[1], SHUT_WR);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 4);
}

Test(net, a_half_close_ends_a_waiting_read_after_the_data)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_read(fds[0], buffer, sizeof buffer);
    call_start(&reader, call_read, fds[0]);
    verd_shutdown(fds[1], SHUT_WR);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, a_half_closed_connection_still_goes_the_other_way)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_shutdown(fds[1], SHUT_WR);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_write(fds[0], "reply", 5);
    cr_assert_eq(verd_read(fds[1], buffer, sizeof buffer), 5);
}

static ssize_t read_twice(struct call *call)
{
    ssize_t first = verd_read(call->fd, buffer, sizeof buffer);
    return first < 0 ? first : first * 10 + verd_read(call->fd, buffer, sizeof buffer);
}

Test(net, data_and_end_that_come_together_are_both_seen)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, read_twice, fds[0]);
    send(fds[1], "data", 4, MSG_MORE);
    shutdown(fds[1], SHUT_WR); /* the FIN rides on the data */
    struct pollfd arrival = {.fd = fds[0], .events = POLLRDHUP};
    poll(&arrival, 1, -1); /* and nobody is told before both are there */
    cr_assert_eq(call_end(&reader), 40);
}

Test(net, an_end_behind_data_is_seen_by_every_later_read)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, read_twice, fds[0]);
    send(fds[1], "data", 4, 0);
    shutdown(fds[1], SHUT_WR);
    call_end(&reader);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 0);
}

Test(net, an_end_that_comes_between_two_reads_is_seen_by_the_second)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_close(fds[1]);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 0);
}

Test(net, an_end_behind_an_exact_read_is_seen)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_close(fds[1]);
    verd_read(fds[0], buffer, 4);
    cr_assert_eq(verd_read(fds[0], buffer, 4), 0);
}

Test(net, a_reset_wakes_a_waiting_reader)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    reset(fds[1]);
    cr_assert_eq(call_end(&reader), -ECONNRESET);
}

Test(net, a_reset_wakes_a_waiting_writer)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_tcp_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    cr_assert_not(writer.returned);
    reset(fds[1]);
    cr_assert_lt(call_end(&writer), 0);
}

/* What TCP does to data that a reset catches up with is the system's choice: it is read or gone. */
Test(net, data_with_a_reset_ends_in_the_reset_or_the_end)
{
    int fds[2];
    ssize_t n;
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    reset(fds[1]);
    while ((n = verd_read(fds[0], buffer, 1)) > 0)
        ;
    cr_assert(n == 0 || errno == ECONNRESET);
}

Test(net, a_reset_between_two_reads_is_seen_by_the_second)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_read(fds[0], buffer, sizeof buffer);
    reset(fds[1]);
    cr_assert_eq(outcome(verd_read(fds[0], buffer, sizeof buffer)), -ECONNRESET);
}

Test(net, shutdown_wakes_the_reader_on_this_side)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    cr_assert_eq(verd_shutdown(fds[0], SHUT_RD), 0);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, shutdown_wakes_the_writer_on_this_side)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_shutdown(fds[0], SHUT_WR);
    cr_assert_eq(call_end(&writer), -EPIPE);
}

Test(net, shutdown_of_a_listener_ends_a_waiting_accept)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    verd_shutdown(listener, SHUT_RDWR);
    cr_assert_eq(call_end(&accepter), -EINVAL);
}

Test(net, shutdown_of_what_is_not_connected_is_ENOTCONN)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(outcome(verd_shutdown(fd, SHUT_RDWR)), -ENOTCONN);
}

Test(net, a_refused_datagram_wakes_a_waiting_reader)
{
    struct sockaddr_in nobody = loopback(0);
    socklen_t length = sizeof nobody;
    struct call reader = {0};
    int closed = socket(AF_INET, SOCK_DGRAM, 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    bind(closed, (struct sockaddr *)&nobody, sizeof nobody);
    getsockname(closed, (struct sockaddr *)&nobody, &length);
    close(closed);
    connect(fd, (struct sockaddr *)&nobody, sizeof nobody);
    call_start(&reader, call_recv, fd);
    send(fd, "x", 1, 0);
    cr_assert_eq(call_end(&reader), -ECONNREFUSED);
}

Test(net, reading_an_unconnected_socket_is_ENOTCONN)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(outcome(verd_recv(fd, buffer, sizeof buffer, 0)), -ENOTCONN);
}

Test(net, writing_to_an_unconnected_socket_is_EPIPE)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(outcome(verd_write(fd, "x", 1)), -EPIPE);
}
