/* SPDX-License-Identifier: MIT */
/* WebSockets, and what they receive. */
#include "http/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/server.h"
#include "http/stopping.h"
#include "sched/clock.h"
#include "sched/wait.h"

#define MESSAGE_DEFAULT ((size_t)1 << 20)
#define IDLE_TIME_DEFAULT (30 * VERD_SEC)
#define KEEP_MAX 65536     /* bytes of memory for messages that are kept for the next */
#define DIRECT 4096        /* of a payload: so many bytes go past the buffer */
#define TELL_TIME VERD_SEC /* for a Close that is not the user's */

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- its life ---- */

static bool are_tokens(const char *const *names)
{
    while (names != NULL && *names != NULL && verd__is_name(*names))
        names++;
    return names == NULL || *names == NULL;
}

struct verd_websocket *verd__websocket_new(const verd_websocket_options *options,
                                           struct verd_http_exchange *x)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (options->idle_time < 0 || !are_tokens(options->protocols)) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_websocket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->home = scheduler->number;
    socket->x = x;
    if (x != NULL) {
        socket->stream = &x->connection->stream;
        socket->buffer = &x->buffer;
    }
    socket->most = options->message != 0 ? options->message : MESSAGE_DEFAULT;
    socket->idle_time = options->idle_time != 0 ? options->idle_time : IDLE_TIME_DEFAULT;
    socket->code = 1006;
    return socket;
}

int verd__websocket_check(const struct verd_websocket *socket)
{
    const struct verd__scheduler *scheduler = verd__current;
    return scheduler != NULL && socket->home == scheduler->number ? 0 : fail(EPERM);
}

void verd_websocket_free(verd_websocket *socket)
{
    if (socket == NULL)
        return;
    int error = errno;
    verd_http_response_free(socket->response);
    verd__text_free(&socket->message);
    verd__text_free(&socket->out);
    free(socket);
    errno = error;
}

const char *verd_websocket_protocol(const verd_websocket *socket)
{
    return socket->protocol;
}

int verd_websocket_code(const verd_websocket *socket)
{
    return socket->code;
}

const char *verd_websocket_reason(const verd_websocket *socket)
{
    return socket->reason;
}

/* ---- bytes ---- */

/* Sends a Close, unless that takes too long. */
static void tell(struct verd_websocket *socket, int code)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, TELL_TIME);
    verd__websocket_say_close(socket, code, NULL);
    verd_timeout_end(&limit);
}

static ssize_t read_stream(void *from, void *to, size_t size)
{
    const struct verd_websocket *socket = from;
    return verd_stream_read(socket->stream, to, size);
}

/* Within the time that the other side has to say something. -1 with errno ETIME: it is over; or ESHUTDOWN, once: the
 * server is being stopped. */
static ssize_t read_in_time(struct verd_websocket *socket, void *to, size_t size)
{
    struct verd_http_exchange *x = socket->x;
    verd_timeout limit;
    ssize_t got;
    verd_duration left = socket->close_by != 0 ? socket->close_by - verd_now() : VERD_FOREVER;
    verd_timeout_begin(&limit, left < socket->idle_time ? left : socket->idle_time);
    if (x != NULL && !x->told)
        got = verd__read_unless_stopped(x->connection->server, read_stream, socket, to, size);
    else
        got = read_stream(socket, to, size);
    int error = errno;
    bool late = verd_timeout_end(&limit);
    errno = late && got < 0 && error == ETIMEDOUT ? ETIME : error;
    return got;
}

/* Whether the other side may still be there, though nothing has come of it: asks by a ping. */
static bool is_there(struct verd_websocket *socket)
{
    verd_timeout limit;
    if (socket->pinged)
        return false;
    socket->pinged = true;
    verd_timeout_begin(&limit, socket->idle_time);
    verd__websocket_ask(socket);
    verd_timeout_end(&limit);
    return true;
}

/* The server is being stopped: the other side is told, and has a while to answer. */
static void go_away(struct verd_websocket *socket)
{
    tell(socket, 1001);
    socket->x->told = socket->close_sent || socket->broken; /* not, while another thread sends */
    if (socket->x->told)
        socket->close_by = verd__time_after(verd_now(), VERD__WEBSOCKET_CLOSE_TIME);
}

