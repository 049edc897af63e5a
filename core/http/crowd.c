/* SPDX-License-Identifier: MIT */
/* How many connections an address has: those of one are in the same list of a table. */
#include <string.h>

#include "http/server.h"

/* What tells one client from another: an address of IPv4, or the network of one of IPv6 (a household has a /64). */
struct key {
    uint64_t high;
    uint32_t low;
};

static bool find_key(const struct verd__handler *client, struct key *key)
{
    *key = (struct key){0};
    if (client->peer.any.sa_family == AF_INET) {
        key->low = client->peer.ipv4.sin_addr.s_addr;
        return true;
    }
    if (client->peer.any.sa_family != AF_INET6)
        return false;
    memcpy(&key->high, &client->peer.ipv6.sin6_addr, sizeof key->high);
    return true;
}

static struct verd__list *list_of(const struct verd_http_server *server, const struct key *key)
{
    uint64_t hash = (key->high ^ key->low) * 0x9e3779b97f4a7c15u; /* Fibonacci hashing */
    return &server->addresses[(hash >> 32) % VERD__ADDRESSES];
}

static size_t count(const struct verd__list *list, const struct key *key)
{
    size_t count = 0;
    for (const struct verd__link *link = list->first; link != NULL; link = link->next) {
        struct key other;
        find_key(VERD__CONTAINER_OF(link, struct verd__connection, neighbour)->client, &other);
        count += other.high == key->high && other.low == key->low;
    }
    return count;
}

static void leave(struct verd__obligation *obligation)
{
    struct verd__connection *c = VERD__CONTAINER_OF(obligation, struct verd__connection, moves);
    struct key key;
    find_key(c->client, &key);
    verd__list_remove(list_of(c->server, &key), &c->neighbour);
}

bool verd__address_admit(struct verd__connection *c)
{
    struct key key;
    if (c->server->addresses == NULL || !find_key(c->client, &key))
        return true;
    struct verd__list *list = list_of(c->server, &key);
    if (count(list, &key) >= c->server->options.per_address)
        return false;
    verd__list_append(list, &c->neighbour);
    verd__obligation_begin(verd__current, &c->moves, leave);
    c->counted = true;
    return true;
}
