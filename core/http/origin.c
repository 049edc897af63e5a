/* SPDX-License-Identifier: MIT */
/* Origins, and their pools of connections. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <verd/net.h>

#include "http/client.h"
#include "http/text.h"
#include "net/connect.h"

/* What closing a stream may take, where it says goodbye. */
#define GOODBYE VERD_SEC

/* ---- connections ---- */

static bool free_unused(verd_http_client *client, verd_duration since);

static int ask_caller(void *ctx, const struct sockaddr *address, socklen_t length)
{
    const struct verd__origin *origin = ctx;
    const verd_http_client_options *options = &origin->client->options;
    return options->vet(options->hook_ctx, origin->host, address, length);
}

static int connect_once(struct verd__origin *origin)
{
    verd__vet *vet = origin->client->options.vet != NULL ? ask_caller : NULL;
    if (origin->unix_path != NULL)
        return verd_connect_unix(origin->unix_path);
    return verd__connect_vetted(origin->host, origin->port, vet, origin);
}

/* Out of descriptors, those go that others have left unused. */
static int connect_to(struct verd__origin *origin)
{
    int fd;
    do {
        fd = connect_once(origin);
    } while (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
             free_unused(origin->client, VERD_FOREVER));
    return fd;
}

/* The caller's part in a new connection. A zone is no part of what a certificate is for. */
static int shake_hands(struct verd__wire *wire, int fd)
{
    const struct verd__origin *origin = wire->origin;
    const verd_http_client_options *options = &origin->client->options;
    char address[INET6_ADDRSTRLEN];
    const char *host = origin->host;
    size_t size = strcspn(host, "%");
    if (host[size] != '\0') {
        memcpy(address, host, size);
        address[size] = '\0';
        host = address;
    }
    errno = 0;
    if (options->open(options->open_ctx, fd, host, &wire->stream) == 0)
        return 0;
    if (errno == 0)
        errno = EPROTO;
    return -1;
}

static int open_at_leisure(struct verd__wire *wire)
{
    struct verd__origin *origin = wire->origin;
    int fd = connect_to(origin);
    if (fd < 0)
        return -1;
    wire->stream = verd_stream_of(fd);
    wire->process = origin->client->process;
    wire->used = false;
    if (origin->secure && shake_hands(wire, fd) != 0) {
        int error = errno;
        verd_close(fd);
        errno = error;
        return -1;
    }
    wire->open = true;
    origin->client->open++;
    return 0;
}

static int open_stream(struct verd__wire *wire)
{
    verd_timeout limit;
    if (verd_timeout_begin(&limit, wire->origin->client->options.connect_time) != 0)
        return -1;
    int result = open_at_leisure(wire);
    int error = errno;
    verd_timeout_end(&limit);
    errno = error;
    return result;
}

/* A stream of the parent's, in the child of a fork, must not say goodbye. */
static void close_stream(struct verd__wire *wire)
{
    verd_timeout limit;
    if (!wire->open)
        return;
    int error = errno;
    wire->open = false;
    wire->origin->client->open--;
    if (wire->process != getpid()) {
        verd_close(wire->stream.fd);
    } else {
        verd_timeout_begin(&limit, GOODBYE);
        verd_stream_close(&wire->stream);
        verd_timeout_end(&limit);
    }
    errno = error;
}

static int create_wire(void *ctx, void **item)
{
    struct verd__wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return -1;
    wire->origin = ctx;
    if (open_stream(wire) != 0) {
        free(wire);
        return -1;
    }
    *item = wire;
    return 0;
}

static void destroy_wire(void *ctx, void *item)
{
    (void)ctx;
    close_stream(item);
    free(item);
}

