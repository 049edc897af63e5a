/* SPDX-License-Identifier: MIT */
/* What is answered: the server's reply, on its way to the client. */
#include <errno.h>
#include <string.h>

#include "http/exchange.h"
#include "http/server.h"
#include "http/status.h"
#include "sched/wait.h"

/* Parts of a body are collected up to so many bytes. */
#define COLLECT 4096

/* A whole reply of so many bytes is copied into one piece, which costs less than a vector of two. */
#define ONE_PIECE 1024

/* Room for the lines of a head that are not the handler's. */
#define OWN_LINES 256

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- the head ---- */

int verd_http_add(verd_http_exchange *x, const char *name, const char *value)
{
    struct verd__reply *reply = &x->reply;
    if (reply->status != 0)
        return fail(EALREADY);
    if (name == NULL || value == NULL || verd__same(name, "Content-Length") ||
        verd__same(name, "Transfer-Encoding"))
        return fail(EINVAL);
    if (verd__same(name, "Connection")) {
        bool upgrade = verd__same(value, "upgrade");
        if (!upgrade && !verd__same(value, "close"))
            return fail(EINVAL);
        reply->upgrade = reply->upgrade || upgrade;
        reply->close = reply->close || !upgrade;
        return 0;
    }
    if (verd__text_field(&reply->fields, name, value) != 0)
        return -1;
    if (verd__same(name, "Date"))
        reply->dated = true;
    else if (verd__same(name, "Upgrade")) /* which is of this connection alone (RFC 9110, 7.8) */
        reply->upgrade = true;
    return 0;
}

/* Whether the connection has to end after the reply, as far as can be said at its beginning. */
static bool must_close(const struct verd_http_exchange *x)
{
    return x->connection->server->stopping || x->connection->last || x->awaits_continue ||
           verd__head_closes(&x->head);
}

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put_status(char *at, int status)
{
    if (status == 200)
        return PUT(at, "HTTP/1.1 200 OK\r\n");
    const char *reason = verd__status_reason(status);
    at = PUT(at, "HTTP/1.1 ");
    at += verd__decimal(at, (uint64_t)status);
    *at++ = ' ';
    at = put(at, reason, strlen(reason));
    return PUT(at, "\r\n");
}

/* What delimits the body, for those replies that can have one. */
static char *put_framing(char *at, const struct verd__reply *reply, uint64_t length)
{
    if (reply->status == 204 || reply->status == 304 || reply->raw)
        return at;
    if (reply->status == 205)
        return PUT(at, "Content-Length: 0\r\n");
    if (length == VERD_HTTP_CHUNKED)
        return reply->chunked ? PUT(at, "Transfer-Encoding: chunked\r\n") : at;
    at = PUT(at, "Content-Length: ");
    at += verd__decimal(at, length);
    return PUT(at, "\r\n");
}

static char *put_connection(char *at, const struct verd__reply *reply, int minor)
{
    if (reply->status == 101)
        return PUT(at, "Connection: upgrade\r\n");
    if (reply->raw)
        return at;
    if (reply->upgrade)
        at = PUT(at, "Connection: upgrade\r\n");
    if (reply->close)
        return PUT(at, "Connection: close\r\n");
    return minor == 0 ? PUT(at, "Connection: keep-alive\r\n") : at;
}

/* Writes the head, with the handler's fields at its end. */
static int write_head(struct verd_http_exchange *x, const char *type, uint64_t length)
{
    struct verd__reply *reply = &x->reply;
    struct verd__text *head = &reply->head;
    struct verd__date *date = &x->connection->server->date;
    size_t type_size = type != NULL ? strlen(type) : 0;
    if (reply->fields.failed ||
        !verd__text_reserve(head, OWN_LINES + type_size + reply->fields.size))
        return fail(ENOMEM);
    char *at = put_status(head->data, reply->status);
    if (!reply->dated) {
        verd__date_update(date);
        at = put(at, date->line, sizeof date->line);
    }
    if (type != NULL) {
        at = PUT(at, "Content-Type: ");
        at = put(at, type, type_size);
        at = PUT(at, "\r\n");
    }
    at = put_framing(at, reply, length);
    at = put_connection(at, reply, x->head.minor);
    if (reply->fields.size > 0)
        at = put(at, reply->fields.data, reply->fields.size);
    reply->fields.size = 0;
    at = PUT(at, "\r\n");
    head->size = (size_t)(at - head->data);
    return 0;
}

