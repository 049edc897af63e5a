/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>

#include "http/exchange.h"
#include "net/server.h"

#define BODY_DEFAULT ((uint64_t)16 * 1024 * 1024)
#define DRAIN_DEFAULT ((uint64_t)64 * 1024)
#define CONNECTIONS_DEFAULT 10000
#define HEADER_TIME_DEFAULT (20 * VERD_SEC)
#define IDLE_TIME_DEFAULT (60 * VERD_SEC)
#define REQUEST_TIME_DEFAULT (300 * VERD_SEC)

/* Exchanges that are kept for later. */
#define SPARE_MAX 64

/* ---- exchanges ---- */

struct verd_http_exchange *verd__server_take(struct verd_http_server *server)
{
    struct verd_http_exchange *x = server->spare;
    if (x == NULL)
        return verd__exchange_new(server->options.limits.fields);
    server->spare = x->next;
    server->spare_count--;
    return x;
}

void verd__server_give(struct verd_http_server *server, struct verd_http_exchange *x)
{
    if (server->spare_count == SPARE_MAX || !verd__exchange_rest(x)) {
        verd__exchange_free(x);
        return;
    }
    x->next = server->spare;
    server->spare = x;
    server->spare_count++;
}

static void free_spare(struct verd_http_server *server)
{
    while (server->spare != NULL) {
        struct verd_http_exchange *x = server->spare;
        server->spare = x->next;
        verd__exchange_free(x);
    }
}

/* ---- a crowd ---- */

/* A client waits for a slot or a descriptor: the connection that is idle for longest makes room, or if
 * there is none, the next to become idle. */
static void make_room(void *arg)
{
    struct verd_http_server *server = arg;
    struct verd__link *first = server->idle.first;
    if (first != NULL)
        verd__connection_end(VERD__CONTAINER_OF(first, struct verd__connection, idle));
    server->crowded = first == NULL;
}

/* What is answered from now on is the last of its connection, and idle connections end. */
static void end_all(struct verd_http_server *server)
{
    server->stopping = true;
    for (struct verd__link *link = server->idle.first; link != NULL; link = link->next)
        verd__connection_end(VERD__CONTAINER_OF(link, struct verd__connection, idle));
}

static void become_deaf(void *arg)
{
    end_all(arg);
}

static const struct verd__service service = {
    .serve = verd__connection_serve, .full = make_room, .deaf = become_deaf};

/* ---- options ---- */

static void set_default(verd_duration *time, verd_duration value)
{
    if (*time == 0)
        *time = value;
}

/* Puts defaults in the place of zeros. -1: a duration is negative */
static int resolve(verd_http_options *options, const verd_http_options *given)
{
    static const verd_http_options none = {0};
    *options = given != NULL ? *given : none;
    options->limits = verd__http_limits(&options->limits);
    set_default(&options->header_time, HEADER_TIME_DEFAULT);
    set_default(&options->idle_time, IDLE_TIME_DEFAULT);
    set_default(&options->request_time, REQUEST_TIME_DEFAULT);
    if (options->body == 0)
        options->body = BODY_DEFAULT;
    if (options->drain == 0)
        options->drain = DRAIN_DEFAULT;
    if (options->connections == 0)
        options->connections = CONNECTIONS_DEFAULT;
    if (options->header_time > 0 && options->idle_time > 0 && options->request_time > 0)
        return 0;
    return -1;
}

/* ---- serving ---- */

static int check(const verd_http_server *server)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (server != NULL && scheduler != NULL && server->home == scheduler->number)
        return 0;
    errno = server == NULL ? EINVAL : EPERM;
    return -1;
}

verd_http_server *verd_http_serve(int listener, verd_http_handler handler, void *ctx,
                                  const verd_http_options *options)
{
    if (listener < 0) { /* what made it has failed, and errno says why */
        errno = errno != 0 ? errno : EBADF;
        return NULL;
    }
    const struct verd__scheduler *scheduler = verd__scheduler();
    struct verd_http_server *server = scheduler != NULL ? calloc(1, sizeof *server) : NULL;
    if (server == NULL)
        return NULL;
    server->home = scheduler->number;
    server->handler = handler;
    server->ctx = ctx;
    if (handler == NULL || resolve(&server->options, options) != 0) {
        errno = EINVAL;
        goto failed;
    }
    verd_pool *pool = server->options.pool;
    if (pool == NULL)
        pool = server->own_pool = verd_pool_new(server->options.connections);
    struct verd_http_exchange *first = pool != NULL ? verd__server_take(server) : NULL;
    if (first == NULL)
        goto failed;
    verd__server_give(server, first); /* the limits are such that there is memory for it */
    server->net = verd__serve(listener, &service, server, pool);
    if (server->net != NULL)
        return server;
failed:
    free_spare(server);
    verd_pool_free(server->own_pool);
    free(server);
    return NULL;
}

int verd_http_stop(verd_http_server *server, verd_duration grace)
{
    if (check(server) != 0)
        return -1;
    end_all(server);
    return verd__server_finish(server->net, grace);
}

int verd_http_wait(verd_http_server *server)
{
    return check(server) == 0 ? verd_serve_wait(server->net) : -1;
}

size_t verd_http_connections(const verd_http_server *server)
{
    return server != NULL ? verd_serve_clients(server->net) : 0;
}

size_t verd_http_busy(const verd_http_server *server)
{
    size_t open = verd_http_connections(server);
    return open > 0 ? open - server->idle_count : 0;
}

int verd_http_free(verd_http_server *server)
{
    if (server == NULL)
        return 0;
    if (check(server) != 0 || verd_serve_free(server->net) != 0)
        return -1;
    if (server->own_pool != NULL)
        verd__pool_abandon(server->own_pool);
    free_spare(server);
    free(server);
    return 0;
}
