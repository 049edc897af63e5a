/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <time.h>

#include "http/exchange.h"
#include "http/server.h"

void verd__log_begin(struct verd_http_exchange *x)
{
    struct timespec now;
    if (x->connection->server->options.log == NULL)
        return;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    x->time = now.tv_sec;
    x->begun = verd_now();
}

static const char *write_client(struct verd_http_exchange *x, char text[INET6_ADDRSTRLEN])
{
    switch (verd_http_peer(x, NULL)->sa_family) {
    case AF_INET:
        return inet_ntop(AF_INET, &x->peer.ipv4.sin_addr, text, INET6_ADDRSTRLEN);
    case AF_INET6:
        return inet_ntop(AF_INET6, &x->peer.ipv6.sin6_addr, text, INET6_ADDRSTRLEN);
    default:
        return "";
    }
}

void verd__log(struct verd_http_exchange *x)
{
    const verd_http_options *options = &x->connection->server->options;
    char client[INET6_ADDRSTRLEN];
    if (options->log == NULL)
        return;
    const verd_http_entry entry = {
        .client = write_client(x, client),
        .time = x->time,
        .line = verd__head_line(&x->head, &x->reply.fields),
        .status = x->reply.started ? x->reply.status : 0,
        .bytes = x->reply.sent,
        .spent = verd_now() - x->begun,
        .exchange = x->readable ? x : NULL,
    };
    options->log(options->log_ctx, &entry);
}
