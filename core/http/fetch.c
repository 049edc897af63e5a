/* SPDX-License-Identifier: MIT */
/* Requests, from place to place and from one connection to the next. */
#include <errno.h>
#include <string.h>

#include "http/answer.h"
#include "http/client.h"
#include "http/query.h"

#define REDIRECTS_DEFAULT 10

static verd_http_response *fail(int error)
{
    errno = error;
    return NULL;
}

/* What goes on between a request and its response. */
struct exchange {
    verd_http_client *client;
    struct verd__query query;
    struct verd__url url; /* owned until a response has it */
};

/* Asks once, on a connection that stays the caller's if it fails. *heard: something came back. */
static verd_http_response *converse(struct exchange *x, const struct verd__text *head,
                                    struct verd__wire *wire, bool *heard)
{
    bool to_head = strcmp(x->query.method, "HEAD") == 0;
    *heard = false;
    verd_http_response *response = verd__response_new(&x->client->options.limits);
    if (response == NULL)
        return NULL;
    int sent = verd__query_send(&x->query, head, &wire->stream);
    bool closes = sent != 0 || verd__query_closes(&x->query);
    if (sent >= 0 && verd__response_receive(response, wire, to_head, closes, heard) == 0)
        return response;
    int error = errno == EPIPE && sent >= 0 ? ECONNRESET : errno;
    verd_http_response_free(response);
    return fail(error);
}

/* Asks on a kept or a new connection; and again on a new one, if a kept one has turned out to be
 * closed and no harm is done. */
static verd_http_response *ask(struct exchange *x, const struct verd__text *head,
                               const char *unix_path)
{
    bool heard;
    struct verd__wire *wire = verd__wire_get(x->client, &x->url, unix_path);
    if (wire == NULL)
        return NULL;
    verd_http_response *response = converse(x, head, wire, &heard);
    if (response == NULL && errno == ECONNRESET && !heard && wire->used &&
        verd__query_is_repeatable(&x->query) && verd__wire_renew(wire) == 0)
        response = converse(x, head, wire, &heard);
    if (response == NULL)
        verd__wire_put(wire, false);
    return response;
}

/* The response from one place. */
static verd_http_response *visit(struct exchange *x)
{
    struct verd__text head = {0};
    const char *unix_path = x->query.foreign ? NULL : x->query.options->unix_path;
    verd_http_response *response = NULL;
    if (verd__query_compose(&x->query, &x->url, &head) == 0)
        response = ask(x, &head, unix_path);
    int error = errno;
    verd__text_free(&head);
    errno = error;
    if (response != NULL) {
        response->url = x->url;
        x->url = (struct verd__url){0};
    }
    return response;
}

/* Turns to where the response sends. Returns 1; 0: nowhere; or -1 and errno */
static int turn(struct exchange *x, const verd_http_response *response)
{
    const char *location = verd__response_location(response);
    if (location == NULL || x->query.options->redirects < 0 ||
        !verd__query_redirect(&x->query, verd_http_response_status(response)))
        return 0;
    if (verd__url_follow(&x->url, &response->url, location) != 0) {
        if (errno == EINVAL)
            errno = EBADMSG; /* it is not the caller who is wrong */
        return -1;
    }
    if (!verd__url_same_origin(&x->url, &response->url))
        x->query.foreign = true;
    return 1;
}

static verd_http_response *follow(struct exchange *x)
{
    int left = x->query.options->redirects;
    if (left == 0)
        left = REDIRECTS_DEFAULT;
    for (;;) {
        verd_http_response *response = visit(x);
        if (response == NULL)
            return NULL;
        int turned = turn(x, response);
        if (turned == 0)
            return response;
        if (turned > 0)
            verd__response_drain(response);
        int error = turned < 0 ? errno : ELOOP;
        verd_http_response_free(response);
        if (turned < 0 || left-- == 0)
            return fail(error);
    }
}

verd_http_response *verd_http_request(const char *method, const char *url,
                                      const verd_http_request_options *options)
{
    static const verd_http_request_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    struct exchange x = {.query = {.method = method, .options = options}};
    if (verd__query_check(&x.query) != 0 || verd__url_parse(&x.url, url) != 0)
        return NULL;
    x.client = verd__client(options->client);
    verd_http_response *response = NULL;
    if (x.client != NULL) {
        x.query.agent = x.client->options.agent;
        response = follow(&x);
    }
    int error = errno;
    verd__url_free(&x.url);
    errno = error;
    return response;
}

verd_http_response *verd_http_get(const char *url, const verd_http_request_options *options)
{
    return verd_http_request("GET", url, options);
}
