/* SPDX-License-Identifier: MIT */
#include "http/pace.h"

#include <errno.h>
#include <stddef.h>

#include <netinet/in.h>
#include <sys/socket.h>

/* Of glibc's own struct tcp_info the end is missing; musl comes without the kernel's headers. */
#if __has_include(<linux/tcp.h>)
#include <linux/tcp.h>
#else
#include <netinet/tcp.h>
#endif

#include "http/server.h"
#include "io/vector.h"

/* The patience is spent in so many slices, behind each of which there is a look at how things are. */
#define SLICES 4

/* Bytes that are counted at once: more of them would overflow, and are enough. */
#define COUNT_MAX ((uint64_t)INT32_MAX)

/* What is to be read, or written. */
struct transfer {
    void *buffer; /* NULL: the vector is written */
    size_t size;
    const struct iovec *vector;
    int count;
};

static ssize_t move(const struct verd__connection *c, const struct transfer *transfer)
{
    if (transfer->buffer != NULL)
        return verd_stream_read(&c->stream, transfer->buffer, transfer->size);
    return verd_stream_writev(&c->stream, transfer->vector, transfer->count);
}

/* The client has moved so many bytes. */
static void earn(struct verd__connection *c, uint64_t bytes)
{
    const verd_http_options *options = &c->server->options;
    uint64_t count = bytes < COUNT_MAX ? bytes : COUNT_MAX;
    verd_duration earned = (verd_duration)(count * (uint64_t)VERD_SEC / options->rate);
    verd_duration lacking = options->stall_time - c->pace.patience;
    c->pace.patience += earned < lacking ? earned : lacking;
}

bool verd__pace_look(const verd_stream *stream, uint64_t *taken)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (stream->fd < 0 || getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return false;
    *taken = info.tcpi_bytes_acked;
    return true;
}

/* Nothing could be written for a slice: but what was written before may be on its way, and be taken. How much
 * of it was since the last look; 0 of other sockets than TCP's. */
static uint64_t look(struct verd__connection *c)
{
    uint64_t before = c->pace.taken;
    if (!verd__pace_look(&c->stream, &c->pace.taken))
        return 0;
    uint64_t taken = c->pace.looked ? c->pace.taken - before : 0;
    c->pace.looked = true;
    return taken;
}

/* A slice is over. Returns whether to go on waiting. */
static bool go_on(struct verd__connection *c, const struct transfer *transfer)
{
    bool first = !c->pace.looked;
    uint64_t taken = transfer->buffer == NULL ? look(c) : 0;
    earn(c, taken);
    if (c->pace.patience <= 0 || c->expendable.asked)
        return false;
    if (taken > 0 || (transfer->buffer == NULL && first && c->pace.looked))
        return true; /* it gets on, or that is not known yet */
    return verd__connection_is_expendable(c, &c->slice);
}

/* It may have been too slow to send, and yet listen: it has a slice for what it is told. */
static ssize_t fail_slowly(struct verd__connection *c)
{
    c->pace.slow = true;
    c->pace.patience = c->server->options.stall_time / SLICES + 1;
    errno = ETIMEDOUT;
    return -1;
}

/* One slice of waiting. Returns what came of it; *over: there is another. */
static ssize_t move_within_slice(struct verd__connection *c, const struct transfer *transfer,
                                 bool *over)
{
    verd_duration slice = c->server->options.stall_time / SLICES;
    verd_timeout_begin(&c->slice, slice < c->pace.patience ? slice : c->pace.patience);
    verd_duration begun = verd__current->clock;
    ssize_t moved = move(c, transfer);
    int error = errno;
    *over = verd_timeout_end(&c->slice) && moved < 0 && error == ETIMEDOUT;
    c->pace.patience -= verd__current->clock - begun;
    errno = error;
    return moved;
}

/* Reads or writes some bytes. */
static ssize_t move_at_pace(struct verd__connection *c, const struct transfer *transfer)
{
    bool over = false;
    if (c->pace.off || c->server->options.stall_time == VERD_FOREVER)
        return move(c, transfer);
    for (;;) {
        ssize_t moved = move_within_slice(c, transfer, &over);
        if (moved > 0)
            earn(c, (uint64_t)moved);
        if (!over || !go_on(c, transfer)) {
            verd__connection_is_needed(c);
            return over ? fail_slowly(c) : moved;
        }
    }
}

static ssize_t read_at_pace(void *ctx, void *buffer, size_t size)
{
    const struct transfer transfer = {.buffer = buffer, .size = size};
    return move_at_pace(ctx, &transfer);
}

static const verd_stream_ops ops = {.read = read_at_pace};

verd_stream verd__pace_stream(struct verd__connection *connection)
{
    return (verd_stream){.fd = connection->stream.fd, .ops = &ops, .ctx = connection};
}

void verd__pace_begin(struct verd__connection *connection)
{
    connection->pace.patience = connection->server->options.stall_time;
    connection->pace.looked = false;
}

int verd__pace_write(struct verd__connection *connection, struct iovec *vector, int count)
{
    verd__vector_advance(&vector, &count, 0);
    while (count > 0) {
        const struct transfer transfer = {.vector = vector, .count = count};
        ssize_t written = move_at_pace(connection, &transfer);
        if (written < 0)
            return -1;
        verd__vector_advance(&vector, &count, (size_t)written);
    }
    return 0;
}
