/* SPDX-License-Identifier: MIT */
/* A connection to the server, from its first byte to its end. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <verd/net.h>

#include "http/exchange.h"
#include "http/server.h"
#include "io/io.h"
#include "sched/timeout.h"

/* What is left unread when a connection is closed has the system tell the client so, and that may
 * overtake the last reply. So it is read and dropped for a while, or until a pause (RFC 9112, 9.6): the same
 * while that a pause may take for who was too slow before, and where the server stops. */
#define LINGER_TIME (30 * VERD_SEC)
#define LINGER_PAUSE (2 * VERD_SEC)

/* A client that has just connected to a server that stops has so long to ask. */
#define LAST_TIME VERD_SEC

/* ---- states ---- */

static struct verd__connection *connection_of(struct verd__obligation *obligation)
{
    return VERD__CONTAINER_OF(obligation, struct verd__connection, leaves);
}

static void stop_idling(struct verd__obligation *obligation)
{
    struct verd__connection *c = connection_of(obligation);
    verd__pool_need(c->server->pool, &c->expendable);
    c->expendable.asked = false;
    c->server->idle_count -= c->idle;
    c->awaited = NULL;
    c->idle = false;
}

static void end_wait(struct verd__expendable *member)
{
    const struct verd__connection *c =
        VERD__CONTAINER_OF(member, struct verd__connection, expendable);
    verd__timeout_expire(c->thread, c->awaited);
}

static void become_expendable(struct verd__connection *c, const verd_timeout *awaited)
{
    c->awaited = awaited;
    c->expendable.owner = c->idle ? c->server : NULL;
    verd__pool_spare(c->server->pool, &c->expendable);
    verd__obligation_begin(verd__current, &c->leaves, stop_idling);
}

bool verd__connection_is_expendable(struct verd__connection *c, const verd_timeout *awaited)
{
    struct verd_http_server *server = c->server;
    if (verd__server_lacks_room(server)) {
        server->crowded = false;
        return false;
    }
    if (c->awaited == NULL)
        become_expendable(c, awaited);
    return true;
}

void verd__connection_is_needed(struct verd__connection *c)
{
    if (c->awaited != NULL)
        verd__obligation_settle(verd__current, &c->leaves);
}

static void become_idle(struct verd__connection *c, verd_duration time)
{
    c->server->idle_count++;
    c->idle = true;
    become_expendable(c, &c->limit);
    verd_timeout_begin(&c->limit, time);
}

/* Returns whether it was told to end, or has been idle for too long. */
static bool become_busy(struct verd__connection *c)
{
    verd__connection_is_needed(c);
    return verd_timeout_end(&c->limit);
}

static void pass_exchange_on(struct verd__obligation *obligation)
{
    struct verd__connection *c = VERD__CONTAINER_OF(obligation, struct verd__connection, lent);
    verd__server_give(c->server, c->exchange);
    c->exchange = NULL;
}

static bool take_exchange(struct verd__connection *c)
{
    if (c->exchange == NULL) {
        c->exchange = verd__server_take(c->server);
        if (c->exchange == NULL)
            return false;
        verd__obligation_begin(verd__current, &c->lent, pass_exchange_on);
    }
    verd__exchange_begin(c->exchange, c);
    return true;
}

static void give_exchange(struct verd__connection *c)
{
    if (c->exchange != NULL)
        verd__obligation_settle(verd__current, &c->lent);
}

/* ---- a request ---- */

/* Reads the first bytes of a request. A descriptor is waited for without an exchange. */
static ssize_t read_first(struct verd__connection *c)
{
    if (c->exchange == NULL && c->stream.ops == NULL && verd__input_wait(c->stream.fd) != 0)
        return -1;
    return take_exchange(c) ? verd__buffer_fill(&c->exchange->buffer, &c->stream) : -1;
}

/* Whether something has come, all the same, while the time ran out. */
static bool is_readable(const struct verd__connection *c)
{
    struct pollfd poller = {.fd = c->stream.fd, .events = POLLIN};
    return c->stream.fd >= 0 && poll(&poller, 1, 0) > 0;
}

/* The client has said its last, and there is more of that than this request: it may wait for the replies, or be gone.
 * Whether it has waited for long enough. */
static bool has_waited(struct verd_http_exchange *x)
{
    verd_duration patience = x->connection->server->options.stall_time;
    if (x->reply.end_seen == 0)
        x->reply.end_seen = verd__current->clock;
    return verd__current->clock - x->reply.end_seen >= patience;
}

