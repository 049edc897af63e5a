/* SPDX-License-Identifier: MIT */
/* What is asked: a request as it is sent, to one place after the other if it is redirected. */
#ifndef VERD_HTTP_QUERY_H
#define VERD_HTTP_QUERY_H

#include <stdbool.h>

#include <verd/http_client.h>

#include "http/sender.h"
#include "http/text.h"
#include "http/url.h"

struct verd__query {
    const char *method;
    const char *agent;    /* NULL: none */
    const char *protocol; /* that the connection is to switch to; NULL: it stays HTTP's */
    const verd_http_request_options *options;
    bool foreign;     /* it was redirected to another origin */
    bool bare;        /* a redirect has taken its body away */
    bool consumed;    /* the body's source has been asked */
    bool unexpecting; /* the server knows no Expect */
};

/* As verd_http_request. Where the server switches to `protocol`, the response is that by 101, and keeps the connection,
 * which is no other request's, until it is freed: what has come behind the head is in its buffer. */
verd_http_response *verd__query_ask(struct verd__query *query, const char *url);

/* Whether it can be sent at all. -1 with errno EINVAL */
int verd__query_check(const struct verd__query *query);

/* Whether asking twice is the same as asking once, and possible. */
bool verd__query_is_repeatable(const struct verd__query *query);

/* Whether the connection shall be closed afterwards. */
bool verd__query_closes(const struct verd__query *query);

/* Makes it what a redirect by this status asks for. False: it cannot, the body is gone. */
bool verd__query_redirect(struct verd__query *query, int status);

/* Writes the head. -1 with errno ENOMEM */
int verd__query_compose(const struct verd__query *query, const struct verd__url *url,
                        struct verd__text *head);

/* Whether the server is to say that it wants the body before that is sent (Expect: 100-continue). */
bool verd__query_expects(const struct verd__query *query);

/* What is to be sent behind the head, but for the `gone` bytes of it that were, all in memory. */
struct verd__outgoing verd__query_body(struct verd__query *query, size_t gone);

#endif
