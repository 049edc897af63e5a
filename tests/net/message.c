/* SPDX-License-Identifier: MIT */

/* Sockets with message boundaries, and control messages. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

static char buffer[256];

static void make_datagram_pair(int fds[2])
{
    cr_assert_eq(verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
}

Test(net, queued_datagrams_are_all_read)
{
    int fds[2];
    make_datagram_pair(fds);
    for (int i = 0; i < 3; i++)
        verd_write(fds[1], "x", 1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 1);
}

static ssize_t read_three(struct call *call)
{
    ssize_t sum = 0;
    for (int i = 0; i < 3; i++)
        sum += verd_read(call->fd, call->data, sizeof call->data);
    return sum;
}

Test(net, datagrams_that_come_together_are_all_read)
{
    int fds[2];
    struct call reader = {0};
    make_datagram_pair(fds);
    call_start(&reader, read_three, fds[0]);
    for (int i = 0; i < 3; i++)
        send(fds[1], "ab", 2, 0);
    cr_assert_eq(call_end(&reader), 6);
}

Test(net, an_empty_datagram_is_read_as_nothing)
{
    int fds[2];
    struct call reader = {0};
    make_datagram_pair(fds);
    call_start(&reader, call_recv, fds[0]);
    cr_assert_eq(verd_send(fds[1], "", 0, 0), 0);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, a_datagram_behind_an_empty_one_is_read)
{
    int fds[2];
    make_datagram_pair(fds);
    verd_send(fds[1], "", 0, 0);
    verd_send(fds[1], "ab", 2, 0);
    verd_recv(fds[0], buffer, sizeof buffer, 0);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, 0), 2);
}

Test(net, a_long_datagram_is_cut)
{
    int fds[2];
    make_datagram_pair(fds);
    verd_write(fds[1], "abcdef", 6);
    verd_write(fds[1], "gh", 2);
    verd_read(fds[0], buffer, 3);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 2);
}

Test(net, a_datagram_waits_for_room)
{
    int fds[2];
    struct call writer = {.size = 5};
    make_datagram_pair(fds);
    fill(fds[1]);
    call_start(&writer, call_write, fds[1]);
    cr_assert_not(writer.returned);
    drain(fds[0]);
    cr_assert_eq(call_end(&writer), 5);
}

static int make_udp(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    getsockname(fd, (struct sockaddr *)address, &length);
    return fd;
}

Test(net, recvfrom_tells_the_sender)
{
    struct sockaddr_in receiver, sender, from = {0};
    socklen_t length = sizeof from;
    int to_fd = make_udp(&receiver), from_fd = make_udp(&sender);
    verd_sendto(from_fd, "hello", 5, 0, (struct sockaddr *)&receiver, sizeof receiver);
    verd_recvfrom(to_fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    cr_assert_eq(from.sin_port, sender.sin_port);
}

static ssize_t recvfrom_sender(struct call *call)
{
    struct sockaddr_in from = {0};
    socklen_t length = sizeof from;
    ssize_t n =
        verd_recvfrom(call->fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    return n < 0 ? n : ntohs(from.sin_port);
}

Test(net, recvfrom_waits_on_a_blocking_socket_and_tells_the_sender)
{
    struct sockaddr_in receiver, sender;
    struct call reader = {0};
    int to_fd = make_udp(&receiver), from_fd = make_udp(&sender);
    call_start(&reader, recvfrom_sender, to_fd);
    verd_sendto(from_fd, "hello", 5, 0, (struct sockaddr *)&receiver, sizeof receiver);
    cr_assert_eq(call_end(&reader), ntohs(sender.sin_port));
}

Test(net, SEQPACKET_keeps_the_boundaries)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(verd_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    call_start(&reader, read_three, fds[0]);
    verd_write(fds[1], "a", 1);
    verd_write(fds[1], "bb", 2);
    verd_write(fds[1], "ccc", 3);
    cr_assert_eq(call_end(&reader), 6);
}

Test(net, SEQPACKET_ends_when_its_peer_closes)
{
    int fds[2];
    struct call reader = {0};
    verd_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
    call_start(&reader, call_read, fds[0]);
    verd_close(fds[1]);
    cr_assert_eq(call_end(&reader), 0);
}

Test(net, a_long_message_to_a_foreign_blocking_socket_stays_whole)
{
    static char message[8000], received[16000];
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    verd_write(fds[1], message, sizeof message);
    cr_assert_eq(verd_read(fds[0], received, sizeof received), sizeof message);
}

/* A message of `text` with room for one descriptor in its control part. */
struct passing {
    struct iovec part;
    struct msghdr message;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static struct msghdr *with_room(struct passing *passing, char *text, size_t size)
{
    *passing = (struct passing){.part = {text, size}};
    passing->message = (struct msghdr){.msg_iov = &passing->part,
                                       .msg_iovlen = 1,
                                       .msg_control = passing->control,
                                       .msg_controllen = sizeof passing->control};
    return &passing->message;
}

static void pass_descriptor(int to, int fd, char *text)
{
    struct passing passing;
    struct cmsghdr *control = CMSG_FIRSTHDR(with_room(&passing, text, strlen(text)));
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(control), &fd, sizeof fd);
    cr_assert_eq(outcome(verd_sendmsg(to, &passing.message, 0)), (ssize_t)strlen(text));
}

