/* SPDX-License-Identifier: MIT */
/* Sockets that libverd makes: descriptors of its own (io/descriptor.h). */
#ifndef VERD_NET_SOCKET_H
#define VERD_NET_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

/* Of listeners; the system takes less if net.core.somaxconn says so. */
#define VERD__BACKLOG 4096

/* A new stream socket, of this kind besides (VERD__FD_...). -1 and errno as socket(2), or ENOMEM. */
int verd__socket_stream(int family, unsigned bits);

/* The kind of a socket that somebody else has made (VERD__FD_...). */
unsigned verd__socket_kind(int fd);

/* A new TCP socket with TCP_NODELAY. -1 and errno likewise. */
int verd__socket_tcp(int family);

/* Whether a socket that has just been connected to that address is connected to itself: as TCP is where nobody
 * listens, if the port that the system has chosen for this end is the very one. Then it is disconnected, and
 * errno is ECONNREFUSED. */
bool verd__socket_met_itself(int fd, const struct sockaddr *address, socklen_t length);

#endif
