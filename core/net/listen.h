/* SPDX-License-Identifier: MIT */
/* Listening to a name. */
#ifndef VERD_NET_LISTEN_H
#define VERD_NET_LISTEN_H

#include <netdb.h>

/* A listener at the addresses of a name, of which there is one at least. -1 and errno as verd_listen. */
int verd__listen_among(const struct addrinfo *addresses, int port, unsigned flags);

#endif
