/* SPDX-License-Identifier: MIT */
/*
 * The server: which connections there are, and what they share.
 *
 * A connection is in one of three states:
 *   idle    waits for the first byte of a request; may be ended at any time
 *   busy    reads a request, or answers it; a server that stops waits for it
 *   ending  has said its last, and sees to it that the client hears it; may be ended at any time
 *
 * Who may be ended, or is busy with a handshake (`open`), or waits for a client that gets nowhere, is
 * expendable: it ends when others wait for a slot of the pool, of whatever server they are, or for a descriptor.
 */
#ifndef VERD_HTTP_SERVER_H
#define VERD_HTTP_SERVER_H

#include <verd/http.h>
#include <verd/serve.h>

#include "http/date.h"
#include "http/pace.h"
#include "net/server.h"
#include "sched/obligation.h"

/* Lists of connections by their address. */
#define VERD__ADDRESSES 1024

struct verd_http_server {
    verd_server *net;    /* accepts, and stops */
    verd_pool *own_pool; /* NULL: the threads are of the caller's */
    uint64_t home;       /* the number of its maker's scheduler */
    verd_http_handler handler;
    void *ctx;
    verd_http_options options;    /* none is left to a default */
    verd_pool *pool;              /* whose members its connections are */
    size_t idle_count;            /* of connections: idle or ending */
    struct verd__list *addresses; /* by their hash, struct verd__connection; NULL: nobody asks */
    struct verd__list stoppable;  /* waits that end when it is stopped: struct verd__stoppable */
    struct verd_http_exchange *spare; /* that nobody uses, last in first out */
    size_t spare_count;
    struct verd__date date;
    bool stopping; /* what is answered from now on is the last of its connection */
    bool crowded;  /* a client waits to get in: the next connection that is expendable, ends */
};

/* A client; lives on the stack of its thread. */
struct verd__connection {
    struct verd__link neighbour;   /* of the same hash, in server->addresses */
    struct verd__obligation moves; /* out of there, if it is counted */
    bool counted;
    struct verd__expendable expendable;
    struct verd__obligation leaves; /* that, or being idle */
    const verd_timeout *awaited;    /* while expendable: has the wait end */
    bool idle;                      /* counted in server->idle_count */
    bool last;                      /* what is answered now is the last, as others wait */
    struct verd__thread *thread;
    struct verd_http_server *server;
    const struct verd__handler *client;
    verd_stream stream;
    bool fresh;        /* nothing has come yet */
    verd_stream paced; /* the same, at the client's pace */
    struct verd__pace pace;
    verd_timeout slice;                  /* of waiting at that pace */
    verd_timeout limit;                  /* for what is being done: waiting, reading, answering */
    struct verd_http_exchange *exchange; /* NULL: there is nothing that is not answered */
    struct verd__obligation lent;        /* the exchange, to be given back */
};

/* Serves a client until its connection ends, and closes it. `arg` is the server. */
void verd__connection_serve(const struct verd__handler *client, void *arg);

/* An exchange that nobody uses. NULL with errno ENOMEM. */
struct verd_http_exchange *verd__server_take(struct verd_http_server *server);
void verd__server_give(struct verd_http_server *server, struct verd_http_exchange *x);

/* The connection waits for its client, who gets nowhere; `awaited` is the scope of that wait. Returns whether it
 * goes on: nobody waits for its slot by now. */
bool verd__connection_is_expendable(struct verd__connection *c, const verd_timeout *awaited);

/* That, or being idle, is over. */
void verd__connection_is_needed(struct verd__connection *c);

/* Whether someone waits for a slot or a descriptor. Then it is as well to end what need not go on. */
bool verd__server_lacks_room(const struct verd_http_server *server);

/* Asks who is expendable to make room, in the server `arg`. */
void verd__server_make_room(void *arg);

/* Whether there are not too many connections of the client's address; the connection counts until it ends. */
bool verd__address_admit(struct verd__connection *c);

#endif
