/* SPDX-License-Identifier: MIT */
/* What WebSockets send. */
#include "http/websocket.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "http/server.h"
#include "http/sha1.h"
#include "io/vector.h"

#define PIECE ((size_t)65536) /* what a client masks and sends at once */

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- chance ---- */

int verd__websocket_key(char key[VERD__KEY_SIZE])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != sizeof bytes)
        return -1;
    verd__base64(key, bytes, sizeof bytes);
    return 0;
}

/* RFC 6455, 5.3: no page may know what its bytes look like to a proxy, so each mask is new. */
static int make_mask(struct verd_websocket *socket, unsigned char mask[4])
{
    if (socket->mask_count == 0) {
        if (getrandom(socket->masks, sizeof socket->masks, GRND_NONBLOCK) != sizeof socket->masks)
            return -1;
        socket->mask_count = sizeof socket->masks;
    }
    socket->mask_count -= 4;
    memcpy(mask, socket->masks + socket->mask_count, 4);
    return 0;
}

/* ---- frames ---- */

/* The other side takes nothing: neither is anything sent to it any more, nor received. */
static ssize_t give_up(struct verd_websocket *socket)
{
    socket->broken = true;
    socket->error = ECONNRESET;
    errno = ETIMEDOUT;
    if (socket->x == NULL)
        return -1;
    socket->x->connection->pace.slow = true; /* which has the connection reset */
    return verd__reply_failed(socket->x);
}

/* Writes some bytes, unless there is no room for any in the time that the other side may be idle, and in as much again
 * it takes nothing of what was written before either. */
static ssize_t write_in_time(struct verd_websocket *socket, const struct iovec *parts, int count)
{
    uint64_t taken = 0;
    for (bool looked = false;; looked = true) {
        verd_timeout limit;
        verd_timeout_begin(&limit, socket->idle_time);
        ssize_t written = verd_stream_writev(socket->stream, parts, count);
        int error = errno;
        bool late = verd_timeout_end(&limit) && written < 0 && error == ETIMEDOUT;
        errno = error;
        if (!late)
            return written;
        uint64_t before = taken;
        verd__pace_look(socket->stream, &taken);
        if (looked && taken == before)
            return give_up(socket);
    }
}

/* Writes part of a frame, behind which only the rest of it may follow; a stream of the user's may have taken some where
 * it says that it failed. */
static int write_part(struct verd_websocket *socket, struct iovec *parts, int count)
{
    verd__vector_advance(&parts, &count, 0);
    socket->broken = socket->broken || socket->stream->ops != NULL;
    while (count > 0) {
        ssize_t written = write_in_time(socket, parts, count);
        if (written < 0) {
            socket->broken = socket->broken || !verd__websocket_may_go_on(errno);
            return -1;
        }
        socket->broken = true;
        verd__vector_advance(&parts, &count, (size_t)written);
    }
    return 0;
}

static int send_plain(struct verd_websocket *socket, unsigned opcode, const void *data, size_t size)
{
    char head[VERD__WEBSOCKET_HEAD];
    union {
        const void *given;
        void *taken;
    } payload = {data};
    struct iovec parts[] = {{head, verd__websocket_head(head, opcode, size, NULL)},
                            {payload.taken, size}};
    if (write_part(socket, parts, 2) != 0)
        return -1;
    socket->broken = false;
    socket->x->reply.sent += size;
    return 0;
}

static int send_masked(struct verd_websocket *socket, unsigned opcode, const char *data,
                       size_t size)
{
    struct verd__text *out = &socket->out;
    unsigned char mask[4];
    size_t room = VERD__WEBSOCKET_HEAD + (size < PIECE ? size : PIECE);
    out->size = 0;
    if (!verd__text_reserve(out, room)) {
        out->failed = false;
        return fail(ENOMEM);
    }
    if (make_mask(socket, mask) != 0)
        return -1;
    out->size = verd__websocket_head(out->data, opcode, size, mask);
    do {
        size_t piece = size < out->room - out->size ? size : out->room - out->size;
        verd__websocket_mask(out->data + out->size, data, piece, mask);
        struct iovec part = {out->data, out->size + piece};
        if (write_part(socket, &part, 1) != 0)
            return -1;
        out->size = 0;
        data += piece;
        size -= piece;
    } while (size > 0);
    socket->broken = false;
    return 0;
}

