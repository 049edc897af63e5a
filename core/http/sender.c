/* SPDX-License-Identifier: MIT */
#include "http/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <verd/http.h>
#include <verd/net.h>
#include <verd/time.h>

#include "http/chunk.h"

/* Who has read all of a body and answered it has let its sender end, but for that thread's turn. */
#define PATIENCE VERD_SEC

/* How a write has ended: 1 if the server takes no more, and may have said why. */
static int outcome(int result)
{
    return result != 0 && (errno == EPIPE || errno == ECONNRESET) ? 1 : result;
}

/* A part with what goes before it, and behind a chunk, in one system call. */
static int write_parts(const verd_stream *stream, const void *before, size_t before_size,
                       const void *part, size_t size, bool chunk)
{
    union {
        const void *given;
        void *taken;
    } parts[] = {{before}, {part}, {"\r\n"}};
    struct iovec vector[] = {
        {parts[0].taken, before_size},
        {parts[1].taken, size},
        {parts[2].taken, chunk ? 2 : 0},
    };
    return outcome(verd_stream_writev_full(stream, vector, 3));
}

int verd__send_head(const verd_stream *stream, const struct verd__text *head, const void *data,
                    size_t size)
{
    return write_parts(stream, head->data, head->size, data, size, false);
}

static ssize_t fail(int error)
{
    errno = error;
    return -1;
}

/* The next bytes of the source, at most `most`. 0: its end; -1 and errno */
static ssize_t ask_source(struct verd__sender *sender, size_t most)
{
    struct verd__outgoing *body = &sender->body;
    if (body->asked != NULL)
        *body->asked = true;
    sender->asking = true;
    errno = 0;
    ssize_t got = body->source(body->ctx, sender->piece, most);
    int error = errno;
    sender->asking = false;
    if (got < 0)
        return fail(error != 0 ? error : EIO);
    return (size_t)got <= most ? got : fail(EIO);
}

/* Takes the next piece of the body. Its size; 0: the end, which is to be said, of chunks; -1 and errno */
static ssize_t take_piece(struct verd__sender *sender)
{
    struct verd__outgoing *body = &sender->body;
    bool chunked = body->length == VERD_HTTP_CHUNKED;
    size_t most = sizeof sender->piece;
    ssize_t got;
    if (body->length < most)
        most = (size_t)body->length;
    if (body->data != NULL) {
        memcpy(sender->piece, body->data, most);
        body->data += most;
        got = (ssize_t)most;
    } else {
        got = ask_source(sender, most);
    }
    if (got < 0)
        return -1;
    if (!chunked)
        body->length -= (uint64_t)got;
    sender->last = chunked ? got == 0 : body->length == 0;
    return got > 0 || chunked ? got : fail(EIO);
}

static int write_piece(struct verd__sender *sender, size_t size)
{
    char line[VERD__CHUNK_LINE];
    bool chunked = sender->body.length == VERD_HTTP_CHUNKED;
    size_t before = chunked ? verd__chunk_line(line, size) : 0;
    sender->since = verd_now();
    int result = write_parts(sender->stream, line, before, sender->piece, size, chunked);
    sender->since = verd_now();
    return result;
}

/* 0, 1 or -1 as verd__send_head */
static int send_all(struct verd__sender *sender)
{
    while (!sender->last) {
        ssize_t size = take_piece(sender);
        int result = size >= 0 ? write_piece(sender, (size_t)size) : -1;
        if (result != 0)
            return result;
    }
    sender->sent = true;
    return 0;
}

/* Who waits for an answer to a request that cannot be completed, wakes by the stream's end. */
static void *run(void *arg)
{
    struct verd__sender *sender = arg;
    if (send_all(sender) < 0 && !verd_killed()) {
        sender->error = errno;
        verd_shutdown(sender->stream->fd, SHUT_RD);
    }
    sender->done = true;
    return NULL;
}

struct verd__sender *verd__sender_start(const struct verd__outgoing *body,
                                        const verd_stream *stream)
{
    struct verd__sender *sender = malloc(sizeof *sender);
    if (sender == NULL)
        return NULL;
    memset(sender, 0, offsetof(struct verd__sender, piece));
    sender->body = *body;
    sender->stream = stream;
    sender->since = verd_now();
    sender->thread = verd_spawn(run, sender);
    if (sender->thread != NULL)
        return sender;
    free(sender);
    return NULL;
}

int verd__sender_keep(struct verd__sender *sender)
{
    struct verd__outgoing *body = &sender->body;
    body->asked = NULL;
    if (body->data == NULL || body->length == 0)
        return 0;
    sender->copy = malloc((size_t)body->length);
    if (sender->copy == NULL)
        return -1;
    body->data = memcpy(sender->copy, body->data, (size_t)body->length);
    return 0;
}

verd_duration verd__sender_since(const struct verd__sender *sender)
{
    return sender->asking ? verd_now() : sender->since;
}

bool verd__sender_end(struct verd__sender *sender, bool patient)
{
    verd_timeout limit;
    int error = errno;
    if (patient && sender->last && !sender->done && verd_timeout_begin(&limit, PATIENCE) == 0) {
        verd_wait(sender->thread, NULL);
        verd_timeout_end(&limit);
    }
    if (!sender->done)
        verd_kill(sender->thread);
    verd_shield_begin();
    verd_join(sender->thread, NULL);
    verd_shield_end();
    bool sent = sender->sent;
    free(sender->copy);
    free(sender);
    errno = error;
    return sent;
}
