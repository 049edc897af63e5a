/* SPDX-License-Identifier: MIT */
/* What was asked: the server's view of a request. */
#include <errno.h>

#include <verd/net.h>

#include "http/exchange.h"
#include "http/server.h"
#include "http/stopping.h"
#include "sched/wait.h"

/* A body is read into no less room than this. */
#define ROOM_MIN 1024

/* The head stays where it is, and the body begins behind it. */
static int keep_head(struct verd_http_exchange *x)
{
    struct verd__buffer *buffer = &x->buffer;
    const char *before = buffer->data;
    size_t start = buffer->start;
    buffer->start += x->head.parsed;
    buffer->kept = buffer->start;
    if (verd__buffer_reserve(buffer, ROOM_MIN) != 0)
        return -1;
    if (buffer->data != before)
        verd__head_moved(&x->head, before + start, buffer->data + start);
    return 0;
}

int verd__request_begin(struct verd_http_exchange *x)
{
    const verd_http_options *options = &x->connection->server->options;
    unsigned bits = x->head.bits;
    x->readable = true;
    if (keep_head(x) != 0)
        return 503;
    if (bits & VERD__HEAD_CHUNKED) {
        verd__body_set_chunked(&x->body, &options->limits, options->body);
        x->body.chunk.trailers = &x->trailers.lines;
    } else if (bits & VERD__HEAD_LENGTH) {
        verd__body_set_length(&x->body, x->head.length);
    }
    x->awaits_continue = (bits & VERD__HEAD_CONTINUE) && !x->body.ended;
    bool large = (bits & VERD__HEAD_LENGTH) &&
                 (x->head.length > options->body || x->head.length == UINT64_MAX);
    return large ? 413 : 200;
}

const char *verd_http_method(const verd_http_exchange *x)
{
    return x->head.method;
}

const char *verd_http_path(const verd_http_exchange *x)
{
    return x->head.path;
}

const char *verd_http_query(const verd_http_exchange *x)
{
    return x->head.query;
}

const char *verd_http_host(const verd_http_exchange *x)
{
    return x->head.host;
}

int verd_http_version(const verd_http_exchange *x)
{
    return x->head.minor;
}

const char *verd_http_header(const verd_http_exchange *x, const char *name)
{
    return verd__head_find(&x->head, name);
}

const verd_http_field *verd_http_headers(const verd_http_exchange *x, size_t *count)
{
    *count = x->head.count;
    return x->head.fields;
}

uint64_t verd_http_length(const verd_http_exchange *x)
{
    if (x->head.bits & VERD__HEAD_CHUNKED)
        return VERD_HTTP_CHUNKED;
    return x->head.bits & VERD__HEAD_LENGTH ? x->head.length : 0;
}

/* That of a client over TCP was noted when it was accepted: it may be gone by now. */
static void ask_peer(struct verd_http_exchange *x)
{
    const struct verd__handler *client = x->connection->client;
    x->peer_length = sizeof x->peer;
    if (client->peer.any.sa_family == AF_INET) {
        x->peer.ipv4 = client->peer.ipv4;
        x->peer_length = sizeof x->peer.ipv4;
    } else if (client->peer.any.sa_family == AF_INET6) {
        x->peer.ipv6 = client->peer.ipv6;
        x->peer_length = sizeof x->peer.ipv6;
    } else if (getpeername(client->client, &x->peer.any, &x->peer_length) != 0) {
        x->peer.any.sa_family = AF_UNSPEC;
        x->peer_length = sizeof x->peer.any.sa_family;
    }
}

const struct sockaddr *verd_http_peer(verd_http_exchange *x, socklen_t *length)
{
    if (x->peer_length == 0)
        ask_peer(x);
    if (length != NULL)
        *length = x->peer_length;
    return &x->peer.any;
}

const verd_stream *verd_http_stream(const verd_http_exchange *x)
{
    return &x->connection->stream;
}

/* ---- the body ---- */

/* errno says why the body cannot be read. */
static void note_fault(struct verd_http_exchange *x)
{
    switch (verd__is_timeout(errno) ? ETIMEDOUT : errno) {
    case EBADMSG:
    case ECONNRESET: /* it may have ended what it says, and still listen */
        x->fault = 400;
        break;
    case EMSGSIZE:
        x->fault = 413;
        break;
    case ETIMEDOUT:
        x->fault = 408;
        break;
    default:
        break;
    }
}

/* The client waits for leave to send the body, unless some of it is there already. */
static int give_leave(struct verd_http_exchange *x)
{
    char leave[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {.iov_base = leave, .iov_len = sizeof leave - 1};
    x->awaits_continue = false;
    if (x->reply.started || verd__buffer_size(&x->buffer) > 0)
        return 0;
    if (verd__pace_write(x->connection, &piece, 1) == 0)
        return 0;
    return verd__reply_failed(x);
}

static ssize_t read_part(void *from, void *to, size_t size)
{
    struct verd_http_exchange *x = from;
    return verd__body_read(&x->body, to, size);
}

/* What comes when the connection is no longer HTTP's. */
static ssize_t read_raw(struct verd_http_exchange *x, void *buffer, size_t size)
{
    ssize_t got = verd__read_unless_stopped(x->connection->server, read_part, x, buffer, size);
    x->told = got < 0 && errno == ESHUTDOWN;
    return got;
}

ssize_t verd_http_read(verd_http_exchange *x, void *buffer, size_t size)
{
    if (verd__begin() == NULL)
        return verd__refuse(0);
    if (x->awaits_continue && give_leave(x) != 0)
        return -1;
    ssize_t got = x->reply.raw && !x->told ? read_raw(x, buffer, size) : read_part(x, buffer, size);
    if (got < 0)
        note_fault(x);
    verd__spend(); /* much of it may have been there */
    return got;
}

static char *read_whole(struct verd_http_exchange *x, size_t most, size_t *size)
{
    if (x->awaits_continue && give_leave(x) != 0)
        return NULL;
    if (!x->whole_read && verd__body_all(&x->body, most, &x->whole) != 0) {
        note_fault(x);
        return NULL;
    }
    x->whole_read = true;
    if (x->whole.size > most) {
        x->fault = 413;
        errno = EMSGSIZE;
        return NULL;
    }
    if (size != NULL)
        *size = x->whole.size;
    return x->whole.data;
}

char *verd_http_body(verd_http_exchange *x, size_t most, size_t *size)
{
    char *body = verd__begin() != NULL ? read_whole(x, most, size) : NULL;
    verd__spend();
    return body;
}

const verd_http_field *verd_http_trailers(verd_http_exchange *x, size_t *count)
{
    return verd__trailers_fields(&x->trailers, x->body.ended, count);
}

const char *verd_http_trailer(verd_http_exchange *x, const char *name)
{
    return verd__trailers_find(&x->trailers, x->body.ended, name);
}
