/* SPDX-License-Identifier: MIT */
#include "http/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/line.h"
#include "sched/clock.h"

/* Room that a head is read into, at first. */
#define ROOM 4096

/* Bytes of a body that nobody wants which are read for the sake of the connection. */
#define DRAIN 65536

/* How long a server that was asked whether it wants a body is waited for: it may know nothing of the question
 * (RFC 9110, 10.1.1). */
#define LEAVE_TIME VERD_SEC

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- the stream ---- */

/* The server's silence counts from the last byte on, which may be one of the client's. */
static verd_duration silent_until(const struct verd_http_response *response, verd_duration since)
{
    const struct verd__sender *sender = response->sender;
    verd_duration sent = sender != NULL ? verd__sender_since(sender) : since;
    verd_duration until = verd__time_after(sent > since ? sent : since, response->silence);
    return until < response->deadline ? until : response->deadline;
}

/* Reads until a point in time. -1 with errno ETIME: that was it */
static ssize_t read_until(const struct verd_http_response *response, void *buffer, size_t size,
                          verd_duration until)
{
    verd_timeout limit;
    verd_duration left = until != VERD_FOREVER ? until - verd_now() : VERD_FOREVER;
    if (verd_timeout_begin(&limit, left) != 0)
        return -1;
    ssize_t got = verd_stream_read(response->source, buffer, size);
    int error = errno;
    bool fired = verd_timeout_end(&limit);
    errno = got < 0 && error == ETIMEDOUT && fired ? ETIME : error;
    return got;
}

static ssize_t read_in_time(void *ctx, void *buffer, size_t size)
{
    struct verd_http_response *response = ctx;
    if (response->source == NULL) {
        errno = EAGAIN;
        return -1;
    }
    verd_duration since = verd_now(), until = silent_until(response, since);
    ssize_t got = read_until(response, buffer, size, until);
    while (got < 0 && errno == ETIME) {
        verd_duration next = silent_until(response, since);
        if (next <= verd_now())
            return fail(ETIMEDOUT);
        got = read_until(response, buffer, size, next);
    }
    if (got <= 0 && response->sender != NULL && response->sender->error != 0)
        return fail(response->sender->error);
    return got;
}

static const verd_stream_ops in_time = {.read = read_in_time};

struct verd_http_response *verd__response_new(const struct verd__wire *wire,
                                              const verd_http_request_options *options,
                                              verd_duration deadline)
{
    const verd_http_client_options *client = &wire->origin->client->options;
    size_t fields = client->limits.fields * sizeof(verd_http_field);
    struct verd_http_response *response = calloc(1, sizeof *response + fields);
    if (response == NULL)
        return NULL;
    if (verd__buffer_init(&response->buffer, ROOM) != 0) {
        free(response);
        return NULL;
    }
    response->source = &wire->stream;
    response->stream = (verd_stream){.fd = -1, .ops = &in_time, .ctx = response};
    response->silence = client->silence;
    response->deadline = deadline;
    response->options = options;
    verd__head_init(&response->head, &client->limits, response->fields, true);
    verd__body_init(&response->body, &response->stream, &response->buffer);
    return response;
}

/* ---- its connection ---- */

/* What is left of the request's body is not sent. Whether nothing was. */
static bool end_sending(struct verd_http_response *response, bool patient)
{
    struct verd__sender *sender = response->sender;
    response->sender = NULL;
    return sender == NULL || verd__sender_end(sender, patient);
}

/* The connection's part is over. */
static void give_back(struct verd_http_response *response, bool fit)
{
    struct verd__wire *wire = response->wire;
    fit = end_sending(response, fit) && fit;
    response->wire = NULL;
    response->source = NULL;
    if (wire != NULL)
        verd__wire_put(wire, fit);
}

/* A response that still comes is read by the OS thread that has asked. */
static int check(const struct verd_http_response *response)
{
    const struct verd__wire *wire = response->wire;
    const struct verd__scheduler *scheduler = verd__current;
    if (wire == NULL || (scheduler != NULL && wire->origin->client->home == scheduler->number))
        return 0;
    return fail(EPERM);
}

