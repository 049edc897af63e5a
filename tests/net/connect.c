/* SPDX-License-Identifier: MIT */

/* Connecting, listening, accepting. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "process.h"
#include "shortage.h"

static char buffer[64];

/* A port on which nobody listens, nor will. */
static int dead_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return verd_port(fd);
}

static ssize_t call_connect(struct call *call) /* fd is a port */
{
    return verd_connect("127.0.0.1", call->fd);
}

Test(net, connect_to_a_dead_port_is_ECONNREFUSED)
{
    cr_assert_eq(outcome(verd_connect("127.0.0.1", dead_port())), -ECONNREFUSED);
}

/* A port that a connection's own end may get: the system tries those with an even number one after the other. */
static int free_port(void)
{
    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
        int port = verd_port(fd);
        if (port % 2 != 0)
            continue; /* and is not given again */
        close(fd);
        return port;
    }
}

Test(net, connect_to_a_dead_port_never_connects_to_itself)
{
    need_descriptors(200); /* those that free_port leaves open, as a rule a few */
    int port = free_port(), tries = 0;
    int wanted = process_is_translated() ? 500 : 16000; /* all even ports are fewer */
    while (tries < wanted && outcome(verd_connect("127.0.0.1", port)) == -ECONNREFUSED)
        tries++;
    cr_assert_eq(tries, wanted);
}

Test(net, connect_to_never_connects_a_socket_to_itself)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&address, length)), -ECONNREFUSED);
    cr_expect_eq(getpeername(fd, (struct sockaddr *)&address, &length), -1);
}

Test(net, a_datagram_socket_may_be_connected_to_itself)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind(fd, (struct sockaddr *)&address, length);
    getsockname(fd, (struct sockaddr *)&address, &length);
    cr_expect_eq(verd_connect_to(fd, (struct sockaddr *)&address, length), 0);
    cr_expect_eq(verd_send(fd, "x", 1, 0), 1);
    cr_expect_eq(verd_recv(fd, buffer, sizeof buffer, 0), 1);
}

Test(net, connect_reaches_the_listener)
{
    int port;
    int listener = make_listener(&port);
    int client = verd_connect("127.0.0.1", port);
    int server = verd_accept(listener, NULL, NULL);
    verd_write(client, "hello", 5);
    cr_assert_eq(verd_read(server, buffer, sizeof buffer), 5);
}

Test(net, accept_waits_for_a_connection)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    int client = verd_connect("127.0.0.1", port);
    verd_write(client, "hello", 5);
    cr_assert_eq(verd_read((int)call_end(&accepter), buffer, sizeof buffer), 5);
}

Test(net, accept_on_a_foreign_blocking_listener_lets_others_run)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct call accepter = {0};
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 5);
    call_start(&accepter, call_accept, listener);
    int client = verd_connect("127.0.0.1", verd_port(listener));
    verd_write(client, "hello", 5);
    cr_assert_eq(verd_read((int)call_end(&accepter), buffer, sizeof buffer), 5);
}

Test(net, accept_tells_the_address_of_the_client)
{
    int port;
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int listener = make_listener(&port);
    int client = verd_connect("127.0.0.1", port);
    verd_accept(listener, (struct sockaddr *)&address, &length);
    cr_assert_eq(ntohs(address.sin_port), verd_port(client));
}

Test(net, a_backlog_is_accepted_in_its_order)
{
    int port, clients[5];
    char byte;
    int listener = make_listener(&port);
    for (int i = 0; i < 5; i++) {
        clients[i] = verd_connect("127.0.0.1", port);
        verd_write(clients[i], &"01234"[i], 1);
    }
    for (int i = 0; i < 5; i++) {
        verd_read(verd_accept(listener, NULL, NULL), &byte, 1);
        cr_assert_eq(byte, "01234"[i]);
    }
}

static ssize_t accept_three(struct call *call)
{
    int count = 0;
    while (count < 3 && verd_accept(call->fd, NULL, NULL) >= 0)
        count++;
    return count;
}

Test(net, connections_that_come_together_are_all_accepted)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, accept_three, listener);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 3; i++) /* without giving way */
        connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
    cr_assert_eq(call_end(&accepter), 3);
}

Test(net, connect_to_a_full_backlog_obeys_a_timeout)
{
    struct call connecter = {0};
    int port = verd_port(make_full_listener(AF_INET));
    cr_assert_eq(call_within(20 * VERD_MS, &connecter, call_connect, port), -ETIMEDOUT);
}