bool verd__client_has_left(struct verd_http_exchange *x)
{
    const verd_stream *stream = &x->connection->stream;
    struct pollfd poller = {.fd = stream->fd, .events = POLLRDHUP};
    char byte;
    if (stream->fd < 0 || poll(&poller, 1, 0) <= 0)
        return false;
    if (poller.revents & (POLLERR | POLLHUP | POLLNVAL))
        return true;
    /* What a layer between says at its end is not the next request. */
    return stream->ops != NULL ||
           (verd__buffer_size(&x->buffer) == 0 &&
            recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) ||
           has_waited(x);
}

/* There is a request, though the connection was to end for others' sake: it ends after the reply, and they may
 * have somebody else's slot sooner. */
static void decline(struct verd__connection *c)
{
    if (!verd__server_lacks_room(c->server))
        return;
    c->last = true;
    verd__server_make_room(c->server);
}

/* The same while the connection is idle. */
static ssize_t read_idle(struct verd__connection *c, verd_duration time)
{
    become_idle(c, time);
    ssize_t got = read_first(c);
    int error = errno;
    bool asked = c->expendable.asked;
    become_busy(c);
    if (got > 0 && asked)
        decline(c);
    errno = error;
    return got;
}

/* The time is over, or the connection is to end. But something may have come all the same; and who has
 * connected before the server was stopped may be about to ask. */
static ssize_t read_at_last(struct verd__connection *c)
{
    const struct verd_http_server *server = c->server;
    if (is_readable(c)) {
        decline(c);
        return read_idle(c, server->options.header_time);
    }
    return server->stopping && c->fresh ? read_idle(c, LAST_TIME) : -1;
}

/* Waits until there is something of a request. */
static bool await_request(struct verd__connection *c, verd_duration time)
{
    const struct verd_http_server *server = c->server;
    bool crowd = verd__server_lacks_room(server);
    verd__pace_begin(c);
    if (c->exchange != NULL && verd__buffer_size(&c->exchange->buffer) > 0) {
        c->last = crowd;
        return take_exchange(c);
    }
    ssize_t got = read_idle(c, server->stopping || crowd ? 0 : time);
    if (got < 0 && errno == ETIMEDOUT)
        got = read_at_last(c);
    c->fresh = false;
    return got > 0;
}

/* Reads more of the head. Returns 0, or -1: the client has left, or takes too long. */
static int read_more(struct verd__connection *c)
{
    struct verd_http_exchange *x = c->exchange;
    struct verd__buffer *buffer = &x->buffer;
    const char *before = verd__buffer_at(buffer);
    if (verd__buffer_reserve(buffer, 1) != 0)
        return -1;
    if (verd__buffer_at(buffer) != before)
        verd__head_moved(&x->head, before, verd__buffer_at(buffer));
    return verd__buffer_fill(buffer, &c->paced) > 0 ? 0 : -1;
}

static int parse(struct verd_http_exchange *x)
{
    return verd__head_parse(&x->head, verd__buffer_at(&x->buffer), verd__buffer_size(&x->buffer));
}

/* Whether there is more of the head than empty lines. */
static bool has_begun(const struct verd_http_exchange *x)
{
    return x->head.started || verd__buffer_size(&x->buffer) > x->head.parsed;
}

/* Reads the head. Returns 200, what is wrong with it, or 0: there is nobody to tell. */
static int read_head(struct verd__connection *c)
{
    struct verd_http_exchange *x = c->exchange;
    int status = parse(x);
    if (status != 0)
        return status;
    verd_timeout_begin(&c->limit, c->server->options.header_time);
    while (status == 0 && read_more(c) == 0)
        status = parse(x);
    bool late = verd_timeout_end(&c->limit);
    if (status == 0 && (late || c->pace.slow) && has_begun(x))
        return 408;
    return status;
}

/* ---- its end ---- */

static bool was_slow(const struct verd__connection *c)
{
    return c->pace.slow || c->exchange->reply.status == 408;
}

/* Reads on until the client has nothing more to say, however much that is. */
static void linger(struct verd__connection *c)
{
    struct verd__buffer *buffer = &c->exchange->buffer;
    ssize_t got;
    if (verd_stream_shut(&c->stream) != 0)
        return;
    verd_duration time = c->server->stopping || was_slow(c) ? LINGER_PAUSE : LINGER_TIME;
    become_idle(c, verd__server_lacks_room(c->server) ? 0 : time);
    do {
        buffer->kept = buffer->start = buffer->end = 0;
        verd_timeout_begin(&c->slice, LINGER_PAUSE);
        got = verd__buffer_fill(buffer, &c->stream);
        verd_timeout_end(&c->slice);
    } while (got > 0);
    become_busy(c);
}