/* Gives the connection back once there is nothing left to read from it. */
static void settle(struct verd_http_response *response)
{
    const struct verd__body *body = &response->body;
    if (body->ended) /* what follows unasked shows that the two do not agree where they are */
        give_back(response, response->fit && verd__buffer_size(&response->buffer) == 0);
    else if (body->error != 0)
        give_back(response, false);
}

void verd_http_response_free(verd_http_response *response)
{
    if (response == NULL || check(response) != 0)
        return;
    if (response->wire != NULL) {
        response->source = NULL;
        verd__body_drop(&response->body, VERD_HTTP_UNLIMITED);
        settle(response);
    }
    give_back(response, false);
    verd__url_free(&response->url);
    verd__buffer_free(&response->buffer);
    verd__text_free(&response->all);
    verd__trailers_free(&response->trailers);
    free(response);
}

void verd__response_drain(struct verd_http_response *response)
{
    if (response->fit)
        verd__body_drop(&response->body, DRAIN);
    settle(response);
}

/* ---- the head ---- */

/* Tells of an interim response (1xx), and forgets it: the real one follows. */
static void skip_interim(struct verd_http_response *response)
{
    const verd_http_request_options *options = response->options;
    if (options->interim != NULL)
        options->interim(options->interim_ctx, response->head.status, response->fields,
                         response->head.count);
    struct verd__buffer *buffer = &response->buffer;
    buffer->start = response->head.parsed;
    memmove(buffer->data, verd__buffer_at(buffer), verd__buffer_size(buffer));
    buffer->end -= buffer->start;
    buffer->start = 0;
    verd_http_limits limits = response->head.limits; /* of all together */
    limits.header -= limits.header < response->head.parsed ? limits.header : response->head.parsed;
    verd__head_init(&response->head, &limits, response->fields, true);
}

/* Goes on with what has come. Returns 1: the head is complete; 0: more is needed; -1 and errno */
static int parse(struct verd_http_response *response)
{
    struct verd__buffer *buffer = &response->buffer;
    struct verd__head *head = &response->head;
    for (;;) {
        int status = verd__head_parse(head, buffer->data, buffer->end);
        if (status == 0)
            return 0;
        if (status != 200)
            return fail(status == 431 ? EMSGSIZE : EBADMSG);
        if (head->status >= 200 || (head->status == 101 && response->may_switch))
            return 1;
        response->may_send = response->may_send || head->status == 100;
        if (head->status == 101) /* nobody has asked for another protocol */
            return fail(EBADMSG);
        skip_interim(response);
    }
}

/* Up to its end, or until the server has said that the body may be sent. */
static int read_head(struct verd_http_response *response, bool *heard)
{
    struct verd__buffer *buffer = &response->buffer;
    int result = response->complete;
    bool may_send = response->may_send;
    while (result == 0 && (result = parse(response)) == 0 && response->may_send == may_send) {
        const char *from = buffer->data;
        if (verd__buffer_reserve(buffer, 1) != 0)
            return -1;
        verd__head_moved(&response->head, from, buffer->data);
        ssize_t got = verd__buffer_fill(buffer, &response->stream);
        if (got == 0)
            errno = ECONNRESET;
        if (got <= 0)
            return -1;
        *heard = true;
    }
    if (result > 0 && !response->complete)
        buffer->start = buffer->kept = response->head.parsed;
    response->complete = result > 0;
    return result < 0 ? -1 : 0;
}

int verd__response_await_leave(struct verd_http_response *response, bool *heard)
{
    verd_timeout limit;
    if (verd_timeout_begin(&limit, LEAVE_TIME) != 0)
        return -1;
    int result = read_head(response, heard);
    int error = errno;
    bool silent = verd_timeout_end(&limit) && result != 0 && error == ETIMEDOUT;
    errno = error;
    return result == 0 || silent ? !response->complete : -1;
}

/* ---- the body's bounds ---- */

static bool has_no_body(const struct verd__head *head, bool to_head)
{
    return to_head || head->status == 204 || head->status == 304;
}

