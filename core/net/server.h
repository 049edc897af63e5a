/* SPDX-License-Identifier: MIT */
/*
 * A server: an acceptor, and a handler for each client.
 *
 * Both are threads whose ends are watched, so that nothing depends on how they end: killed before
 * they began, or gone in the child of a fork. The server has ended when no acceptor and no handler
 * is left; then those who wait for that are woken, and it may be freed before they run: so whoever
 * has waited does not touch it afterwards.
 *
 * A stop may be to lose nobody (verd__server_finish): then the acceptor goes on until nobody is left who waits
 * to be accepted. It accepts first then, and gets the slot afterwards: nobody else will serve the client.
 *
 * Else the acceptor has no slot of the pool while it waits for a client: a slot that is kept idle would
 * be missed by those who share the pool, and a client that is accepted without one could have been
 * served by another process.
 */
#ifndef VERD_NET_SERVER_H
#define VERD_NET_SERVER_H

#include <netinet/in.h>

#include <verd/serve.h>

#include "pool/pool.h"
#include "sched/thread.h"

struct verd__handler;

/* What a floor above does for clients, and is told. */
struct verd__service {
    /* As the handler of verd_serve. */
    void (*serve)(const struct verd__handler *handler, void *ctx);
    /* A client has come for which the pool has no slot, or the system no descriptor or memory: if it can have
     * some other client's handler end, what that had is for the new one. */
    void (*full)(void *ctx);
    /* The acceptor has ended, though nobody has stopped the server. */
    void (*deaf)(void *ctx);
};

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
    bool stopped;   /* the listener is not the server's any more */
    bool finishing; /* nobody is accepted but who waits for it by now */
    bool suspended; /* the acceptor waits for a client or a slot, and may be told to look again */
    size_t last;    /* while finishing: how many may still be accepted */
    int listener;   /* until stopped */
    uint32_t generation; /* of its record */
    int error;           /* of the acceptor; 0: it was stopped, or goes on */
    void (*handle)(int client, void *ctx);
    const struct verd__service *service; /* NULL: there is only `handle` */
    void *ctx;
};

struct verd__handler {
    struct verd__watch watch; /* on `thread` */
    struct verd__link link;   /* in server->handlers */
    struct verd_server *server;
    struct verd__thread *thread;
    int client;
    uint32_t generation; /* of its record */
    bool awaits;         /* is in verd_serve_next, to be told when the server is stopped */
    union {
        struct sockaddr any; /* AF_UNSPEC: another, or none */
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } peer; /* the client's address, which may be gone by the time that it is asked for */
};

static inline struct verd__handler *verd__handler_of(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__handler, link);
}

/* As verd_serve, by what a floor above does. */
struct verd_server *verd__serve(int listener, const struct verd__service *service, void *ctx,
                                verd_pool *pool, const void *site);

/* As verd_serve_stop, but within the grace those who wait to be accepted by now are still served. */
int verd__server_finish(struct verd_server *server, verd_duration grace);

/* Whether no slot can come to be free: all that there are have handlers that wait for the end. */
bool verd__server_is_stuck(const struct verd_server *server);

/* After the acceptor or a handler has ended, or a handler has begun to wait for the others: wakes
 * those who have waited for that. The server may be freed before the caller runs again. */
void verd__server_settle(struct verd_server *server);

/* The running thread's own, if it is a handler; NULL. */
struct verd__handler *verd__server_running_handler(const struct verd__scheduler *scheduler);

/* The server is being stopped: tells the handlers that wait for their client's next. */
void verd__server_tell(const struct verd_server *server);

/* The server needs its pool no longer. */
void verd__server_leave_pool(struct verd_server *server);

/* Tells a descriptor from a later one with its number. */
uint32_t verd__server_generation(int fd);

/* Closes a descriptor, unless someone else has, and the number is another file's by now. */
void verd__server_close(int fd, uint32_t generation);

#endif
