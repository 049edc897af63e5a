/* SPDX-License-Identifier: MIT */
/* Sockets that libverd makes: descriptors of its own (io/descriptor.h). */
#ifndef VERD_NET_SOCKET_H
#define VERD_NET_SOCKET_H

/* A new stream socket, of this kind besides (VERD__FD_...). -1 and errno as socket(2), or ENOMEM. */
int verd__socket_stream(int family, unsigned bits);

/* A new TCP socket with TCP_NODELAY. -1 and errno likewise. */
int verd__socket_tcp(int family);

#endif
