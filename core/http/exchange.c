/* SPDX-License-Identifier: MIT */
#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "http/server.h"

/* Bytes that are read at once, unless a head needs more. */
#define BUFFER 8191

/* More than this is not kept for the next request, neither of the buffer nor of a text. */
#define KEEP_MAX 16384

struct verd_http_exchange *verd__exchange_new(size_t fields)
{
    struct verd_http_exchange *x;
    size_t size;
    if (__builtin_mul_overflow(fields, sizeof x->fields[0], &size) ||
        __builtin_add_overflow(size, sizeof *x, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    x = malloc(size);
    if (x == NULL)
        return NULL;
    *x = (struct verd_http_exchange){0};
    if (verd__buffer_init(&x->buffer, BUFFER) == 0)
        return x;
    free(x);
    return NULL;
}

static void forget_decoded(struct verd_http_exchange *x)
{
    if (x->decoded != NULL)
        verd__decoded_free(x);
}

void verd__exchange_free(struct verd_http_exchange *x)
{
    forget_decoded(x);
    verd__buffer_free(&x->buffer);
    verd__text_free(&x->whole);
    verd__trailers_free(&x->trailers);
    verd__text_free(&x->reply.fields);
    verd__text_free(&x->reply.head);
    verd__text_free(&x->reply.pending);
    free(x);
}

static void empty(struct verd__text *text)
{
    text->size = 0;
    text->failed = false;
    if (text->room > KEEP_MAX)
        verd__text_free(text);
}

/* What is gone with a request; of its memory as much as most of them need stays. */
static void forget(struct verd_http_exchange *x)
{
    forget_decoded(x);
    empty(&x->whole);
    verd__trailers_clear(&x->trailers);
    empty(&x->trailers.lines);
    empty(&x->reply.fields);
    empty(&x->reply.head);
    empty(&x->reply.pending);
}

void verd__exchange_begin(struct verd_http_exchange *x, struct verd__connection *connection)
{
    struct verd__reply *reply = &x->reply;
    const verd_http_limits *limits = &connection->server->options.limits;
    x->connection = connection;
    x->buffer.kept = 0;
    verd__buffer_take(&x->buffer, 0);
    verd__head_init(&x->head, limits, x->fields, false);
    verd__body_init(&x->body, &connection->paced, &x->buffer);
    forget(x);
    x->data = NULL;
    *reply = (struct verd__reply){
        .fields = reply->fields, .head = reply->head, .pending = reply->pending};
    x->readable = false;
    x->whole_read = false;
    x->told = false;
    x->awaits_continue = false;
    x->fault = 0;
    x->peer_length = 0;
}

bool verd__exchange_rest(struct verd_http_exchange *x)
{
    forget(x);
    x->connection = NULL;
    x->buffer.kept = x->buffer.start = x->buffer.end = 0; /* nothing of it is the next one's */
    if (x->buffer.room <= KEEP_MAX)
        return true;
    verd__buffer_free(&x->buffer);
    return verd__buffer_init(&x->buffer, BUFFER) == 0;
}
