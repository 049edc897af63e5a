/* SPDX-License-Identifier: MIT */
/* What names a server: a host, and maybe a port. */
#ifndef VERD_HTTP_HOST_H
#define VERD_HTTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it is host, host: or host:port, as it can stand in a Host field and in a URL without user
 * information. The host may be a name, an IPv4 address, or an IPv6 address in brackets; and all may be empty. */
bool verd__is_host(const char *text, size_t size);

#endif