/* A reply that ends where the connection does, but has failed, must not seem complete; and what a slow client
 * has not taken need not be kept for it. */
static void reset(const struct verd__connection *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (c->stream.fd >= 0)
        setsockopt(c->stream.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* Without a reply, whoever waits for one is to see that none will come. */
static void reply_error(struct verd__connection *c, int status)
{
    verd_timeout_begin(&c->limit, c->server->options.header_time);
    if (verd__reply_error(c->exchange, status) != 0)
        c->exchange->reply.close = true;
    verd_timeout_end(&c->limit);
}

/* The request cannot be handled: says why, and has done with the client. */
static void refuse(struct verd__connection *c, int status)
{
    c->exchange->reply.close = true;
    reply_error(c, status);
    verd__log(c->exchange);
    linger(c);
}

/* The handler, or its reply, has failed. */
static void fail(struct verd__connection *c, bool late)
{
    struct verd_http_exchange *x = c->exchange;
    struct verd__reply *reply = &x->reply;
    if (!reply->started) {
        reply->close = reply->close || x->fault != 0;
        reply_error(c, x->fault != 0 ? x->fault : late ? 503 : 500);
        return;
    }
    reply->close = true;
    if (c->pace.slow || (!reply->chunked && reply->left == VERD_HTTP_CHUNKED && !reply->raw))
        reset(c);
}

/* Reads what the handler has left of the body. Returns whether it has ended. */
static bool drain(struct verd__connection *c)
{
    struct verd_http_exchange *x = c->exchange;
    if (x->body.ended || x->awaits_continue)
        return x->body.ended;
    verd_timeout_begin(&c->limit, c->server->options.header_time);
    int result = verd__body_drop(&x->body, c->server->options.drain);
    verd_timeout_end(&c->limit);
    return result == 1;
}

/* Whether the client has not said, and sent, its last. */
static bool may_send_more(const struct verd_http_exchange *x)
{
    return x->reply.error == 0 &&
           (!verd__head_closes(&x->head) || !x->body.ended || verd__buffer_size(&x->buffer) > 0);
}

/* Returns whether the connection goes on. */
static bool answer(struct verd__connection *c)
{
    struct verd_http_exchange *x = c->exchange;
    const struct verd_http_server *server = c->server;
    if (server->options.request_time != VERD_FOREVER)
        verd_timeout_begin(&c->limit, server->options.request_time);
    int result = server->handler(x, server->ctx);
    bool complete = verd__reply_end(x, result) == 0;
    bool late = verd_timeout_end(&c->limit);
    if (!complete)
        fail(c, late);
    verd__log(x);
    if (!x->reply.close && drain(c))
        return true;
    if (may_send_more(x))
        linger(c);
    return false;
}

static bool serve_request(struct verd__connection *c)
{
    struct verd_http_exchange *x = c->exchange;
    verd__log_begin(x);
    int status = read_head(c);
    if (status == 200)
        status = verd__request_begin(x);
    if (status == 200)
        return answer(c);
    if (status != 0)
        refuse(c, status);
    return false;
}

/* A client that does not go on with its handshake keeps nobody out; a server that stops waits for it. */
static bool open_stream(struct verd__connection *c)
{
    const verd_http_options *options = &c->server->options;
    if (options->open == NULL)
        return true;
    become_expendable(c, &c->limit);
    verd_timeout_begin(&c->limit, options->header_time);
    int result = options->open(options->open_ctx, c->stream.fd, &c->stream);
    bool asked = c->expendable.asked;
    become_busy(c);
    if (result == 0 && asked)
        decline(c);
    return result == 0;
}

static void leave_address(struct verd__connection *c)
{
    if (c->counted)
        verd__obligation_settle(verd__current, &c->moves);
}

void verd__connection_serve(const struct verd__handler *client, void *arg)
{
    struct verd_http_server *server = arg;
    struct verd__connection c = {
        .server = server,
        .client = client,
        .thread = verd__current->running,
        .expendable.end = end_wait,
        .fresh = true,
        .stream = verd_stream_of(client->client),
    };
    server->crowded = false;
    if (!verd__address_admit(&c) || !open_stream(&c)) {
        verd_close(client->client);
        leave_address(&c);
        return;
    }
    c.paced = verd__pace_stream(&c);
    verd_duration patience = server->options.header_time;
    while (await_request(&c, patience) && serve_request(&c)) {
        if (c.stream.ops == NULL && verd__buffer_size(&c.exchange->buffer) == 0)
            give_exchange(&c);
        patience = server->options.idle_time;
    }
    give_exchange(&c);
    verd_stream_close(&c.stream);
    leave_address(&c);
}
