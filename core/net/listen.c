/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

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

static int listen_at(const struct sockaddr *address, socklen_t length, unsigned flags)
{
    int fd = verd__socket_stream(address->sa_family, TCP_LISTENER);
    if (fd < 0)
        return -1;
    if (set_options(fd, address->sa_family, flags) == 0 && bind(fd, address, length) == 0 &&
        listen(fd, VERD__BACKLOG) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
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
    bool missing = fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
    if (!missing || (flags & VERD_IPV6_ONLY))
        return fd;
    return listen_at((struct sockaddr *)&ipv4, sizeof ipv4, flags);
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
    int fd = -1;
    for (const struct addrinfo *a = addresses; fd < 0 && a != NULL; a = a->ai_next)
        fd = listen_at(a->ai_addr, a->ai_addrlen, flags);
    if (addresses != NULL)
        freeaddrinfo(addresses);
    return fd;
}

int verd_listen(const char *host, int port, unsigned flags)
{
    int result = listen_on(host, port, flags);
    verd__spend();
    return result;
}