int verd_http_add_trailer(verd_http_exchange *x, const char *name, const char *value)
{
    struct verd__text *fields = &x->reply.fields;
    size_t size = fields->size;
    if (x->reply.status == 0 || x->reply.left != VERD_HTTP_CHUNKED || x->reply.raw ||
        name == NULL || !verd__may_trail(name))
        return fail(EINVAL);
    if (verd__text_field(fields, name, value) == 0)
        return 0;
    fields->size = size;
    fields->failed = false;
    return -1;
}

/* Whether the client expects no body behind the head, whatever that says. */
static bool is_silent(const struct verd_http_exchange *x)
{
    int status = x->reply.status;
    return status == 204 || status == 205 || status == 304 ||
           (!x->reply.raw && (x->head.bits & VERD__HEAD_HEAD));
}

/* Begins a reply whose status and type were checked. */
static int begin(struct verd_http_exchange *x, int status, const char *type, uint64_t length)
{
    struct verd__reply *reply = &x->reply;
    bool endless = length == VERD_HTTP_CHUNKED && !reply->raw;
    reply->status = status;
    reply->left = length;
    reply->silent = is_silent(x);
    reply->chunked = endless && x->head.minor > 0;
    if (must_close(x) || (endless && !reply->chunked && !reply->silent))
        reply->close = true;
    if (write_head(x, type, length) == 0)
        return 0;
    reply->status = 0;
    return -1;
}

static int check_begin(const struct verd_http_exchange *x, int status, const char *type)
{
    if (x->reply.status != 0)
        return fail(EALREADY);
    if (status < 200 || status > 599 || (type != NULL && !verd__is_text(type, strlen(type))))
        return fail(EINVAL);
    if (status < 300 && (x->head.bits & VERD__HEAD_CONNECT))
        return fail(EPROTO);
    return 0;
}

int verd_http_begin(verd_http_exchange *x, int status, uint64_t length)
{
    return check_begin(x, status, NULL) == 0 ? begin(x, status, NULL, length) : -1;
}

/* ---- sending ---- */

/* What a stream says of a client that is gone depends on how it went: here, it is EPIPE. */
int verd__reply_failed(struct verd_http_exchange *x)
{
    struct verd__reply *reply = &x->reply;
    reply->error = errno == ECONNRESET ? EPIPE : errno;
    reply->started = reply->close = true;
    return fail(reply->error);
}

/* A vector in the making. */
struct parts {
    struct iovec vector[7];
    int count;
};

static void add_part(struct parts *parts, const void *data, size_t size)
{
    union {
        const void *given;
        void *taken;
    } start = {data};
    if (size > 0)
        parts->vector[parts->count++] = (struct iovec){start.taken, size};
}

/* The last chunk, and the fields behind it; `chunk` is whether another is before it. */
static void add_end(struct parts *parts, const struct verd__reply *reply, bool chunk)
{
    add_part(parts, chunk ? "\r\n0\r\n" : "0\r\n", chunk ? 5 : 3);
    add_part(parts, reply->fields.data, reply->fields.size);
    add_part(parts, "\r\n", 2);
}

