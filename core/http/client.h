/* SPDX-License-Identifier: MIT */
/*
 * A client: origins, and a resource pool of connections for each.
 *
 * An origin is in the client's table as long as somebody uses it (a request that holds a connection,
 * or waits for one) or it has unused connections. Without users it is in the ring of the unused ones,
 * the one unused for longest first; when there are too many unused connections, or the time is over,
 * an origin goes from there as a whole.
 *
 * In the child of a fork the connections are the parent's: none is used any more, and they are closed
 * without a word to the server, at the first use of the client.
 */
#ifndef VERD_HTTP_CLIENT_PRIVATE_H
#define VERD_HTTP_CLIENT_PRIVATE_H

#include <sys/types.h>

#include <verd/http_client.h>
#include <verd/resource.h>

#include "http/url.h"
#include "sched/list.h"
#include "sched/scheduler.h"

#define VERD__ORIGIN_BUCKETS 256

struct verd_http_client {
    struct verd__exit_hook hook;      /* of the OS thread's own client */
    uint64_t home;                    /* the number of its maker's scheduler */
    verd_http_client_options options; /* none is 0 */
    char *agent;                      /* owned; NULL: none */
    struct verd__origin *origins[VERD__ORIGIN_BUCKETS];
    struct verd__list unused; /* origins without users, the one without for longest first */
    size_t users;             /* of all origins */
    size_t idle;              /* connections, of all origins in the table */
    size_t open;              /* connections in all */
    pid_t process;            /* whose connections they are */
};

struct verd__origin {
    struct verd__link unused;  /* without users, in the client's list */
    struct verd__origin *next; /* in the table's chain */
    verd_http_client *client;
    verd_resource_pool *pool;
    size_t users;
    size_t idle;         /* unused connections, as the client has counted them */
    verd_duration since; /* without users: from when on */
    bool listed;         /* in the table */
    bool rests;          /* in the list of those without users */
    bool secure;
    int port;
    const char *host;      /* in text */
    const char *unix_path; /* in text; NULL: by TCP */
    char text[];
};

/* A connection to an origin, while it exists. */
struct verd__wire {
    struct verd__origin *origin;
    verd_stream stream;
    verd_duration since; /* unused: from when on */
    verd_duration life;  /* for how long the server keeps it unused, as it has said */
    pid_t process;       /* that made it */
    bool open;
    bool used; /* it has had a response already */
};

/* The client, or the OS thread's own for NULL, whose connections are this process's. NULL with errno
 * EPERM or ENOMEM. */
verd_http_client *verd__client(verd_http_client *client);

/* A connection to where the URL says, or to the Unix socket instead, unless that is NULL; or one `apart`, which is new, is
 * not counted among the origin's, and is not kept. Blocks. NULL with errno as verd_http_request. */
struct verd__wire *verd__wire_get(verd_http_client *client, const struct verd__url *url,
                                  const char *unix_path, bool apart);

/* Connects anew, in the place of a connection that the server has closed. Blocks. -1 and errno */
int verd__wire_renew(struct verd__wire *wire);

/* Gives a connection back, to be used again if it is fit to be. Works in a killed thread; errno stays. */
void verd__wire_put(struct verd__wire *wire, bool fit);

/* Closes the connections of origins that have been without users for too long. */
void verd__origins_sweep(verd_http_client *client);

/* Closes all unused connections. May block in the streams' `close`. */
void verd__origins_close_idle(verd_http_client *client);

/* Forgets all origins: in the child of a fork. */
void verd__origins_forget(verd_http_client *client);

#endif