/* Sends a frame; this thread is the one that sends. */
static int send_frame(struct verd_websocket *socket, unsigned opcode, const void *data, size_t size)
{
    int result;
    if (socket->close_sent || socket->broken)
        return fail(EPIPE);
    if (socket->x == NULL)
        result = send_masked(socket, opcode, size > 0 ? data : "", size);
    else
        result = send_plain(socket, opcode, data, size);
    if (result != 0 && errno == ECONNRESET)
        errno = EPIPE;
    return result;
}

/* The thread that sends will not run again, and nobody waits for it any more. */
static void send_no_more(struct verd__obligation *obligation)
{
    VERD__CONTAINER_OF(obligation, struct verd_websocket, sends)->sending =
        (verd_mutex)VERD_MUTEX_INIT;
}

/* The mutex is locked. */
static void begin_sending(struct verd_websocket *socket)
{
    verd__obligation_begin(verd__current, &socket->sends, send_no_more);
}

/* Lets others send, after a Pong that has become due meanwhile. */
static void end_sending(struct verd_websocket *socket)
{
    int error = errno;
    while (socket->pong_due) {
        struct verd__websocket_control pong = socket->pong; /* another may come while it is sent */
        socket->pong_due = false;
        send_frame(socket, VERD__WEBSOCKET_PONG, pong.data, pong.size);
    }
    verd__obligation_end(verd__current, &socket->sends);
    verd_mutex_unlock(&socket->sending);
    errno = error;
}

int verd__websocket_send(struct verd_websocket *socket, unsigned opcode, const void *data,
                         size_t size)
{
    if (verd__websocket_check(socket) != 0 || verd_mutex_lock(&socket->sending) != 0)
        return -1;
    begin_sending(socket);
    int result = send_frame(socket, opcode, data, size);
    if (result == 0 && opcode == VERD__WEBSOCKET_CLOSE)
        socket->close_sent = true;
    end_sending(socket);
    return result;
}

void verd__websocket_pong(struct verd_websocket *socket)
{
    socket->pong = socket->control;
    socket->pong_due = true;
    if (verd_mutex_try_lock(&socket->sending) != 0)
        return;
    begin_sending(socket);
    end_sending(socket);
}

void verd__websocket_ask(struct verd_websocket *socket)
{
    if (verd_mutex_try_lock(&socket->sending) != 0)
        return;
    begin_sending(socket);
    send_frame(socket, VERD__WEBSOCKET_PING, NULL, 0);
    end_sending(socket);
}

int verd_websocket_send(verd_websocket *socket, enum verd_websocket_type type, const void *data,
                        size_t size)
{
    if (type != VERD_WEBSOCKET_TEXT && type != VERD_WEBSOCKET_BINARY)
        return fail(EINVAL);
    if (type == VERD_WEBSOCKET_TEXT && !verd__is_utf8(data, size))
        return fail(EILSEQ);
    return verd__websocket_send(socket, type, data, size);
}

int verd_websocket_ping(verd_websocket *socket, const void *data, size_t size)
{
    if (size > VERD__WEBSOCKET_CONTROL)
        return fail(EINVAL);
    return verd__websocket_send(socket, VERD__WEBSOCKET_PING, data, size);
}

/* ---- closing ---- */

int verd__websocket_say_close(struct verd_websocket *socket, int code, const char *reason)
{
    char payload[VERD__WEBSOCKET_CONTROL];
    size_t size = reason != NULL ? strnlen(reason, sizeof payload - 2) : 0;
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    if (size > 0)
        memcpy(payload + 2, reason, size);
    return verd__websocket_send(socket, VERD__WEBSOCKET_CLOSE, payload, code != 0 ? size + 2 : 0);
}

static int await_close(verd_websocket *socket)
{
    verd_websocket_message dropped;
    int result;
    if (socket->receiving)
        return 0;
    do
        result = verd_websocket_receive(socket, &dropped);
    while (result > 0);
    return result;
}

int verd_websocket_close(verd_websocket *socket, int code, const char *reason)
{
    verd_timeout limit;
    size_t size = reason != NULL ? strlen(reason) : 0;
    if (!verd__websocket_is_code(code) || size > VERD__WEBSOCKET_CONTROL - 2)
        return fail(EINVAL);
    if (size > 0 && !verd__is_utf8(reason, size))
        return fail(EILSEQ);
    if (socket->closed)
        return 0;
    verd_timeout_begin(&limit, VERD__WEBSOCKET_CLOSE_TIME);
    int result = verd__websocket_say_close(socket, code, reason);
    if (result == 0)
        result = await_close(socket);
    int error = errno;
    verd_timeout_end(&limit);
    errno = error;
    return result;
}
