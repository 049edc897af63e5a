/* SPDX-License-Identifier: MIT */

/* Descriptors that say for ever that they are ready, in vain, or never that they have ended. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "call.h"
#include "hub/hub.h"

/* How often the hub asks in 50 ms, once it has settled. */
static size_t polls_in_vain(void)
{
    const struct verd__loop *loop = verd__loop(verd__scheduler());
    verd_sleep(100 * VERD_MS);
    size_t before = loop->polls;
    verd_sleep(50 * VERD_MS);
    return loop->polls - before;
}

/* A datagram socket of the caller's, at an address of its own on the loopback interface. */
static int make_datagram_socket(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(fd, (struct sockaddr *)address, length), 0);
    getsockname(fd, (struct sockaddr *)address, &length);
    return fd;
}

Test(io, shutdown_ends_a_waiting_read_of_datagrams)
{
    struct sockaddr_in address;
    struct call reader = {0};
    int fd = make_datagram_socket(&address);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    call_start(&reader, call_recv, fd);
    verd_shutdown(fd, SHUT_RD);
    cr_assert_eq(call_end(&reader), 0);
}

Test(io, a_read_of_datagrams_after_shutdown_is_at_the_end)
{
    int fds[2];
    struct call reader = {0};
    verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
    verd_shutdown(fds[0], SHUT_RD);
    call_start(&reader, call_recv, fds[0]);
    cr_assert_eq(call_end(&reader), 0);
}

Test(io, shutdown_of_a_unix_listener_ends_a_waiting_accept)
{
    struct call accepter = {0};
    int listener = verd_listen_unix("@libverd-test-smoke-vain", 0);
    call_start(&accepter, call_accept, listener);
    verd_shutdown(listener, SHUT_RD);
    cr_assert_eq(call_end(&accepter), -EINVAL);
}

static void leave_an_error_behind(int fd)
{
    struct sockaddr_in nobody;
    int on = 1;
    verd_close(make_datagram_socket(&nobody));
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    cr_assert_eq(connect(fd, (struct sockaddr *)&nobody, sizeof nobody), 0);
    send(fd, "x", 1, 0);
    cr_assert_eq(outcome(verd_recv(fd, &on, sizeof on, 0)), -ECONNREFUSED);
}

Test(io, a_reader_does_not_spin_on_an_error_queue)
{
    struct sockaddr_in address;
    struct call reader = {0};
    int fd = make_datagram_socket(&address);
    leave_an_error_behind(fd);
    call_start(&reader, call_recv, fd);
    cr_assert_leq(polls_in_vain(), 20);
}

static size_t polls_behind_an_urgent_byte(int fd, int peer)
{
    struct call reader = {0};
    send(peer, "!", 1, MSG_OOB);
    call_start(&reader, call_read, fd);
    size_t polls = polls_in_vain();
    cr_assert_not(reader.returned);
    verd_write(peer, "data", 4);
    cr_assert_eq(call_end(&reader), 4);
    return polls;
}

Test(io, a_reader_does_not_spin_on_an_urgent_byte)
{
    int fds[2];
    make_tcp_pair(fds);
    cr_assert_leq(polls_behind_an_urgent_byte(fds[0], fds[1]), 3);
}

/* The address of a datagram socket whose queue is full; the socket. */
static int make_full_queue(struct sockaddr_un *address, socklen_t *length)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    int filler = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *length = sizeof *address;
    /* The system chooses a name. */
    cr_assert_eq(bind(fd, (struct sockaddr *)address, sizeof address->sun_family), 0);
    getsockname(fd, (struct sockaddr *)address, length);
    while (sendto(filler, "x", 1, 0, (struct sockaddr *)address, *length) == 1)
        ;
    return fd;
}

static struct sockaddr_un full;
static socklen_t full_length;

static ssize_t send_to_full(struct call *call)
{
    return verd_sendto(call->fd, "new", 3, 0, (struct sockaddr *)&full, full_length);
}

static ssize_t send_message_to_full(struct call *call)
{
    struct iovec vector = {"new", 3};
    struct msghdr message = {
        .msg_name = &full, .msg_namelen = full_length, .msg_iov = &vector, .msg_iovlen = 1};
    return verd_sendmsg(call->fd, &message, 0);
}

static void expect_no_spinning(ssize_t (*send)(struct call *))
{
    struct call sender = {0};
    make_full_queue(&full, &full_length);
    call_start(&sender, send, socket(AF_UNIX, SOCK_DGRAM, 0));
    cr_assert_leq(polls_in_vain(), 20);
    cr_assert_not(sender.returned);
}

Test(io, a_sender_to_a_full_queue_does_not_spin)
{
    expect_no_spinning(send_to_full);
    expect_no_spinning(send_message_to_full);
}

static void expect_to_be_sent(ssize_t (*send)(struct call *))
{
    char byte;
    struct call sender = {0};
    int fd = make_full_queue(&full, &full_length);
    call_start(&sender, send, socket(AF_UNIX, SOCK_DGRAM, 0));
    verd_recv(fd, &byte, 1, 0);
    cr_assert_eq(call_end(&sender), 3);
}

Test(io, a_sender_to_a_full_queue_goes_on_when_there_is_room)
{
    expect_to_be_sent(send_to_full);
    expect_to_be_sent(send_message_to_full);
}