static ssize_t read_some(struct verd_websocket *socket, void *to, size_t size)
{
    while (socket->error == 0) { /* or who sends gives the other side up */
        ssize_t got = read_in_time(socket, to, size);
        if (got > 0) {
            socket->pinged = false;
            return got;
        }
        if (got == 0)
            return fail(ECONNRESET);
        if (errno == ESHUTDOWN)
            go_away(socket);
        else if (errno != ETIME)
            return -1;
        else if (!is_there(socket))
            return fail(ECONNRESET);
    }
    return fail(socket->error);
}

/* Reads more of what comes behind what is in the buffer. */
static int fill(struct verd_websocket *socket)
{
    struct verd__buffer *buffer = socket->buffer;
    if (verd__buffer_reserve(buffer, 1) != 0)
        return -1;
    ssize_t got = read_some(socket, buffer->data + buffer->end, buffer->room - buffer->end);
    if (got < 0)
        return -1;
    buffer->end += (size_t)got;
    return 0;
}

/* Takes at most `size` bytes of the payload, and the mask off them. */
static ssize_t take(struct verd_websocket *socket, char *to, size_t size)
{
    struct verd__websocket_frame *frame = &socket->frame;
    if (size > frame->left)
        size = (size_t)frame->left;
    size_t there = verd__buffer_size(socket->buffer);
    if (there == 0 && size >= DIRECT) {
        ssize_t got = read_some(socket, to, size);
        if (got < 0)
            return -1;
        size = (size_t)got;
        verd__websocket_mask(to, to, size, frame->mask);
    } else {
        if (there == 0 && fill(socket) != 0)
            return -1;
        there = verd__buffer_size(socket->buffer);
        size = size < there ? size : there;
        verd__websocket_mask(to, verd__buffer_at(socket->buffer), size, frame->mask);
        verd__buffer_take(socket->buffer, size);
    }
    frame->left -= size;
    return (ssize_t)size;
}

/* ---- frames ---- */

/* The other side has not kept to the protocol: tells it so. */
static int refuse(struct verd_websocket *socket, int code, int error)
{
    tell(socket, code);
    return fail(error);
}

/* Reads the head of a frame, and begins what it begins. */
static int begin_frame(struct verd_websocket *socket)
{
    struct verd__websocket_frame *frame = &socket->frame;
    struct verd__buffer *buffer = socket->buffer;
    int head;
    while ((head = verd__websocket_parse(frame, verd__buffer_at(buffer), verd__buffer_size(buffer),
                                         socket->x != NULL)) == 0) {
        if (fill(socket) != 0)
            return -1;
    }
    if (head < 0)
        return refuse(socket, 1002, EBADMSG);
    verd__buffer_take(buffer, (size_t)head);
    if (verd__websocket_is_control(frame)) {
        socket->control.size = 0;
    } else {
        /* A message goes on if and only if one has begun. */
        if ((frame->opcode == VERD__WEBSOCKET_MORE) != (socket->type != 0))
            return refuse(socket, 1002, EBADMSG);
        if (frame->left > socket->most - socket->message.size)
            return refuse(socket, 1009, EMSGSIZE);
        if (frame->opcode != VERD__WEBSOCKET_MORE)
            socket->type = frame->opcode;
    }
    socket->in_frame = true;
    return 0;
}

static int read_control(struct verd_websocket *socket)
{
    struct verd__websocket_control *control = &socket->control;
    while (socket->frame.left > 0) {
        ssize_t got = take(socket, control->data + control->size, (size_t)socket->frame.left);
        if (got < 0)
            return -1;
        control->size += (size_t)got;
    }
    return 0;
}