static int frame(struct verd_http_response *response, bool to_head)
{
    const struct verd__head *head = &response->head;
    unsigned bits = head->bits;
    if (head->status == 101) { /* what follows is no body */
        verd__body_set_until_close(&response->body, VERD_HTTP_UNLIMITED);
        return 0;
    }
    response->fit = !verd__head_closes(head);
    /* Both, or a coding besides chunked: who knows where the body ends */
    if (bits & VERD__HEAD_TRANSFER &&
        (bits & (VERD__HEAD_LENGTH | VERD__HEAD_UNKNOWN) || !(bits & VERD__HEAD_CHUNKED)))
        return fail(EBADMSG);
    if (has_no_body(head, to_head))
        return 0;
    if (bits & VERD__HEAD_TRANSFER) {
        verd__body_set_chunked(&response->body, &head->limits, VERD_HTTP_UNLIMITED);
        response->body.chunk.trailers = &response->trailers.lines;
        response->body.chunk.folds = true;
        response->fit = response->fit && head->minor > 0; /* HTTP/1.0 knows no chunks */
    } else if (bits & VERD__HEAD_LENGTH) {
        if (head->length == UINT64_MAX) /* or more */
            return fail(EOVERFLOW);
        verd__body_set_length(&response->body, head->length);
    } else {
        verd__body_set_until_close(&response->body, VERD_HTTP_UNLIMITED);
        response->fit = false;
    }
    return 0;
}

/* The head is there before all of the request's body was sent. An answer that is none to a body ends that (as a server
 * that refuses it expects); any other may want to see more of it. -1 with errno ENOMEM */
static int sort_out_sending(struct verd_http_response *response)
{
    struct verd__sender *sender = response->sender;
    if (sender == NULL)
        return 0;
    if (!sender->done && response->head.status < 300)
        return verd__sender_keep(sender);
    response->fit = end_sending(response, true) && response->fit;
    return 0;
}

int verd__response_receive(struct verd_http_response *response, struct verd__wire *wire,
                           bool to_head, bool closes, bool *heard)
{
    while (!response->complete) {
        if (read_head(response, heard) != 0)
            return -1;
    }
    if (frame(response, to_head) != 0 || sort_out_sending(response) != 0)
        return -1;
    response->wire = wire;
    wire->life = verd__keep_alive(verd_http_response_header(response, "Keep-Alive"));
    response->fit = response->fit && !closes && wire->life > 0;
    response->options = NULL;
    settle(response);
    return 0;
}

/* ---- what the user asks ---- */

int verd_http_response_status(const verd_http_response *response)
{
    return response->head.status;
}

const char *verd_http_response_url(const verd_http_response *response)
{
    return response->url.text;
}

const char *verd_http_response_header(const verd_http_response *response, const char *name)
{
    return verd__head_find(&response->head, name);
}

const verd_http_field *verd_http_response_headers(const verd_http_response *response, size_t *count)
{
    *count = response->head.count;
    return response->fields;
}

const verd_http_field *verd_http_response_trailers(verd_http_response *response, size_t *count)
{
    return verd__trailers_fields(&response->trailers, response->body.ended, count);
}

const char *verd_http_response_trailer(verd_http_response *response, const char *name)
{
    return verd__trailers_find(&response->trailers, response->body.ended, name);
}

const char *verd__response_location(const struct verd_http_response *response)
{
    switch (response->head.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return verd_http_response_header(response, "Location");
    default:
        return NULL;
    }
}

uint64_t verd_http_response_length(const verd_http_response *response)
{
    switch ((enum verd__body_kind)response->body.kind) {
    case VERD__BODY_NONE:
        return 0;
    case VERD__BODY_LENGTH:
        return response->head.length;
    case VERD__BODY_CHUNKED:
    case VERD__BODY_CLOSE:
        break;
    }
    return VERD_HTTP_CHUNKED;
}

ssize_t verd_http_response_read(verd_http_response *response, void *buffer, size_t size)
{
    if (check(response) != 0)
        return -1;
    ssize_t got = verd__body_read(&response->body, buffer, size);
    settle(response);
    return got;
}

char *verd_http_response_body(verd_http_response *response, size_t most, size_t *size)
{
    if (check(response) != 0)
        return NULL;
    int result = verd__body_all(&response->body, most, &response->all);
    settle(response);
    if (result != 0)
        return NULL;
    if (size != NULL)
        *size = response->all.size;
    return response->all.data;
}