/* Sends what waits, `data` after it, and the body's end with `last`, in one system call. */
static int send_all(struct verd_http_exchange *x, const void *data, size_t size, bool last)
{
    struct verd__reply *reply = &x->reply;
    struct parts parts = {.count = 0};
    char line[VERD__CHUNK_LINE];
    size_t body = reply->pending.size + size;
    bool chunk = reply->chunked && body > 0;
    if (!verd__may_wait(verd__current))
        return -1;
    add_part(&parts, reply->head.data, reply->head.size);
    if (chunk)
        add_part(&parts, line, verd__chunk_line(line, body));
    add_part(&parts, reply->pending.data, reply->pending.size);
    add_part(&parts, data, size);
    if (reply->chunked && last && !reply->silent)
        add_end(&parts, reply, chunk);
    else if (chunk)
        add_part(&parts, "\r\n", 2);
    reply->started = true;
    if (verd__pace_write(x->connection, parts.vector, parts.count) != 0)
        return verd__reply_failed(x);
    reply->sent += body;
    reply->head.size = reply->pending.size = 0;
    return 0;
}

/* The same for a whole reply that is small, in one piece. */
static int send_piece(struct verd_http_exchange *x, const void *body, size_t size)
{
    struct verd__reply *reply = &x->reply;
    verd__text_add(&reply->head, body, size);
    if (reply->head.failed)
        return fail(ENOMEM);
    if (!verd__may_wait(verd__current))
        return -1;
    reply->started = true;
    struct iovec piece = {.iov_base = reply->head.data, .iov_len = reply->head.size};
    if (verd__pace_write(x->connection, &piece, 1) != 0)
        return verd__reply_failed(x);
    reply->sent = size;
    return 0;
}

int verd_http_reply(verd_http_exchange *x, int status, const char *type, const void *body,
                    size_t size)
{
    struct verd__reply *reply = &x->reply;
    if (check_begin(x, status, type) != 0)
        return -1;
    /* A body that will not be read to its end, ends the connection: better to say so. */
    if (x->body.kind == VERD__BODY_LENGTH && x->body.left > x->connection->server->options.drain)
        reply->close = true;
    if (begin(x, status, type, size) != 0)
        return -1;
    reply->complete = true;
    if (reply->silent)
        size = 0;
    return size > ONE_PIECE ? send_all(x, body, size, true) : send_piece(x, body, size);
}

static int check_write(const struct verd__reply *reply)
{
    if (reply->error != 0)
        return fail(reply->error);
    return reply->status == 0 || reply->complete ? fail(EINVAL) : 0;
}

/* A part of a body that is not sent. The head goes when a body's would, and then only the client's
 * leaving can tell that there is no use in going on. */
static int write_silently(struct verd_http_exchange *x, size_t size)
{
    struct verd__reply *reply = &x->reply;
    reply->unsent += size;
    if (reply->unsent <= COLLECT)
        return 0;
    reply->unsent = 0;
    if (reply->head.size > 0)
        return send_all(x, NULL, 0, false);
    if (!verd__client_has_left(x))
        return 0;
    errno = EPIPE;
    return verd__reply_failed(x);
}

static int write_part(struct verd_http_exchange *x, const void *data, size_t size)
{
    struct verd__reply *reply = &x->reply;
    if (check_write(reply) != 0)
        return -1;
    if (reply->left != VERD_HTTP_CHUNKED) {
        if (size > reply->left)
            return fail(EMSGSIZE);
        reply->left -= size;
    }
    if (size == 0)
        return 0;
    if (reply->silent)
        return write_silently(x, size);
    if (reply->raw || reply->pending.size + size > COLLECT)
        return send_all(x, data, size, false);
    verd__text_add(&reply->pending, data, size);
    return reply->pending.failed ? fail(ENOMEM) : 0;
}

int verd_http_write(verd_http_exchange *x, const void *data, size_t size)
{
    struct verd__scheduler *scheduler = verd__begin();
    return scheduler != NULL ? verd__done(scheduler, write_part(x, data, size)) : verd__refuse(0);
}

static int flush(struct verd_http_exchange *x)
{
    const struct verd__reply *reply = &x->reply;
    if (check_write(reply) != 0)
        return -1;
    return reply->head.size + reply->pending.size > 0 ? send_all(x, NULL, 0, false) : 0;
}

int verd_http_flush(verd_http_exchange *x)
{
    struct verd__scheduler *scheduler = verd__begin();
    return scheduler != NULL ? verd__done(scheduler, flush(x)) : verd__refuse(0);
}

