/* SPDX-License-Identifier: MIT */
/* Connecting to a host that has several addresses. */
#ifndef VERD_NET_RACE_H
#define VERD_NET_RACE_H

#include <netdb.h>

#include "hub/hub.h"

/* Connects to the first of the addresses to answer. Returns the descriptor, or -1 with errno as
 * verd_connect. */
int verd__race(struct verd__loop *loop, const struct addrinfo *addresses);

#endif
