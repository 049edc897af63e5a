/* SPDX-License-Identifier: MIT */
/* A response, from its first byte to its last. */
#ifndef VERD_HTTP_ANSWER_H
#define VERD_HTTP_ANSWER_H

#include <stdbool.h>

#include <verd/http_client.h>

#include "http/body.h"
#include "io/buffer.h"
#include "http/client.h"
#include "http/parser.h"
#include "http/sender.h"
#include "http/text.h"
#include "http/trailer.h"
#include "http/url.h"

struct verd_http_response {
    struct verd__wire *wire;   /* NULL: not its own yet, or given back */
    bool fit;                  /* the connection is, for another request, after the body */
    bool complete;             /* the head is */
    bool may_send;             /* the server has said 100 */
    bool may_switch;           /* to another protocol, by 101 */
    const verd_stream *source; /* the connection's; NULL: there is nothing to come from it */
    verd_stream stream;        /* reads from that, for no longer than the client's options allow */
    struct verd__sender *sender; /* of the request's body; NULL: there is none, or it has ended */
    verd_duration silence;       /* how long the server may say nothing */
    verd_duration deadline;      /* by when the body must have ended */
    const verd_http_request_options *options; /* while the request is under way */
    struct verd__url url;
    struct verd__buffer buffer; /* the head, which stays, and what has come of the body */
    struct verd__head head;
    struct verd__body body;
    struct verd__trailers trailers;
    struct verd__text all; /* what verd_http_response_body has read */
    verd_http_field fields[];
};

/* A response that is to come on a connection. NULL with errno ENOMEM. */
struct verd_http_response *verd__response_new(const struct verd__wire *wire,
                                              const verd_http_request_options *options,
                                              verd_duration deadline);

/* Waits until the server says that the body may be sent (100), or nothing at all for a second. Blocks. Returns 1; 0: it has
 * answered without it; or -1 with errno as verd__response_receive. */
int verd__response_await_leave(struct verd_http_response *response, bool *heard);

/*
 * Reads the head of the response to a request, of HEAD perhaps, from a connection, which is the
 * response's from then on, and not used again if it `closes`. Blocks. Returns 0, or -1 with errno as
 * verd_http_request, and the connection is not taken. *heard is set when some of it has come.
 */
int verd__response_receive(struct verd_http_response *response, struct verd__wire *wire,
                           bool to_head, bool closes, bool *heard);

/* Where a response with this status sends to; NULL: it does not. */
const char *verd__response_location(const struct verd_http_response *response);

/* Reads what is left of the body, if that is little, for the sake of the connection. Blocks. */
void verd__response_drain(struct verd_http_response *response);

#endif
