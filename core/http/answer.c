/* SPDX-License-Identifier: MIT */
#include "http/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room that a head is read into, at first. */
#define ROOM 4096

/* Bytes of a body that nobody wants which are read for the sake of the connection. */
#define DRAIN 65536

/* A stream without anything on it. */
static ssize_t read_nothing(void *ctx, void *buffer, size_t size)
{
    (void)ctx, (void)buffer, (void)size;
    errno = EAGAIN;
    return -1;
}

static const verd_stream_ops dry_ops = {.read = read_nothing};
static const verd_stream dry = {.fd = -1, .ops = &dry_ops};

static int fail(int error)
{
    errno = error;
    return -1;
}

struct verd_http_response *verd__response_new(const verd_http_limits *limits)
{
    size_t fields = limits->fields * sizeof(verd_http_field);
    struct verd_http_response *response = calloc(1, sizeof *response + fields);
    if (response == NULL)
        return NULL;
    if (verd__buffer_init(&response->buffer, ROOM) != 0) {
        free(response);
        return NULL;
    }
    verd__head_init(&response->head, limits, response->fields, true);
    verd__body_init(&response->body, &dry, &response->buffer);
    return response;
}

/* The connection's part is over. */
static void give_back(struct verd_http_response *response, bool fit)
{
    struct verd__wire *wire = response->wire;
    response->wire = NULL;
    response->body.stream = &dry;
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
        response->body.stream = &dry;
        verd__body_drop(&response->body, VERD_HTTP_UNLIMITED);
        settle(response);
        give_back(response, false);
    }
    verd__url_free(&response->url);
    verd__buffer_free(&response->buffer);
    verd__text_free(&response->all);
    free(response);
}

void verd__response_drain(struct verd_http_response *response)
{
    if (response->fit)
        verd__body_drop(&response->body, DRAIN);
    settle(response);
}

/* ---- the head ---- */

/* Forgets an interim response (1xx), which the real one follows. */
static void skip_interim(struct verd_http_response *response)
{
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
        if (head->status >= 200)
            return 1;
        if (head->status == 101) /* nobody has asked for another protocol */
            return fail(EBADMSG);
        skip_interim(response);
    }
}

static int read_head(struct verd_http_response *response, const verd_stream *stream, bool *heard)
{
    struct verd__buffer *buffer = &response->buffer;
    int result;
    while ((result = parse(response)) == 0) {
        const char *from = buffer->data;
        if (verd__buffer_reserve(buffer, 1) != 0)
            return -1;
        verd__head_moved(&response->head, from, buffer->data);
        ssize_t got = verd__buffer_fill(buffer, stream);
        if (got == 0)
            errno = ECONNRESET;
        if (got <= 0)
            return -1;
        *heard = true;
    }
    if (result < 0)
        return -1;
    buffer->start = buffer->kept = response->head.parsed;
    return 0;
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
    response->fit = !verd__head_closes(head);
    /* Both, or a coding besides chunked: who knows where the body ends */
    if (bits & VERD__HEAD_TRANSFER &&
        (bits & (VERD__HEAD_LENGTH | VERD__HEAD_UNKNOWN) || !(bits & VERD__HEAD_CHUNKED)))
        return fail(EBADMSG);
    if (has_no_body(head, to_head))
        return 0;
    if (bits & VERD__HEAD_TRANSFER) {
        verd__body_set_chunked(&response->body, &head->limits, VERD_HTTP_UNLIMITED);
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

int verd__response_receive(struct verd_http_response *response, struct verd__wire *wire,
                           bool to_head, bool closes, bool *heard)
{
    if (read_head(response, &wire->stream, heard) != 0 || frame(response, to_head) != 0)
        return -1;
    response->wire = wire;
    response->body.stream = &wire->stream;
    response->fit = response->fit && !closes;
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
