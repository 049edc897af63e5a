/* SPDX-License-Identifier: MIT */
/*
 * The server: which connections there are, and what they share.
 *
 * A connection is in one of three states:
 *   idle    waits for the first byte of a request, in server->idle; may be ended at any time
 *   busy    reads a request, or answers it; a server that stops waits for it
 *   ending  has said its last, and sees to it that the client hears it
 */
#ifndef VERD_HTTP_SERVER_H
#define VERD_HTTP_SERVER_H

#include <verd/http.h>
#include <verd/serve.h>

#include "http/date.h"
#include "net/server.h"
#include "sched/obligation.h"

struct verd_http_server {
    verd_server *net;    /* accepts, and stops */
    verd_pool *own_pool; /* NULL: the threads are of the caller's */
    uint64_t home;       /* the number of its maker's scheduler */
    verd_http_handler handler;
    void *ctx;
    verd_http_options options; /* none is left to a default */
    struct verd__list idle;    /* struct verd__connection, the one that is idle for longest first */
    size_t idle_count;         /* length of `idle` */
    struct verd_http_exchange *spare; /* that nobody uses, last in first out */
    size_t spare_count;
    struct verd__date date;
    bool stopping; /* what is answered from now on is the last of its connection */
    bool crowded;  /* a client waits to get in: the next connection that gets idle, ends */
};

/* A client; lives on the stack of its thread. */
struct verd__connection {
    struct verd__link idle;         /* in server->idle, while it is */
    struct verd__obligation leaves; /* that */
    struct verd__thread *thread;
    struct verd_http_server *server;
    const struct verd__handler *client;
    verd_stream stream;
    bool fresh;                          /* nothing has come yet */
    verd_timeout limit;                  /* for what is being done: waiting, reading, answering */
    struct verd_http_exchange *exchange; /* NULL: there is nothing that is not answered */
    struct verd__obligation lent;        /* the exchange, to be given back */
};

/* Serves a client until its connection ends, and closes it. `arg` is the server. */
void verd__connection_serve(const struct verd__handler *client, void *arg);

/* An exchange that nobody uses. NULL with errno ENOMEM. */
struct verd_http_exchange *verd__server_take(struct verd_http_server *server);
void verd__server_give(struct verd_http_server *server, struct verd_http_exchange *x);

/* Ends an idle connection. */
void verd__connection_end(struct verd__connection *connection);

#endif
