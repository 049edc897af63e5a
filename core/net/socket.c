/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <verd/net.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hub/hub.h"
#include "io/descriptor.h"
#include "net/address.h"

int verd__socket_stream(int family, unsigned bits)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return verd__descriptor_new(fd, bits | VERD__FD_SOCKET);
}

int verd__socket_tcp(int family)
{
    static const int on = 1;
    int fd = verd__socket_stream(family, VERD__FD_STREAM);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

/* An option of SOL_SOCKET; -1: it has none. */
static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, SOL_SOCKET, option, &value, &length);
    return value;
}

unsigned verd__socket_kind(int fd)
{
    if (option_of(fd, SO_PROTOCOL) == IPPROTO_TCP)
        return VERD__FD_SOCKET | VERD__FD_STREAM;
    if (option_of(fd, SO_DOMAIN) == AF_UNIX && option_of(fd, SO_TYPE) == SOCK_STREAM)
        return VERD__FD_SOCKET | VERD__FD_UNIX;
    return VERD__FD_SOCKET;
}

/* Whether who is connected to `wanted` and has the address `own` is on both ends; to no address is to this
 * machine's. */
static bool is_own(const union verd__address *wanted, const union verd__address *own)
{
    if (verd__address_port(wanted) != verd__address_port(own))
        return false;
    if (wanted->any.sa_family == AF_INET)
        return wanted->ipv4.sin_addr.s_addr == htonl(INADDR_ANY) ||
               wanted->ipv4.sin_addr.s_addr == own->ipv4.sin_addr.s_addr;
    return IN6_IS_ADDR_UNSPECIFIED(&wanted->ipv6.sin6_addr) ||
           IN6_ARE_ADDR_EQUAL(&wanted->ipv6.sin6_addr, &own->ipv6.sin6_addr);
}

bool verd__socket_met_itself(int fd, const struct sockaddr *address, socklen_t length)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    union verd__address wanted = {0}, own = {0};
    socklen_t own_length = sizeof own, int_length = sizeof(int);
    int protocol = 0;
    memcpy(&wanted, address, length < sizeof wanted ? length : sizeof wanted);
    if (verd__address_port(&wanted) <
        IPPORT_RESERVED) /* the system chooses none, nor is it AF_UNIX */
        return false;
    if (getsockname(fd, &own.any, &own_length) != 0 || !is_own(&wanted, &own) ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &int_length) != 0 ||
        protocol != IPPROTO_TCP)
        return false;
    connect(fd, &nowhere, sizeof nowhere); /* NOLINT(bugprone-unused-return-value) */
    errno = ECONNREFUSED;
    return true;
}

int verd_socketpair(int domain, int type, int protocol, int fds[2])
{
    int made[2];
    type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (socketpair(domain, type, protocol, made) != 0)
        return -1;
    bool stream = domain == AF_UNIX && type == (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    return verd__descriptor_pair(fds, made, VERD__FD_SOCKET | (stream ? VERD__FD_UNIX : 0));
}