/* Whether it is recent, and the server has neither closed it nor said something unasked. */
static bool is_good(void *ctx, void *item)
{
    const struct verd__origin *origin = ctx;
    const struct verd__wire *wire = item;
    char byte;
    verd_duration unused = verd_now() - wire->since;
    if (unused >= origin->client->options.idle_time || unused >= wire->life)
        return false;
    return recv(wire->stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int verd__wire_renew(struct verd__wire *wire)
{
    close_stream(wire);
    return open_stream(wire);
}

/* ---- origins ---- */

/* FNV-1a */
static size_t bucket_of(const char *place, int port)
{
    uint32_t hash = 2166136261U ^ (uint32_t)port;
    for (; *place != '\0'; place++)
        hash = (hash ^ (unsigned char)*place) * 16777619U;
    return (hash ^ hash >> 16) % VERD__ORIGIN_BUCKETS;
}

static struct verd__origin **chain_of(verd_http_client *client, const char *host,
                                      const char *unix_path, int port)
{
    return &client->origins[bucket_of(unix_path != NULL ? unix_path : host, port)];
}

static bool is_at(const struct verd__origin *origin, const struct verd__url *url,
                  const char *unix_path)
{
    if (origin->secure != url->secure || origin->port != url->port ||
        (origin->unix_path == NULL) != (unix_path == NULL))
        return false;
    return strcmp(origin->host, url->host) == 0 &&
           (unix_path == NULL || strcmp(origin->unix_path, unix_path) == 0);
}

/* Counts the origin's unused connections again. */
static void count_idle(struct verd__origin *origin)
{
    size_t idle = verd_resource_pool_idle(origin->pool);
    origin->client->idle += idle - origin->idle;
    origin->idle = idle;
}

static void list(struct verd__origin *origin, struct verd__origin **chain)
{
    origin->listed = true;
    origin->next = *chain;
    *chain = origin;
}

/* It has been taken out of the table: nobody finds it any more. */
static void forget(struct verd__origin *origin)
{
    origin->listed = false;
    origin->client->idle -= origin->idle;
    origin->idle = 0;
}

static void unlist(struct verd__origin *origin)
{
    struct verd__origin **link =
        chain_of(origin->client, origin->host, origin->unix_path, origin->port);
    while (*link != origin)
        link = &(*link)->next;
    *link = origin->next;
    forget(origin);
}

/* It has no users, and is not in the ring. */
static void free_origin(struct verd__origin *origin)
{
    if (origin->listed)
        unlist(origin);
    verd_resource_pool_free(origin->pool);
    free(origin);
}

static struct verd__origin *new_origin(verd_http_client *client, const struct verd__url *url,
                                       const char *unix_path)
{
    size_t host = strlen(url->host) + 1;
    size_t path = unix_path != NULL ? strlen(unix_path) + 1 : 0;
    struct verd__origin *origin = calloc(1, sizeof *origin + host + path);
    if (origin == NULL)
        return NULL;
    verd_resource_options options = {
        .create = create_wire,
        .destroy = destroy_wire,
        .validate = is_good,
        .ctx = origin,
        .max = client->options.connections,
    };
    origin->pool = verd_resource_pool_new(&options);
    if (origin->pool == NULL) {
        free(origin);
        return NULL;
    }
    origin->client = client;
    origin->secure = url->secure;
    origin->port = url->port;
    origin->host = memcpy(origin->text, url->host, host);
    if (unix_path != NULL)
        origin->unix_path = memcpy(origin->text + host, unix_path, path);
    return origin;
}

/* It is no longer in the client's list, if it was. */
static void rest_no_more(struct verd__origin *origin)
{
    if (origin->rests)
        verd__list_remove(&origin->client->unused, &origin->unused);
    origin->rests = false;
}

static void use(struct verd__origin *origin)
{
    rest_no_more(origin);
    origin->users++;
    origin->client->users++;
}

/* Finds or makes the origin, or one `apart` that nobody will find, and uses it. NULL with errno ENOMEM. */
static struct verd__origin *enter(verd_http_client *client, const struct verd__url *url,
                                  const char *unix_path, bool apart)
{
    struct verd__origin **chain = chain_of(client, url->host, unix_path, url->port);
    struct verd__origin *origin = apart ? NULL : *chain;
    while (origin != NULL && !is_at(origin, url, unix_path))
        origin = origin->next;
    if (origin == NULL) {
        origin = new_origin(client, url, unix_path);
        if (origin == NULL)
            return NULL;
        if (!apart)
            list(origin, chain);
    }
    use(origin);
    return origin;
}

static void leave(struct verd__origin *origin)
{
    origin->client->users--;
    if (--origin->users > 0)
        return;
    if (origin->idle > 0) {
        origin->since = verd_now();
        origin->rests = true;
        verd__list_append(&origin->client->unused, &origin->unused);
    } else {
        free_origin(origin);
    }
}

/* ---- what the client does with them ---- */

/* Frees the origin that is unused for longest, unless it is used after `since`. False: there is none. */
static bool free_unused(verd_http_client *client, verd_duration since)
{
    struct verd__link *first = client->unused.first;
    struct verd__origin *origin =
        first != NULL ? VERD__CONTAINER_OF(first, struct verd__origin, unused) : NULL;
    if (origin == NULL || origin->since > since)
        return false;
    rest_no_more(origin);
    free_origin(origin);
    return true;
}

void verd__origins_sweep(verd_http_client *client)
{
    verd_duration since = verd_now() - client->options.idle_time;
    while (free_unused(client, since))
        ;
}

/* Those who use it have a connection each, or are making one: so many may exist, and no more. */
static void close_idle(struct verd__origin *origin)
{
    size_t used = verd_resource_pool_used(origin->pool);
    use(origin);
    verd_resource_pool_resize(origin->pool, used > 0 ? used : 1);
    verd_resource_pool_resize(origin->pool, origin->client->options.connections);
    count_idle(origin);
    leave(origin);
}

static struct verd__origin *find_used_with_idle(const verd_http_client *client)
{
    for (size_t i = 0; i < VERD__ORIGIN_BUCKETS; i++) {
        for (struct verd__origin *o = client->origins[i]; o != NULL; o = o->next) {
            if (o->users > 0 && o->idle > 0)
                return o;
        }
    }
    return NULL;
}

/* Goodbyes may block, and origins come and go meanwhile. */
void verd__origins_close_idle(verd_http_client *client)
{
    struct verd__origin *origin;
    while (free_unused(client, VERD_FOREVER))
        ;
    while ((origin = find_used_with_idle(client)) != NULL)
        close_idle(origin);
}

void verd__origins_forget(verd_http_client *client)
{
    for (size_t i = 0; i < VERD__ORIGIN_BUCKETS; i++) {
        struct verd__origin *origin = client->origins[i];
        client->origins[i] = NULL;
        for (struct verd__origin *next; origin != NULL; origin = next) {
            next = origin->next;
            forget(origin);
            if (origin->users > 0) {
                verd_resource_pool_resize(origin->pool, 1); /* the unused ones go */
            } else {
                rest_no_more(origin);
                free_origin(origin);
            }
        }
    }
}

/* Whether one more unused connection may be kept, for which others may have to go. */
static bool has_room(verd_http_client *client)
{
    while (client->idle >= client->options.idle && free_unused(client, VERD_FOREVER))
        ;
    return client->idle < client->options.idle;
}

struct verd__wire *verd__wire_get(verd_http_client *client, const struct verd__url *url,
                                  const char *unix_path, bool apart)
{
    void *item = NULL;
    if (url->secure && client->options.open == NULL) {
        errno = EPROTONOSUPPORT;
        return NULL;
    }
    verd__origins_sweep(client);
    struct verd__origin *origin = enter(client, url, unix_path, apart);
    if (origin == NULL)
        return NULL;
    int result = verd_resource_pool_get(origin->pool, &item);
    int error = errno;
    if (!apart)
        count_idle(origin);
    if (result == 0)
        return item;
    leave(origin);
    errno = error;
    return NULL;
}

void verd__wire_put(struct verd__wire *wire, bool fit)
{
    struct verd__origin *origin = wire->origin;
    int error = errno;
    fit = fit && origin->listed && wire->process == getpid() &&
          (verd_resource_pool_waiting(origin->pool) > 0 || has_room(origin->client));
    if (fit) {
        wire->used = true;
        wire->since = verd_now();
        verd_resource_pool_put(origin->pool, wire);
    } else {
        /* Not by the pool, which neither a kill nor a timeout would reach then. */
        close_stream(wire);
        verd_resource_pool_discard(origin->pool, wire);
    }
    if (origin->listed)
        count_idle(origin);
    leave(origin);
    errno = error;
}