Test(net, connect_to_a_full_backlog_can_be_killed)
{
    struct call connecter = {0};
    call_start(&connecter, call_connect, verd_port(make_full_listener(AF_INET)));
    verd_kill(connecter.thread);
    cr_assert_eq(call_end(&connecter), -ECANCELED);
}

Test(net, a_connect_that_is_given_up_leaves_no_descriptor)
{
    struct call connecter = {0};
    int port = verd_port(make_full_listener(AF_INET));
    call_within(VERD_MS, &connecter, call_connect, port);
    int lowest = dup(0);
    close(lowest);
    call_within(VERD_MS, &connecter, call_connect, port);
    cr_assert_eq(dup(0), lowest);
}

Test(net, a_refused_connect_leaves_no_descriptor)
{
    int port = dead_port();
    verd_connect("127.0.0.1", port);
    int lowest = dup(0);
    close(lowest);
    verd_connect("127.0.0.1", port);
    cr_assert_eq(dup(0), lowest);
}

Test(net, connect_to_a_port_out_of_range_is_EINVAL)
{
    cr_assert_eq(outcome(verd_connect("127.0.0.1", 0)), -EINVAL);
    cr_assert_eq(outcome(verd_connect("127.0.0.1", 65536)), -EINVAL);
    cr_assert_eq(outcome(verd_connect("127.0.0.1", -1)), -EINVAL);
}

Test(net, connect_to_no_host_is_EINVAL)
{
    cr_assert_eq(outcome(verd_connect(NULL, 80)), -EINVAL);
}

static ssize_t connect_own(struct call *call) /* fd is a port */
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)call->fd),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = verd_connect_to(fd, (struct sockaddr *)&address, sizeof address);
    return result;
}

Test(net, connect_to_connects_the_callers_own_blocking_socket)
{
    struct call connecter = {0};
    int port;
    make_listener(&port);
    call_start(&connecter, connect_own, port);
    cr_assert_eq(call_end(&connecter), 0);
}

Test(net, connect_to_reports_a_refusal)
{
    struct call connecter = {0};
    call_start(&connecter, connect_own, dead_port());
    cr_assert_eq(call_end(&connecter), -ECONNREFUSED);
}

Test(net, connect_to_does_not_block_the_others)
{
    struct call connecter = {0};
    call_start(&connecter, connect_own, verd_port(make_full_listener(AF_INET)));
    verd_kill(connecter.thread);
    cr_assert_eq(call_end(&connecter), -ECANCELED);
}

Test(net, connect_to_leaves_the_sockets_flags_as_they_were)
{
    int port;
    make_listener(&port);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    verd_connect_to(fd, (struct sockaddr *)&address, sizeof address);
    cr_assert_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

Test(net, connect_to_of_a_connected_socket_is_EISCONN)
{
    int port;
    make_listener(&port);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    connect(fd, (struct sockaddr *)&address, sizeof address);
    cr_assert_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&address, sizeof address)),
                 -EISCONN);
}

Test(net, connections_have_no_delay)
{
    int fds[2], client = 0, server = 0;
    socklen_t length = sizeof client;
    make_tcp_pair(fds);
    getsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &client, &length);
    getsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &server, &length);
    cr_assert(client && server);
}

static bool is_closed_on_exec_and_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

Test(net, what_the_library_makes_is_nonblocking_and_closed_on_exec)
{
    int port, fds[2], tcp[2];
    char name[32];
    snprintf(name, sizeof name, "@verd-flags-%d", (int)getpid());
    cr_expect(is_closed_on_exec_and_nonblocking(make_listener(&port)));
    cr_expect(is_closed_on_exec_and_nonblocking(verd_listen_unix(name, 0)));
    cr_expect(is_closed_on_exec_and_nonblocking(verd_connect_unix(name)));
    verd_pipe(fds);
    cr_expect(is_closed_on_exec_and_nonblocking(fds[0]));
    cr_expect(is_closed_on_exec_and_nonblocking(fds[1]));
    make_pair(fds);
    cr_expect(is_closed_on_exec_and_nonblocking(fds[0]));
    cr_expect(is_closed_on_exec_and_nonblocking(fds[1]));
    make_tcp_pair(tcp);
    cr_expect(is_closed_on_exec_and_nonblocking(tcp[0]));
    cr_expect(is_closed_on_exec_and_nonblocking(tcp[1]));
}
