/* SPDX-License-Identifier: MIT */
/* Which requests a server takes that is for this machine's own users: browsers send what any page asks for, and look up
 * any name as its owner likes. */
#ifndef EXAMPLES_OWN_PAGE_H
#define EXAMPLES_OWN_PAGE_H

#include <verd.h>

#include <string.h>
#include <strings.h>

/* Whether it is for this server by a name of its own, and no page of another's has sent it. */
static inline bool is_of_own_page(const verd_http_exchange *x)
{
    const char *host = verd_http_host(x), *origin = verd_http_header(x, "Origin");
    size_t name = strcspn(host, ":");
    if (name != 9 || (strncasecmp(host, "localhost", 9) != 0 && strncmp(host, "127.0.0.1", 9) != 0))
        return false;
    return origin == NULL ||
           (strncmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0);
}

static inline int refuse_foreign_page(verd_http_exchange *x)
{
    static const char text[] = "Only to its own page, as localhost or 127.0.0.1\n";
    return verd_http_reply(x, 403, "text/plain", text, sizeof text - 1);
}

#endif