static ssize_t receive_descriptor(struct call *call)
{
    struct passing passing;
    int fd;
    struct msghdr *message = with_room(&passing, buffer, sizeof buffer);
    if (verd_recvmsg(call->fd, message, MSG_CMSG_CLOEXEC) < 0 || !CMSG_FIRSTHDR(message))
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(message)), sizeof fd);
    return fd;
}

Test(net, a_passed_descriptor_works)
{
    int fds[2], passed[2];
    struct call receiver = {0};
    make_pair(fds);
    make_pair(passed);
    call_start(&receiver, receive_descriptor, fds[0]);
    pass_descriptor(fds[1], passed[0], "x");
    int received = (int)call_end(&receiver);
    verd_write(passed[1], "through", 7);
    cr_assert_eq(verd_read(received, buffer, sizeof buffer), 7);
}

Test(net, data_behind_a_passed_descriptor_is_read)
{
    int fds[2];
    struct call receiver = {0};
    make_pair(fds);
    call_start(&receiver, receive_descriptor, fds[0]);
    pass_descriptor(fds[1], fds[1], "first");
    send(fds[1], "second", 6, 0); /* comes with the same edge, and a read stops before it */
    call_end(&receiver);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 6);
}

static ssize_t read_three_bytes(struct call *call)
{
    return verd_read_full(call->fd, call->data, 3, NULL);
}

Test(net, data_before_and_behind_a_passed_descriptor_is_read)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, read_three_bytes, fds[0]);
    send(fds[1], "a", 1, 0);
    pass_descriptor(fds[1], fds[1], "b");
    send(fds[1], "c", 1, 0);
    cr_assert_eq(call_end(&reader), 3);
}

Test(net, recvmsg_says_that_a_message_was_cut)
{
    int fds[2];
    struct iovec part = {buffer, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    make_datagram_pair(fds);
    verd_write(fds[1], "abcdef", 6);
    verd_recvmsg(fds[0], &message, 0);
    cr_assert(message.msg_flags & MSG_TRUNC);
}

Test(net, recvmsg_into_more_parts_than_there_can_be_is_EMSGSIZE)
{
    int fds[2];
    struct iovec part = {buffer, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = IOV_MAX + 1};
    make_datagram_pair(fds);
    cr_assert_eq(outcome(verd_recvmsg(fds[0], &message, 0)), -EMSGSIZE);
}

Test(net, sendmsg_gathers_its_parts)
{
    int fds[2];
    struct iovec parts[2] = {{(void *)"ab", 2}, {(void *)"cde", 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    make_datagram_pair(fds);
    verd_sendmsg(fds[1], &message, 0);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 5);
}

Test(net, recv_on_a_pipe_is_ENOTSOCK)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert_eq(outcome(verd_recv(fds[0], buffer, 1, 0)), -ENOTSOCK);
}

Test(net, send_to_a_foreign_pipe_is_ENOTSOCK)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(outcome(verd_send(fds[1], "x", 1, 0)), -ENOTSOCK);
}
