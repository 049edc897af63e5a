/* SPDX-License-Identifier: MIT */

/* Flags of receiving, and what the next call finds. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "call.h"

static char buffer[64];

static ssize_t receive_all(struct call *call)
{
    struct iovec parts[] = {{call->data, 3}, {call->data + 3, 0}, {call->data + 3, 7}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    return verd_recvmsg(call->fd, &message, MSG_WAITALL);
}

Test(net, MSG_WAITALL_fills_every_part_of_a_message)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, receive_all, fds[0]);
    verd_write(fds[1], "ab", 2);
    settle();
    verd_write(fds[1], "cdef", 4);
    settle();
    verd_write(fds[1], "ghij", 4);
    cr_assert_eq(call_end(&reader), 10);
    cr_assert_str_eq(reader.data, "abcdefghij");
}

Test(net, MSG_WAITALL_takes_one_datagram)
{
    int fds[2];
    verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
    verd_write(fds[1], "one", 3);
    verd_write(fds[1], "two", 3);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, MSG_WAITALL), 3);
}

Test(net, a_peek_behind_the_data_leaves_it_to_be_read)
{
    int fds[2], start = 0;
    struct call reader = {0};
    verd_timeout limit;
    make_pair(fds);
    setsockopt(fds[0], SOL_SOCKET, SO_PEEK_OFF, &start, sizeof start);
    verd_write(fds[1], "ab", 2);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, MSG_PEEK), 2);
    if (recv(fds[0], buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT) > 0)
        cr_skip_test("the system says yes to SO_PEEK_OFF and does nothing");
    verd_timeout_begin(&limit, 5 * VERD_MS);
    cr_assert_eq(outcome(verd_recv(fds[0], buffer, sizeof buffer, MSG_PEEK)), -ETIMEDOUT);
    verd_timeout_end(&limit);
    call_start(&reader, call_read, fds[0]);
    cr_assert_eq(call_end(&reader), 2);
}

Test(net, asking_for_urgent_data_does_not_wait)
{
    int fds[2];
    make_tcp_pair(fds);
    cr_assert_eq(outcome(verd_recv(fds[0], buffer, 1, MSG_OOB)), -EINVAL);
}

Test(net, asking_the_error_queue_does_not_wait)
{
    int fds[2];
    make_tcp_pair(fds);
    cr_assert_eq(outcome(verd_recv(fds[0], buffer, 1, MSG_ERRQUEUE)), -EAGAIN);
}

Test(net, receiving_nothing_from_an_emptied_stream_does_not_wait)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "ab", 2);
    verd_recv(fds[0], buffer, sizeof buffer, 0);
    cr_assert_eq(verd_recv(fds[0], buffer, 0, 0), 0);
}

static int connect_nonblocking(int fd, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return verd_connect_to(fd, (struct sockaddr *)&address, sizeof address);
}

Test(net, connect_to_twice_is_EISCONN)
{
    int port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    make_listener(&port);
    cr_assert_eq(connect_nonblocking(fd, port), 0);
    cr_assert_eq(outcome(connect_nonblocking(fd, port)), -EISCONN);
}