bool verd_http_silent(const verd_http_exchange *x)
{
    return x->reply.status != 0 ? x->reply.silent : (x->head.bits & VERD__HEAD_HEAD) != 0;
}

int verd_http_upgrade(verd_http_exchange *x, const char *protocol)
{
    struct verd__reply *reply = &x->reply;
    unsigned wanted = VERD__HEAD_UPGRADE | VERD__HEAD_SWITCH;
    bool connect = x->head.bits & VERD__HEAD_CONNECT;
    if (reply->status != 0)
        return fail(EALREADY);
    if (!x->body.ended || (!connect && (x->head.bits & wanted) != wanted))
        return fail(EPROTO);
    if (!connect && verd_http_add(x, "Upgrade", protocol) != 0)
        return -1;
    reply->raw = true;
    if (begin(x, connect ? 200 : 101, NULL, VERD_HTTP_CHUNKED) != 0 ||
        send_all(x, NULL, 0, false) != 0)
        return -1;
    reply->close = true;
    verd__body_set_until_close(&x->body, VERD_HTTP_UNLIMITED);
    verd_timeout_end(&x->connection->limit);
    x->connection->pace.off = true;
    return 0;
}

/* ---- interim replies ---- */

static int write_interim(struct verd__text *text, int status, const verd_http_field *fields,
                         size_t count)
{
    char line[OWN_LINES];
    verd__text_add(text, line, (size_t)(put_status(line, status) - line));
    for (size_t i = 0; i < count; i++) {
        if (verd__text_field(text, fields[i].name, fields[i].value) != 0)
            return -1;
    }
    verd__text_add(text, "\r\n", 2);
    return text->failed ? fail(ENOMEM) : 0;
}

static int send_interim(struct verd_http_exchange *x, int status, const verd_http_field *fields,
                        size_t count)
{
    struct verd__text *text = &x->reply.pending; /* there is nothing in it before a reply begins */
    int result = write_interim(text, status, fields, count);
    struct iovec piece = {.iov_base = text->data, .iov_len = text->size};
    if (result == 0 && verd__pace_write(x->connection, &piece, 1) != 0)
        result = verd__reply_failed(x);
    text->size = 0;
    text->failed = false;
    return result;
}

int verd_http_inform(verd_http_exchange *x, int status, const verd_http_field *fields, size_t count)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (x->reply.status != 0 || x->reply.error != 0)
        return verd__refuse(x->reply.status != 0 ? EALREADY : x->reply.error);
    if (status < 102 || status > 199 || (fields == NULL && count > 0))
        return verd__refuse(EINVAL);
    if (x->head.minor == 0) /* which knows none (RFC 9110, 15.2) */
        return verd__done(scheduler, 0);
    return verd__done(scheduler, send_interim(x, status, fields, count));
}

/* ---- its end ---- */

int verd__reply_end(struct verd_http_exchange *x, int result)
{
    struct verd__reply *reply = &x->reply;
    if (result != 0 || reply->status == 0 || reply->error != 0)
        return -1;
    if (reply->complete || reply->raw)
        return 0;
    if (!reply->silent && reply->left != VERD_HTTP_CHUNKED && reply->left > 0)
        return -1;
    reply->complete = true;
    return send_all(x, NULL, 0, true);
}

int verd__reply_error(struct verd_http_exchange *x, int status)
{
    struct verd__reply *reply = &x->reply;
    const char *reason = verd__status_reason(status);
    char text[64] = {0};
    char *at = text + verd__decimal(text, (uint64_t)status);
    *at++ = ' ';
    at = put(at, reason, strlen(reason));
    *at++ = '\n';
    size_t size = (size_t)(at - text);
    reply->fields.size = reply->head.size = reply->pending.size = 0;
    reply->fields.failed = reply->head.failed = reply->pending.failed = false; /* less is needed */
    reply->dated = reply->raw = reply->upgrade = false;
    if (begin(x, status, "text/plain", size) != 0)
        return -1;
    reply->complete = true;
    return send_piece(x, text, reply->silent ? 0 : size);
}
