/* SPDX-License-Identifier: MIT */
/* Requests, from place to place and from one connection to the next. */
#include <errno.h>
#include <string.h>

#include "http/answer.h"
#include "http/client.h"
#include "http/query.h"
#include "sched/clock.h"

#define REDIRECTS_DEFAULT 10

static verd_http_response *fail(int error)
{
    errno = error;
    return NULL;
}

/* What goes on between a request and its response. */
struct exchange {
    verd_http_client *client;
    struct verd__query *query;
    struct verd__url url;   /* owned until a response has it */
    verd_duration deadline; /* of all of it */
};

/* Bytes of the body that go along with the head. */
static size_t company_of(const struct exchange *x, const struct verd__text *head)
{
    const verd_http_request_options *options = x->query->options;
    size_t room = head->size < VERD__SENDER_PIECE ? VERD__SENDER_PIECE - head->size : 0;
    if (x->query->bare || options->source != NULL || verd__query_expects(x->query))
        return 0;
    return options->size < room ? options->size : room;
}

/* Sends the request, but for what of the body goes on to be sent beside the response. Returns 0; 1: the server takes no
 * more, it may have answered; or -1 and errno */
static int send_request(struct exchange *x, const struct verd__text *head,
                        verd_http_response *response, bool *heard)
{
    size_t size = company_of(x, head);
    struct verd__outgoing rest = verd__query_body(x->query, size);
    int result = verd__send_head(response->source, head, x->query->options->body, size);
    if (result != 0 || rest.length == 0)
        return result;
    if (verd__query_expects(x->query)) {
        int leave = verd__response_await_leave(response, heard);
        if (leave <= 0)
            return leave == 0 ? 1 : -1;
    }
    response->sender = verd__sender_start(&rest, response->source);
    return response->sender != NULL ? 0 : -1;
}

/* Asks once, on a connection that stays the caller's if it fails. *heard: something came back. */
static verd_http_response *converse(struct exchange *x, const struct verd__text *head,
                                    struct verd__wire *wire, bool *heard)
{
    bool to_head = strcmp(x->query->method, "HEAD") == 0;
    *heard = false;
    verd_http_response *response = verd__response_new(wire, x->query->options, x->deadline);
    if (response == NULL)
        return NULL;
    response->may_switch = x->query->protocol != NULL;
    int sent = send_request(x, head, response, heard);
    bool closes = sent != 0 || verd__query_closes(x->query);
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
    struct verd__wire *wire =
        verd__wire_get(x->client, &x->url, unix_path, x->query->protocol != NULL);
    if (wire == NULL)
        return NULL;
    verd_http_response *response = converse(x, head, wire, &heard);
    if (response == NULL && errno == ECONNRESET && !heard && wire->used &&
        verd__query_is_repeatable(x->query) && verd__wire_renew(wire) == 0)
        response = converse(x, head, wire, &heard);
    if (response == NULL)
        verd__wire_put(wire, false);
    return response;
}

/* The response from one place. */
static verd_http_response *visit(struct exchange *x)
{
    struct verd__text head = {0};
    const char *unix_path = x->query->foreign ? NULL : x->query->options->unix_path;
    verd_http_response *response = NULL;
    if (verd__query_compose(x->query, &x->url, &head) == 0)
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

/* Whether the caller lets the redirect pass. 1, or -1 and errno */
static int ask_caller(const struct exchange *x, const verd_http_response *response)
{
    const verd_http_client_options *options = &x->client->options;
    errno = 0;
    if (options->redirect == NULL ||
        options->redirect(options->hook_ctx, response->url.text, x->url.text) == 0)
        return 1;
    if (errno == 0)
        errno = EACCES;
    return -1;
}

/* Turns to where the response sends. Returns 1; 0: nowhere; or -1 and errno */
static int turn(struct exchange *x, const verd_http_response *response)
{
    const char *location = verd__response_location(response);
    if (location == NULL || x->query->options->redirects < 0 ||
        !verd__query_redirect(x->query, verd_http_response_status(response)))
        return 0;
    if (verd__url_follow(&x->url, &response->url, location) != 0) {
        if (errno == EINVAL)
            errno = EBADMSG; /* it is not the caller who is wrong */
        return -1;
    }
    if (!verd__url_same_origin(&x->url, &response->url))
        x->query->foreign = true;
    if (response->url.secure && !x->url.secure && verd__query_body(x->query, 0).length > 0) {
        verd__url_free(&x->url); /* what was sent in secret is not told to everybody */
        return 0;
    }
    return ask_caller(x, response);
}

/* A server that knows no Expect is asked without it (RFC 9110, 10.1.1), as the body is still there. */
static bool is_to_expect_nothing(struct exchange *x, const verd_http_response *response)
{
    if (verd_http_response_status(response) != 417 || !verd__query_expects(x->query) ||
        x->query->consumed)
        return false;
    x->query->unexpecting = true;
    return verd__url_copy(&x->url, &response->url) == 0;
}

static verd_http_response *follow(struct exchange *x)
{
    int left = x->query->options->redirects;
    if (left == 0)
        left = REDIRECTS_DEFAULT;
    for (;;) {
        verd_http_response *response = visit(x);
        if (response == NULL)
            return NULL;
        int turned = is_to_expect_nothing(x, response) ? 1 : turn(x, response);
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

/* Within the time that the client gives it. */
static verd_http_response *follow_in_time(struct exchange *x)
{
    verd_timeout limit;
    verd_duration total = x->client->options.total;
    x->deadline = verd__time_after(verd_now(), total);
    if (verd_timeout_begin(&limit, total) != 0)
        return NULL;
    verd_http_response *response = follow(x);
    int error = errno;
    verd_timeout_end(&limit);
    errno = error;
    return response;
}

verd_http_response *verd__query_ask(struct verd__query *query, const char *url)
{
    struct exchange x = {.query = query};
    if (verd__query_check(query) != 0 || verd__url_parse(&x.url, url) != 0)
        return NULL;
    x.client = verd__client(query->options->client);
    verd_http_response *response = NULL;
    if (x.client != NULL) {
        query->agent = x.client->options.agent;
        response = follow_in_time(&x);
    }
    int error = errno;
    verd__url_free(&x.url);
    errno = error;
    return response;
}

verd_http_response *verd_http_request(const char *method, const char *url,
                                      const verd_http_request_options *options)
{
    static const verd_http_request_options defaults = {0};
    struct verd__query query = {.method = method, .options = options != NULL ? options : &defaults};
    return verd__query_ask(&query, url);
}

verd_http_response *verd_http_get(const char *url, const verd_http_request_options *options)
{
    return verd_http_request("GET", url, options);
}
