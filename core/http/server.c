/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <errno.h>
#include <stdlib.h>

#include "http/exchange.h"
#include "http/stopping.h"
#include "net/server.h"

#define BODY_DEFAULT ((uint64_t)16 * 1024 * 1024)
#define DRAIN_DEFAULT ((uint64_t)64 * 1024)
#define CONNECTIONS_DEFAULT 10000
#define HEADER_TIME_DEFAULT (20 * VERD_SEC)
#define IDLE_TIME_DEFAULT (75 * VERD_SEC)
#define STALL_TIME_DEFAULT (20 * VERD_SEC)
#define RATE_DEFAULT 500

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

bool verd__server_lacks_room(const struct verd_http_server *server)
{
    return server->crowded || verd_pool_waiting(server->pool) > 0;
}

/* If there is nobody, the next to be expendable makes room. */
void verd__server_make_room(void *arg)
{
    struct verd_http_server *server = arg;
    server->crowded = !verd__pool_make_room(server->pool, NULL);
}

/* What is answered from now on is the last of its connection, and idle connections end. */
static void end_all(struct verd_http_server *server)
{
    server->stopping = true;
    verd__stoppable_expire(server);
    /* Without any, the pool may be gone. */
    while (verd_serve_clients(server->net) > 0 && verd__pool_make_room(server->pool, server))
        ;
}

static void become_deaf(void *arg)
{
    end_all(arg);
}

static const struct verd__service service = {
    .serve = verd__connection_serve, .full = verd__server_make_room, .deaf = become_deaf};

/* ---- options ---- */

/* Puts defaults in the place of zeros. -1: a duration is negative */
static int resolve(verd_http_options *options, const verd_http_options *given)
{
    static const verd_http_options none = {0};
    *options = given != NULL ? *given : none;
    options->limits = verd__http_limits(&options->limits);
    verd__http_default(&options->header_time, HEADER_TIME_DEFAULT);
    verd__http_default(&options->idle_time, IDLE_TIME_DEFAULT);
    verd__http_default(&options->stall_time, STALL_TIME_DEFAULT);
    verd__http_default(&options->request_time, VERD_FOREVER);
    if (options->threads.name == NULL)
        options->threads.name = "http";
    if (options->rate == 0)
        options->rate = RATE_DEFAULT;
    if (options->body == 0)
        options->body = BODY_DEFAULT;
    if (options->drain == 0)
        options->drain = DRAIN_DEFAULT;
    if (options->connections == 0)
        options->connections = CONNECTIONS_DEFAULT;
    return options->header_time > 0 && options->idle_time > 0 && options->stall_time > 0 &&
                   options->request_time > 0
               ? 0
               : -1;
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

__attribute__((noinline)) verd_http_server *verd_http_serve(int listener, verd_http_handler handler,
                                                            void *ctx,
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
        pool = server->own_pool =
            verd_pool_new_with(server->options.connections, &server->options.threads);
    struct verd_http_exchange *first = pool != NULL ? verd__server_take(server) : NULL;
    if (first == NULL)
        goto failed;
    verd__server_give(server, first); /* the limits are such that there is memory for it */
    server->pool = pool;
    if (server->options.per_address != 0)
        server->addresses = calloc(VERD__ADDRESSES, sizeof *server->addresses);
    if (server->options.per_address != 0 && server->addresses == NULL)
        goto failed;
    server->net = verd__serve(listener, &service, server, pool, __builtin_return_address(0));
    if (server->net != NULL)
        return server;
failed:
    free(server->addresses);
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
    free(server->addresses);
    free(server);
    return 0;
}
