/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <verd/net.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hub/hub.h"
#include "net/address.h"
#include "io/descriptor.h"

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

static bool is_same_end(const union verd__address *a, const union verd__address *b)
{
    if (a->any.sa_family != b->any.sa_family || verd__address_port(a) != verd__address_port(b))
        return false;
    if (a->any.sa_family == AF_INET)
        return a->ipv4.sin_addr.s_addr == b->ipv4.sin_addr.s_addr;
    return memcmp(&a->ipv6.sin6_addr, &b->ipv6.sin6_addr, sizeof a->ipv6.sin6_addr) == 0;
}

bool verd__socket_met_itself(int fd, const struct sockaddr *address, socklen_t length)
{
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    union verd__address wanted, here, there;
    socklen_t here_length = sizeof here, there_length = sizeof there, int_length = sizeof(int);
    int protocol = 0;
    memcpy(&wanted, address, length < sizeof wanted ? length : sizeof wanted);
    int port = verd__address_port(&wanted);
    if (port < IPPORT_RESERVED) /* the system chooses none of them, nor is it AF_UNIX */
        return false;
    if (getsockname(fd, &here.any, &here_length) != 0 || verd__address_port(&here) != port ||
        getpeername(fd, &there.any, &there_length) != 0 || !is_same_end(&here, &there) ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &int_length) != 0 ||
        protocol != IPPROTO_TCP)
        return false;
    connect(fd, &nowhere, sizeof nowhere);
    errno = ECONNREFUSED;
    return true;
}

/* A full Unix socket does not report that its own side was shut down. */
int verd_shutdown(int fd, int how)
{
    struct verd__scheduler *scheduler = verd__current;
    int result = shutdown(fd, how);
    if (result == 0 && scheduler != NULL && scheduler->poller != NULL)
        verd__loop_retry(verd__loop(scheduler), fd);
    return result;
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
