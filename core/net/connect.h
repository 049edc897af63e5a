/* SPDX-License-Identifier: MIT */
/* Connecting to those of a host's addresses that somebody lets pass. */
#ifndef VERD_NET_CONNECT_H
#define VERD_NET_CONNECT_H

#include <sys/socket.h>

/* Whether an address may be connected to: 0, or -1 and errno (0: EACCES). May block. */
typedef int verd__vet(void *ctx, const struct sockaddr *address, socklen_t length);

/* As verd_connect, but only addresses that pass are tried. When none does, -1 with errno as the last was refused. */
int verd__connect_vetted(const char *host, int port, verd__vet *vet, void *ctx);

/* As connect(2), which suspends the green thread where it would block the OS thread. */
int verd__connect_posix(int fd, const struct sockaddr *address, socklen_t length);

#endif
