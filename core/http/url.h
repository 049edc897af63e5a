/* SPDX-License-Identifier: MIT */
/* Where a request goes: a URL, taken apart. */
#ifndef VERD_HTTP_URL_H
#define VERD_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

struct verd__url {
    char *text;            /* owned: all of it, the host in lower case, without a fragment */
    const char *authority; /* in text: host, and the port unless it is the scheme's own */
    const char *target;    /* in text, behind the authority: path and query */
    char *host; /* owned: what to connect to, an IPv6 address without its brackets; a zone
                            * (RFC 6874), unescaped, follows it behind a '%' */
    int port;
    bool secure; /* https */
};

/* Takes a URL apart. Returns 0, or -1 with errno EINVAL (it is not one, or has user information, or a
 * character that must be escaped), EPROTONOSUPPORT (neither http nor https) or ENOMEM. */
int verd__url_parse(struct verd__url *url, const char *text);

/* The URL that a Location means at `base`: absolute or relative, and whatever must be escaped, but for
 * control characters, is escaped. The base's own address, which a server knows without the zone, has the base's
 * zone. Returns 0, or -1 with errno as verd__url_parse. */
int verd__url_follow(struct verd__url *url, const struct verd__url *base, const char *location);

/* Another of the same. -1 with errno ENOMEM */
int verd__url_copy(struct verd__url *url, const struct verd__url *from);

void verd__url_free(struct verd__url *url);

/* Whether scheme, host and port are the same. */
bool verd__url_same_origin(const struct verd__url *one, const struct verd__url *other);

#endif
