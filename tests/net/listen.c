/* SPDX-License-Identifier: MIT */

/* Listeners: addresses, names, ports, paths. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "net/listen.h"

/* A label is 63 bytes at most: nobody has to be asked for this one. */
#define NO_HOST "no-such-host-" LONG LONG ".invalid"
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

Test(net, listen_on_port_0_gets_a_port)
{
    int fd = verd_listen("127.0.0.1", 0, 0);
    cr_assert(verd_port(fd) > 0);
}

Test(net, listen_on_a_taken_port_is_EADDRINUSE)
{
    int port;
    make_listener(&port);
    cr_assert_eq(outcome(verd_listen("127.0.0.1", port, 0)), -EADDRINUSE);
}

Test(net, REUSEPORT_shares_a_port)
{
    int first = verd_listen("127.0.0.1", 0, VERD_REUSEPORT);
    cr_assert_geq(outcome(verd_listen("127.0.0.1", verd_port(first), VERD_REUSEPORT)), 0);
}

Test(net, listen_again_on_the_port_of_closed_connections)
{
    int port;
    int listener = make_listener(&port);
    int client = verd_connect("127.0.0.1", port);
    int server = verd_accept(listener, NULL, NULL);
    verd_close(server); /* this side waits in TIME_WAIT */
    verd_close(client);
    verd_close(listener);
    cr_assert_geq(outcome(verd_listen("127.0.0.1", port, 0)), 0);
}

Test(net, listen_to_every_address_takes_IPv4_clients)
{
    int listener = verd_listen(NULL, 0, 0);
    cr_assert_geq(outcome(verd_connect("127.0.0.1", verd_port(listener))), 0);
}

Test(net, listen_to_the_empty_host_takes_IPv4_clients)
{
    int listener = verd_listen("", 0, 0);
    cr_assert_geq(outcome(verd_connect("127.0.0.1", verd_port(listener))), 0);
}

static bool has_IPv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool can = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return can;
}

Test(net, an_IPv6_listener_takes_an_IPv6_client)
{
    if (!has_IPv6())
        cr_skip_test("no IPv6 on this machine");
    int listener = verd_listen("::1", 0, 0);
    cr_assert_geq(outcome(verd_connect("::1", verd_port(listener))), 0);
}

Test(net, listen_to_every_address_takes_IPv6_clients)
{
    if (!has_IPv6())
        cr_skip_test("no IPv6 on this machine");
    int listener = verd_listen(NULL, 0, 0);
    cr_assert_geq(outcome(verd_connect("::1", verd_port(listener))), 0);
}

Test(net, an_IPv6_only_wildcard_takes_no_IPv4_clients)
{
    if (!has_IPv6())
        cr_skip_test("no IPv6 on this machine");
    int listener = verd_listen("::", 0, VERD_IPV6_ONLY);
    cr_assert_eq(outcome(verd_connect("127.0.0.1", verd_port(listener))), -ECONNREFUSED);
}

/* What a name's addresses might be: ::1 and 127.0.0.1. */
static struct addrinfo *both_loopbacks(int port)
{
    static struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    static struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    static struct addrinfo addresses[2];
    if (!has_IPv6())
        cr_skip_test("no IPv6 on this machine");
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ipv6.sin6_port = ipv4.sin_port = htons((uint16_t)port);
    addresses[0] = (struct addrinfo){.ai_family = AF_INET6,
                                     .ai_addr = (struct sockaddr *)&ipv6,
                                     .ai_addrlen = sizeof ipv6,
                                     .ai_next = &addresses[1]};
    addresses[1] = (struct addrinfo){
        .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&ipv4, .ai_addrlen = sizeof ipv4};
    return addresses;
}

static bool may_bind_to_devices(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool may = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0;
    close(fd);
    return may;
}

Test(net, a_name_of_this_machine_is_both_its_addresses)
{
    int listener = verd__listen_among(both_loopbacks(0), 0, 0);
    int port = verd_port(listener);
    if (!may_bind_to_devices())
        cr_skip_test("a socket cannot be bound to a device here");
    cr_expect_geq(outcome(verd_connect("127.0.0.1", port)), 0);
    cr_expect_geq(outcome(verd_connect("::1", port)), 0);
}

Test(net, a_name_of_which_one_address_is_taken_is_EADDRINUSE)
{
    const char *hosts[] = {"::1", "127.0.0.1"};
    struct addrinfo *addresses = both_loopbacks(0);
    for (int i = 0; i < 2; i++) {
        int taken = verd_listen(hosts[i], 0, 0);
        if (i == 1 && !may_bind_to_devices())
            break; /* the first address is all there is */
        addresses = both_loopbacks(verd_port(taken));
        cr_expect_eq(outcome(verd__listen_among(addresses, verd_port(taken), 0)), -EADDRINUSE);
    }
}

Test(net, a_name_of_which_the_machine_has_the_second_address_alone_is_that)
{
    struct addrinfo *addresses = both_loopbacks(0);
    inet_pton(AF_INET6, "2001:db8::1", &((struct sockaddr_in6 *)addresses->ai_addr)->sin6_addr);
    int listener = verd__listen_among(addresses, 0, 0);
    cr_expect_geq(outcome(verd_connect("127.0.0.1", verd_port(listener))), 0);
}

Test(net, localhost_is_known_to_listen_and_connect)
{
    int listener = verd_listen("localhost", 0, 0);
    cr_assert_geq(outcome(verd_connect("localhost", verd_port(listener))), 0);
}

Test(net, connect_tries_the_next_address_of_a_name)
{
    int port;
    make_listener(&port); /* on 127.0.0.1 only; localhost may be ::1 first */
    cr_assert_geq(outcome(verd_connect("localhost", port)), 0);
}

Test(net, a_host_without_an_address_is_EADDRNOTAVAIL)
{
    cr_assert_eq(outcome(verd_listen(NO_HOST, 0, 0)), -EADDRNOTAVAIL);
}

Test(net, connect_to_a_host_without_an_address_is_EADDRNOTAVAIL)
{
    cr_assert_eq(outcome(verd_connect(NO_HOST, 80)), -EADDRNOTAVAIL);
}

Test(net, listen_to_an_address_of_another_machine_is_EADDRNOTAVAIL)
{
    cr_assert_eq(outcome(verd_listen("203.0.113.1", 0, 0)), -EADDRNOTAVAIL);
}

Test(net, listen_on_a_port_out_of_range_is_EINVAL)
{
    cr_assert_eq(outcome(verd_listen("127.0.0.1", 65536, 0)), -EINVAL);
    cr_assert_eq(outcome(verd_listen("127.0.0.1", -1, 0)), -EINVAL);
}

Test(net, listen_with_an_unknown_flag_is_EINVAL)
{
    cr_assert_eq(outcome(verd_listen("127.0.0.1", 0, 0x100)), -EINVAL);
}

Test(net, the_port_of_a_unix_socket_is_EAFNOSUPPORT)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(outcome(verd_port(fds[0])), -EAFNOSUPPORT);
}

Test(net, the_port_of_a_pipe_is_ENOTSOCK)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert_eq(outcome(verd_port(fds[0])), -ENOTSOCK);
}
