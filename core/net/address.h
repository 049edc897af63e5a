/* SPDX-License-Identifier: MIT */
/* Addresses from what people write. */
#ifndef VERD_NET_ADDRESS_H
#define VERD_NET_ADDRESS_H

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union verd__address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_storage room;
};

/* The port of a TCP or UDP address; -1: it is of another family. */
int verd__address_port(const union verd__address *address);

/* The stream addresses of a host, numeric or a name, to be freed by freeaddrinfo. Blocks. Returns
 * NULL with errno ENOMEM, EADDRNOTAVAIL (it has none), or as EAI_SYSTEM of verd_getaddrinfo has
 * it. */
struct addrinfo *verd__address_resolve(const char *host, int port);

/* The address of a Unix socket: a path, or '@' and a name of the abstract namespace. Returns its
 * length, or 0 with errno EINVAL (none) or ENAMETOOLONG. */
socklen_t verd__address_unix(const char *path, struct sockaddr_un *address);

#endif