/* Memory is taken as the bytes come, not as they are announced. */
static int read_data(struct verd_websocket *socket)
{
    struct verd__text *message = &socket->message;
    do {
        if (!verd__text_reserve(message, 2)) {
            message->failed = false;
            return fail(ENOMEM);
        }
        char *to = message->data + message->size;
        ssize_t got = 0;
        if (socket->frame.left > 0)
            got = take(socket, to, message->room - message->size - 1);
        if (got < 0)
            return -1;
        if (socket->type == VERD_WEBSOCKET_TEXT &&
            !verd__utf8_check(&socket->utf8, to, (size_t)got))
            return refuse(socket, 1007, EBADMSG);
        message->size += (size_t)got;
    } while (socket->frame.left > 0);
    return 0;
}

/* The other side closes: it is answered in kind. */
static int end_by_close(struct verd_websocket *socket)
{
    const unsigned char *data = (unsigned char *)socket->control.data;
    size_t size = socket->control.size;
    int code = size >= 2 ? data[0] << 8 | data[1] : 0;
    if (size == 1 || (size >= 2 && !verd__websocket_is_code(code)))
        return refuse(socket, 1002, EBADMSG);
    if (size > 2 && !verd__is_utf8(socket->control.data + 2, size - 2))
        return refuse(socket, 1007, EBADMSG);
    socket->closed = true;
    socket->code = code != 0 ? code : 1005;
    if (size > 2)
        memcpy(socket->reason, data + 2, size - 2);
    refuse(socket, code, 0);
    return 0;
}

/* A frame is there. Returns 1: with it a message; 0: with it none; -1 and errno */
static int end_frame(struct verd_websocket *socket)
{
    socket->in_frame = false;
    switch ((enum verd__websocket_opcode)socket->frame.opcode) {
    case VERD__WEBSOCKET_CLOSE:
        return end_by_close(socket);
    case VERD__WEBSOCKET_PING:
        verd__websocket_pong(socket);
        return 0;
    case VERD__WEBSOCKET_PONG:
        return 0;
    case VERD__WEBSOCKET_MORE:
    case VERD__WEBSOCKET_TEXT:
    case VERD__WEBSOCKET_BINARY:
        break;
    }
    if (!socket->frame.last)
        return 0;
    if (socket->type == VERD_WEBSOCKET_TEXT && socket->utf8.missing > 0)
        return refuse(socket, 1007, EBADMSG);
    return 1;
}

/* ---- messages ---- */

/* What was delivered is forgotten, and the next may come. */
static void begin_message(struct verd_websocket *socket)
{
    if (!socket->delivered)
        return;
    socket->delivered = false;
    socket->type = 0;
    socket->utf8 = (struct verd__utf8){0, 0, 0};
    socket->message.size = 0;
    if (socket->message.room > KEEP_MAX)
        verd__text_free(&socket->message);
}

/* Returns as verd_websocket_receive. */
static int receive_message(struct verd_websocket *socket)
{
    int result = 0;
    begin_message(socket);
    while (result == 0 && !socket->closed) {
        if (!socket->in_frame && begin_frame(socket) != 0)
            return -1;
        if ((verd__websocket_is_control(&socket->frame) ? read_control : read_data)(socket) != 0)
            return -1;
        result = end_frame(socket);
    }
    return result;
}

static void deliver(struct verd_websocket *socket, verd_websocket_message *message)
{
    socket->delivered = true;
    socket->message.data[socket->message.size] = '\0';
    message->type = (enum verd_websocket_type)socket->type;
    message->data = socket->message.data;
    message->size = socket->message.size;
}

static void receive_no_more(struct verd__obligation *obligation)
{
    VERD__CONTAINER_OF(obligation, struct verd_websocket, receives)->receiving = false;
}

int verd_websocket_receive(verd_websocket *socket, verd_websocket_message *message)
{
    if (verd__websocket_check(socket) != 0)
        return -1;
    if (!verd__may_wait(verd__current))
        return verd__refuse(0);
    if (socket->receiving || socket->error != 0)
        return verd__refuse(socket->receiving ? EBUSY : socket->error);
    socket->receiving = true;
    verd__obligation_begin(verd__current, &socket->receives, receive_no_more);
    int result = receive_message(socket);
    verd__obligation_settle(verd__current, &socket->receives);
    if (result < 0 && !verd__websocket_may_go_on(errno))
        socket->error = errno;
    if (result > 0)
        deliver(socket, message);
    return verd__done(verd__current, result);
}
