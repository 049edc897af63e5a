/* SPDX-License-Identifier: MIT */
/*
 * A server: an acceptor, and a handler for each client.
 *
 * Both are threads whose ends are watched, so that nothing depends on how they end: killed before
 * they began, or gone in the child of a fork. The server has ended when no acceptor and no handler
 * is left; then those who wait for that are woken, and it may be freed before they run: so whoever
 * has waited does not touch it afterwards.
 *
 * The acceptor has no slot of the pool while it waits for a client: a slot that is kept idle would
 * be missed by those who share the pool, and a client that is accepted without one could have been
 * served by another process.
 */
#ifndef VERD_NET_SERVER_H
#define VERD_NET_SERVER_H

#include <verd/serve.h>

#include "pool/pool.h"
#include "sched/thread.h"

struct verd_server {
    struct verd__watch watch;      /* on the acceptor */
    uint64_t home;                 /* the number of its maker's scheduler */
    struct verd__thread *acceptor; /* NULL: it has ended */
    struct verd__list handlers;
    size_t clients;  /* length of `handlers` */
    size_t stopping; /* of them, those that wait in verd_serve_stop */
    struct verd__list waiters;
    struct verd_pool *pool; /* NULL: the server has ended */
    bool owns_pool;
    bool stopped;        /* the listener is not the server's any more */
    int listener;        /* until stopped */
    uint32_t generation; /* of its record */
    int error;           /* of the acceptor; 0: it was stopped, or goes on */
    void (*handle)(int client, void *ctx);
    void (*full)(void *ctx); /* see verd__serve; NULL: nothing to do */
    void *ctx;
};

struct verd__handler {
    struct verd__watch watch; /* on `thread` */
    struct verd__link link;   /* in server->handlers */
    struct verd_server *server;
    struct verd__thread *thread;
    int client;
    uint32_t generation; /* of its record */
};

static inline struct verd__handler *verd__handler_of(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__handler, link);
}

/* As verd_serve, and calls full(ctx) when a client has come for which the pool has no slot, or the
 * system no descriptor or memory: if `full` can have some other client's handler end, what that had is
 * for the new one. */
struct verd_server *verd__serve(int listener, void (*handler)(int client, void *ctx), void *ctx,
                                verd_pool *pool, void (*full)(void *ctx));

/* After the acceptor or a handler has ended, or a handler has begun to wait for the others: wakes
 * those who have waited for that. The server may be freed before the caller runs again. */
void verd__server_settle(struct verd_server *server);

/* The server needs its pool no longer. */
void verd__server_leave_pool(struct verd_server *server);

/* Tells a descriptor from a later one with its number. */
uint32_t verd__server_generation(int fd);

/* Closes a descriptor, unless someone else has, and the number is another file's by now. */
void verd__server_close(int fd, uint32_t generation);

#endif
