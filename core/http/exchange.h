/* SPDX-License-Identifier: MIT */
/*
 * An exchange: a request, the reply to it, and the memory that both of them take. A connection has
 * one only while there is something to read or to answer; while it is idle, the exchange serves other
 * connections. So those that wait cost little, and those that work find its memory in the cache.
 */
#ifndef VERD_HTTP_EXCHANGE_H
#define VERD_HTTP_EXCHANGE_H

#include <netinet/in.h>
#include <sys/un.h>

#include <verd/http.h>

#include "http/body.h"
#include "io/buffer.h"
#include "http/parser.h"
#include "http/text.h"
#include "http/trailer.h"

/* A reply on its way: `fields` are collected, then `head` is written with them in it and waits for
 * the first bytes of the body, then `pending` collects small parts of the body, and `fields` those behind it. */
struct verd__reply {
    struct verd__text fields;  /* lines that the handler added, before or behind the body */
    struct verd__text head;    /* not sent yet */
    struct verd__text pending; /* not sent yet */
    uint64_t left;             /* bytes that may still be written; VERD_HTTP_CHUNKED: any number */
    uint64_t sent;             /* bytes of the body that have gone out */
    size_t unsent;             /* of a silent body: since the client was last looked after */
    verd_duration end_seen;    /* and when its client was seen to say no more; 0: not yet */
    int status;                /* 0: not begun */
    int error;                 /* errno that ended it; 0: none */
    bool started;              /* some of it has gone out, or may have */
    bool complete;             /* there is no more to come */
    bool silent;               /* its body is not sent: HEAD, 204, ... */
    bool chunked;              /* its body goes out in chunks */
    bool close;                /* the connection ends after it */
    bool dated;                /* `fields` has a Date */
    bool upgrade;              /* it says what it may be upgraded to */
    bool raw;                  /* it has switched to another protocol */
};

/* What was unescaped for the handler; NULL: nothing yet. */
struct verd__decoded {
    struct verd__form *query, *form;
    char *path;
};

struct verd_http_exchange {
    struct verd_http_exchange *next; /* among those that nobody uses */
    struct verd__connection *connection;
    struct verd__buffer buffer;
    struct verd__head head;
    struct verd__body body;
    struct verd__trailers trailers;
    struct verd__text whole; /* of the body, as far as verd_http_body has read it */
    struct verd__reply reply;
    struct verd__decoded *decoded; /* owned; NULL: nothing was asked for */
    void *data;                    /* the handler's */
    bool readable;                 /* the head is complete */
    bool whole_read;               /* `whole` is the body */
    bool told;                     /* that the server is being stopped */
    bool awaits_continue;          /* the client may not send the body before it is told to */
    int fault;             /* a status for what the client did wrong with the body; 0: nothing */
    verd_duration begun;   /* with a log: when the request came, on the clock, */
    int64_t time;          /* and in seconds since 1970 */
    socklen_t peer_length; /* 0: not asked for yet */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    } peer;
    verd_http_field fields[]; /* the head's */
};

/* Makes one. NULL with errno ENOMEM. */
struct verd_http_exchange *verd__exchange_new(size_t fields);
void verd__exchange_free(struct verd_http_exchange *x);

/* Gets it ready for the next request of the same connection, or of `connection`. */
void verd__exchange_begin(struct verd_http_exchange *x, struct verd__connection *connection);

/* Nobody uses it any more: forgets what was left unread, and lets go of what is large. False: it has to
 * be freed, for want of memory. */
bool verd__exchange_rest(struct verd_http_exchange *x);

/* Whether nobody is there to read on: the connection has failed, or its input ended with nothing behind the
 * request, or with something, but stall_time ago as far as this was asked. That is for whoever has sent all that
 * the client waits for: before, it may have ended what it says, and listen. */
bool verd__client_has_left(struct verd_http_exchange *x);

/* Begins the body, once the head is complete. Returns 200, or what is wrong. */
int verd__request_begin(struct verd_http_exchange *x);

/* Replies for the handler: a status, in words. Nothing was sent yet; what was begun is forgotten. */
int verd__reply_error(struct verd_http_exchange *x, int status);

/* errno says why something could not be sent. What was sent of it is not known any more, so nothing can follow.
 * Returns -1 with errno EPIPE if it was ECONNRESET. */
int verd__reply_failed(struct verd_http_exchange *x);

/* The handler has returned: ends the reply as it may. Returns 0 if it is complete, or -1. */
int verd__reply_end(struct verd_http_exchange *x, int result);

/* Frees what was unescaped, which there is. */
void verd__decoded_free(struct verd_http_exchange *x);

/* If there is a log: notes when the request came, and tells of it. */
void verd__log_begin(struct verd_http_exchange *x);
void verd__log(struct verd_http_exchange *x);

#endif
