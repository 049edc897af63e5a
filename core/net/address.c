/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <verd/net.h>
#include <verd/os.h>

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int error_of(int resolver_error)
{
    switch (resolver_error) {
    case EAI_SYSTEM:
        return errno;
    case EAI_MEMORY:
        return ENOMEM;
    default:
        return EADDRNOTAVAIL;
    }
}

struct addrinfo *verd__address_resolve(const char *host, int port)
{
    static const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
        .ai_flags = AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    char service[sizeof "65535"];
    snprintf(service, sizeof service, "%u", (unsigned)port & 0xffff);
    int error = verd_getaddrinfo(host, service, &hints, &found);
    if (error == 0)
        return found;
    errno = error_of(error);
    return NULL;
}

socklen_t verd__address_unix(const char *path, struct sockaddr_un *address)
{
    size_t length = path != NULL ? strlen(path) : 0;
    bool abstract = length > 0 && path[0] == '@';
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length == 0) {
        errno = EINVAL;
        return 0;
    }
    if (length + !abstract > sizeof address->sun_path) { /* a path ends in a null byte */
        errno = ENAMETOOLONG;
        return 0;
    }
    memcpy(address->sun_path, path, length);
    if (abstract)
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
}

int verd__address_port(const union verd__address *address)
{
    switch (address->any.sa_family) {
    case AF_INET:
        return ntohs(address->ipv4.sin_port);
    case AF_INET6:
        return ntohs(address->ipv6.sin6_port);
    default:
        return -1;
    }
}

int verd_port(int fd)
{
    union verd__address address;
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) != 0)
        return -1;
    int port = verd__address_port(&address);
    if (port < 0)
        errno = EAFNOSUPPORT;
    return port;
}
