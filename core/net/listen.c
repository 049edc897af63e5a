/* SPDX-License-Identifier: MIT */
#include "net/listen.h"

#include <verd/net.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hub/hub.h"
#include "net/address.h"
#include "io/descriptor.h"
#include "net/socket.h"
#include "sched/wait.h"

#define FLAGS (VERD_REUSEPORT | VERD_IPV6_ONLY)

#define TCP_LISTENER (VERD__FD_LISTENER | VERD__FD_STREAM)

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* What is accepted inherits TCP_NODELAY. */
static int set_options(int fd, int family, unsigned flags)
{
    if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 || set(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0)
        return -1;
    if ((flags & VERD_REUSEPORT) && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
        return -1;
    if (family != AF_INET6)
        return 0;
    return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & VERD_IPV6_ONLY) != 0);
}

/* Makes a listener of a new socket, or closes it. */
static int start(int fd, const struct sockaddr *address, socklen_t length, unsigned flags)
{
    if (set_options(fd, address->sa_family, flags) == 0 && bind(fd, address, length) == 0 &&
        listen(fd, VERD__BACKLOG) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

static int listen_at(const struct sockaddr *address, socklen_t length, unsigned flags)
{
    int fd = verd__socket_stream(address->sa_family, TCP_LISTENER);
    return fd >= 0 ? start(fd, address, length, flags) : -1;
}

/* What says that an address is not one that this machine has, and nothing of the port. */
static bool is_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int listen_everywhere(int port, unsigned flags)
{
    struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_ANY_INIT,
        .sin6_port = htons((uint16_t)port),
    };
    struct sockaddr_in ipv4 = {
        .sin_family = AF_INET,
        .sin_addr = {htonl(INADDR_ANY)},
        .sin_port = htons((uint16_t)port),
    };
    int fd = listen_at((struct sockaddr *)&ipv6, sizeof ipv6, flags);
    if (fd >= 0 || !is_missing(errno) || (flags & VERD_IPV6_ONLY))
        return fd;
    return listen_at((struct sockaddr *)&ipv4, sizeof ipv4, flags);
}

static bool is_loopback(const struct addrinfo *address)
{
    union verd__address copy;
    memcpy(&copy, address->ai_addr, address->ai_addrlen);
    if (copy.any.sa_family == AF_INET)
        return ntohl(copy.ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return copy.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&copy.ipv6.sin6_addr);
}

/* Whether the name is this machine itself, by IPv6 and IPv4: "localhost". */
static bool are_both_loopbacks(const struct addrinfo *addresses)
{
    bool ipv4 = false, ipv6 = false;
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        if (!is_loopback(a))
            return false;
        ipv4 |= a->ai_family == AF_INET;
        ipv6 |= a->ai_family == AF_INET6;
    }
    return ipv4 && ipv6;
}

/* One socket has one address, or all: all those of the loopback interface, which nobody else can reach. */
static int listen_on_loopback(int port, unsigned flags)
{
    static const char name[] = "lo";
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_ANY_INIT,
        .sin6_port = htons((uint16_t)port),
    };
    int fd = verd__socket_stream(AF_INET6, TCP_LISTENER);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, sizeof name) == 0)
        return start(fd, (struct sockaddr *)&address, sizeof address, flags);
    verd__descriptor_drop(fd);
    errno =
        EADDRNOTAVAIL; /* before Linux 5.7 not everybody may, and elsewhere it has another name */
    return -1;
}

/* The first that this machine has. If the port is taken there, the next would be another server. */
static int listen_at_first(const struct addrinfo *addresses, unsigned flags)
{
    int fd = -1;
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        fd = listen_at(a->ai_addr, a->ai_addrlen, flags);
        if (fd >= 0 || !is_missing(errno))
            break;
    }
    return fd;
}

int verd__listen_among(const struct addrinfo *addresses, int port, unsigned flags)
{
    int fd = -1;
    errno = EADDRNOTAVAIL;
    if (are_both_loopbacks(addresses) && !(flags & VERD_IPV6_ONLY))
        fd = listen_on_loopback(port, flags);
    if (fd < 0 && is_missing(errno))
        fd = listen_at_first(addresses, flags);
    return fd;
}

static int listen_on(const char *host, int port, unsigned flags)
{
    if (port < 0 || port > 65535 || (flags & ~(unsigned)FLAGS)) {
        errno = EINVAL;
        return -1;
    }
    if (verd__begin() == NULL)
        return -1;
    if (host == NULL || host[0] == '\0')
        return listen_everywhere(port, flags);
    struct addrinfo *addresses = verd__address_resolve(host, port);
    if (addresses == NULL)
        return -1;
    int fd = verd__listen_among(addresses, port, flags);
    int error = errno;
    freeaddrinfo(addresses);
    errno = error;
    return fd;
}

int verd_listen(const char *host, int port, unsigned flags)
{
    int result = listen_on(host, port, flags);
    verd__spend();
    return result;
}
