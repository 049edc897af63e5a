/* SPDX-License-Identifier: MIT */
/* Sockets and pipes within the process, and posts: every byte is read once or left, every post runs. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define PAIRS 3 /* the last one is a pipe */
#define CHUNK 3000
#define TRANSFER 40000

struct stream {
    int ends[2]; /* to read, to write */
    size_t written, read;
};

static struct stream streams[PAIRS];
static verd_hub *hub;
static unsigned posted, arrived;
static char bytes[TRANSFER];

static int make_pair(int ends[2])
{
    static const int room = 4096;
    int result = verd_socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    expect(result == 0, "no descriptors");
    return setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

static void open_streams(void)
{
    for (int i = 0; i < PAIRS; i++) {
        streams[i] = (struct stream){.written = 0};
        if (i < PAIRS - 1)
            make_pair(streams[i].ends);
        else
            expect(verd_pipe(streams[i].ends) == 0, "no descriptors");
    }
}

static void close_streams(void)
{
    for (int i = 0; i < PAIRS; i++) {
        expect(verd_close(streams[i].ends[0]) == 0, "a descriptor cannot be closed");
        expect(verd_close(streams[i].ends[1]) == 0, "a descriptor cannot be closed");
    }
}

static void begin(void)
{
    open_streams();
    for (size_t i = 0; i < TRANSFER; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    hub = verd_hub_open();
    expect(hub != NULL, "no memory for the hub's handle");
    posted = arrived = 0;
}

/* ---- what is shared: who comes second to read, gets EBUSY; who writes, gets in line ---- */

static ssize_t write_in_some_way(const struct stream *stream, size_t size, bool socket)
{
    char data[CHUNK] = {0};
    struct iovec vector[2] = {{data, size / 2}, {data, size - size / 2}};
    int fd = stream->ends[1];
    switch (chance(socket ? 3 : 2)) {
    case 0:
        return verd_write(fd, data, size);
    case 1:
        return verd_writev(fd, vector, 2);
    default:
        return verd_send(fd, data, size, 0);
    }
}

static ssize_t read_in_some_way(const struct stream *stream, size_t size, bool socket)
{
    char data[CHUNK];
    struct iovec vector[2] = {{data, size / 2}, {data, size - size / 2}};
    int fd = stream->ends[0];
    switch (chance(socket ? 3 : 2)) {
    case 0:
        return verd_read(fd, data, size);
    case 1:
        return verd_readv(fd, vector, 2);
    default:
        return verd_recv(fd, data, size, 0);
    }
}

static void use_stream(struct stream *stream, bool socket)
{
    size_t size = 1 + chance(CHUNK);
    int expected = due();
    ssize_t done;
    if (one_in(2)) {
        done = write_in_some_way(stream, size, socket);
        if (judged("verd_write", expected, done >= 0, 0))
            stream->written += (size_t)done;
    } else {
        done = read_in_some_way(stream, size, socket);
        if (judged("verd_read", expected, done >= 0, EBUSY))
            stream->read += (size_t)done;
    }
    expect(stream->read <= stream->written, "more was read than written");
}

static void await_readiness(void)
{
    struct pollfd pollers[PAIRS];
    const struct stream *one = &streams[chance(PAIRS)];
    int expected = due();
    if (one_in(2)) {
        judged("verd_wait_fd", expected, verd_wait_fd(one->ends[0], POLLIN) > 0, EBUSY);
        return;
    }
    for (int i = 0; i < PAIRS; i++)
        pollers[i] = (struct pollfd){.fd = streams[i].ends[0], .events = POLLIN};
    judged("verd_poll", expected, verd_poll(pollers, PAIRS, (int)chance(3)) >= 0, EBUSY);
}

static void count_arrival(void *arg)
{
    (void)arg;
    arrived++;
}

static void share(void)
{
    unsigned which = chance(PAIRS);
    if (one_in(5)) {
        await_readiness();
    } else if (one_in(5)) {
        expect(verd_post(hub, count_arrival, NULL) == 0, "verd_post");
        posted++;
    } else {
        use_stream(&streams[which], which < PAIRS - 1);
    }
}

/* ---- scenes ---- */

struct transfer {
    int fd;
    size_t size, done;
    char received[TRANSFER];
};

static void *write_all(void *arg)
{
    struct transfer *transfer = arg;
    linger();
    verd_write_full(transfer->fd, bytes, transfer->size, &transfer->done);
    return arg;
}

static void *read_all(void *arg)
{
    struct transfer *transfer = arg;
    linger();
    verd_read_full(transfer->fd, transfer->received, TRANSFER, &transfer->done);
    return arg;
}

/* Reads piece by piece, as far as it gets. Returns how far. */
static size_t read_pieces(int fd, char *buffer, size_t size)
{
    size_t total = 0, done;
    bool reading = true;
    while (total < size && reading) {
        size_t piece = 1 + chance(CHUNK);
        if (piece > size - total)
            piece = size - total;
        int expected = due();
        ssize_t got = verd_read_full(fd, buffer + total, piece, &done);
        reading = judged("verd_read_full", expected, got == (ssize_t)piece, 0);
        total += done;
    }
    return total;
}

/* What an interrupted read has not got, the next one gets. */
static void receive(void)
{
    struct transfer transfer = {.size = 1 + chance(TRANSFER)};
    char mine[TRANSFER];
    int ends[2];
    make_pair(ends);
    transfer.fd = ends[1];
    verd_thread *helper = hire(write_all, &transfer);
    size_t first = read_pieces(ends[0], mine, transfer.size);
    shield_begin();
    size_t rest = read_pieces(ends[0], mine + first, transfer.size - first);
    shield_end();
    dismiss(helper);
    expect(first + rest == transfer.size && transfer.done == transfer.size, "bytes were lost");
    expect(memcmp(mine, bytes, transfer.size) == 0, "bytes out of order");
    verd_close(ends[0]);
    verd_close(ends[1]);
}

/* What an interrupted write says it has written, is there, and no more. */
static void transmit(void)
{
    struct transfer transfer = {.size = 1 + chance(TRANSFER)};
    int ends[2];
    size_t written = 0;
    make_pair(ends);
    transfer.fd = ends[0];
    verd_thread *helper = hire(read_all, &transfer);
    int expected = due();
    ssize_t put = verd_write_full(ends[1], bytes, transfer.size, &written);
    judged("verd_write_full", expected, put == (ssize_t)transfer.size, 0);
    verd_close(ends[1]);
    dismiss(helper);
    expect(transfer.done == written, "bytes were lost, or came from nowhere");
    expect(memcmp(transfer.received, bytes, written) == 0, "bytes out of order");
    verd_close(ends[0]);
}

struct closing {
    int fd;
    bool reading, over, closed;
};

static void *close_under_reader(void *arg)
{
    struct closing *closing = arg;
    while (!closing->reading && !closing->over)
        verd_yield();
    linger();
    if (closing->reading) { /* else the number may be another file's by now */
        closing->closed = true;
        verd_close(closing->fd);
    }
    return arg;
}

static void be_closed(void)
{
    int ends[2];
    char byte;
    make_pair(ends);
    struct closing closing = {.fd = ends[0]};
    verd_thread *helper = hire(close_under_reader, &closing);
    verd_yield(); /* a fresh budget: the read begins at once */
    int expected = due();
    closing.reading = true;
    bool read = verd_read(ends[0], &byte, 1) >= 0;
    closing.reading = false;
    closing.over = true;
    judged("verd_read", expected, read, closing.closed ? EBADF : 0);
    dismiss(helper);
    expect(!read, "a read without bytes");
    if (!closing.closed)
        verd_close(ends[0]);
    verd_close(ends[1]);
}

static void *call(void *path)
{
    linger();
    int fd = verd_connect_unix(path);
    expect(fd >= 0, "verd_connect_unix");
    expect(verd_write(fd, "x", 1) == 1, "verd_write");
    verd_close(fd);
    return path;
}

/* A connection that an interrupted accept has not got, the next one gets. */
static void be_called(void)
{
    static unsigned number;
    char path[64], byte = 0;
    snprintf(path, sizeof path, "@verd-schedule-fuzz-%ld-%u", (long)getpid(), number++);
    int listener = verd_listen_unix(path, 0);
    expect(listener >= 0, "verd_listen_unix");
    verd_thread *helper = hire(call, path);
    int client = accept_one(listener);
    shield_begin();
    expect(verd_read(client, &byte, 1) == 1 && byte == 'x', "a connection was lost");
    shield_end();
    dismiss(helper);
    verd_close(client);
    verd_close(listener);
}

static void scene(void)
{
    static void (*const scenes[])(void) = {receive, transmit, be_closed, be_called};
    scenes[chance(sizeof scenes / sizeof *scenes)]();
}

/* ---- accounts ---- */

static void end(void)
{
    for (int i = 0; i < PAIRS; i++) {
        int left = 0;
        expect(ioctl(streams[i].ends[0], FIONREAD, &left) == 0, "FIONREAD");
        expect(streams[i].written == streams[i].read + (size_t)left, "bytes were lost in the end");
    }
    close_streams();
    for (int i = 0; i < 1000 && arrived < posted; i++)
        verd_sleep(VERD_US);
    expect(arrived == posted, "a post was lost, or has run twice");
    verd_hub_close(hub);
}

/* What the child has of the parent's streams is the parent's as well. Posts that nobody had taken are the
 * parent's alone. */
static void forked(void)
{
    close_streams();
    open_streams();
    posted = arrived = 0;
}

static void left(void)
{
    expect(verd_post(hub, count_arrival, NULL) != 0 && errno == EPIPE, "a post to who is gone");
    verd_hub_close(hub);
    close_streams();
}

const struct part fuzz_io = {
    .begin = begin, .share = share, .scene = scene, .end = end, .forked = forked, .left = left};
