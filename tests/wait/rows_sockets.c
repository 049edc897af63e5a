/* SPDX-License-Identifier: MIT */
/* Descriptors: what is read is a byte that the main thread sends, what is written finds room when the main
 * thread has read all there is. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "table.h"

static int fds[2]; /* the subject's and the main thread's end */
static char byte;

/* ---- worlds ---- */

static void empty_pair(void)
{
    make_pair(fds);
}

static void empty_foreign_pair(void)
{
    make_foreign_pair(fds);
}

static void empty_tcp(void)
{
    make_tcp_pair(fds);
}

static void empty_datagrams(void)
{
    must(verd_socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0, "verd_socketpair");
}

static void empty_pipe(void)
{
    must(verd_pipe(fds) == 0, "verd_pipe");
}

static void empty_foreign_pipe(void)
{
    must(pipe(fds) == 0, "pipe");
}

static void full_pair(void)
{
    make_pair(fds);
    fill(fds[0]);
}

static void full_foreign_pair(void)
{
    make_foreign_pair(fds);
    fill(fds[0]);
}

/* The pipe's writer is fds[0] here. */
static void turn_round(void)
{
    int reader = fds[0];
    fds[0] = fds[1];
    fds[1] = reader;
    fill(fds[0]);
}

static void full_pipe(void)
{
    empty_pipe();
    turn_round();
}

static void full_foreign_pipe(void)
{
    empty_foreign_pipe();
    turn_round();
}

/* ---- input ---- */

static void send_byte(void)
{
    must(write(fds[1], "x", 1) == 1, "write");
}

/* Over TCP the kernel may take its time. */
static void await_byte(void)
{
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    must(poll(&poller, 1, -1) == 1, "poll");
}

/* The byte that was read. */
static intptr_t byte_of(ssize_t result)
{
    return result == 1 ? byte : result_of(result);
}

static intptr_t read_byte(void)
{
    return byte_of(verd_read(fds[0], &byte, 1));
}

static intptr_t readv_byte(void)
{
    struct iovec vector = {&byte, 1};
    return byte_of(verd_readv(fds[0], &vector, 1));
}

static intptr_t recv_byte(void)
{
    return byte_of(verd_recv(fds[0], &byte, 1, 0));
}

static intptr_t recv_all(void)
{
    return byte_of(verd_recv(fds[0], &byte, 1, MSG_WAITALL));
}

static intptr_t recvfrom_byte(void)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    return byte_of(
        verd_recvfrom(fds[0], &byte, 1, 0, (struct sockaddr *)(void *)&address, &length));
}

static intptr_t recvmsg_byte(void)
{
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return byte_of(verd_recvmsg(fds[0], &message, 0));
}

static intptr_t read_full(void)
{
    size_t done = 0;
    intptr_t result = byte_of(verd_read_full(fds[0], &byte, 1, &done));
    must((done == 1) == (result >= 0), "what was read, as told");
    return result;
}

static intptr_t stream_read(void)
{
    verd_stream stream = verd_stream_of(fds[0]);
    return byte_of(verd_stream_read(&stream, &byte, 1));
}

static bool has(int count)
{
    int there = 0;
    return ioctl(fds[0], FIONREAD, &there) == 0 && there == count;
}

static bool has_nothing(void)
{
    return has(0);
}

static bool has_a_byte(void)
{
    return has(1) && read(fds[0], &byte, 1) == 1;
}

/* ---- output ---- */

static void make_room(void)
{
    drain(fds[1]);
}

static intptr_t write_byte(void)
{
    return result_of(verd_write(fds[0], "y", 1));
}

static intptr_t writev_byte(void)
{
    struct iovec vector = {"y", 1};
    return result_of(verd_writev(fds[0], &vector, 1));
}

static intptr_t send_out(void)
{
    return result_of(verd_send(fds[0], "y", 1, 0));
}

static intptr_t sendto_out(void)
{
    return result_of(verd_sendto(fds[0], "y", 1, 0, NULL, 0));
}

static intptr_t sendmsg_out(void)
{
    struct iovec vector = {"y", 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return result_of(verd_sendmsg(fds[0], &message, 0));
}

static intptr_t write_full(void)
{
    size_t done = 0;
    intptr_t result = result_of(verd_write_full(fds[0], "y", 1, &done));
    must((done == 1) == (result >= 0), "what was written, as told");
    return result;
}

static intptr_t writev_full(void)
{
    struct iovec vector[] = {{"y", 1}, {NULL, 0}};
    size_t done = 0;
    intptr_t result = result_of(verd_writev_full(fds[0], vector, 2, &done));
    must((done == 1) == (result >= 0), "what was written, as told");
    return result;
}

static intptr_t sendfile_out(void)
{
    static int file = -1;
    off_t offset = 0;
    char name[] = "/tmp/verd-wait-XXXXXX";
    if (file < 0) {
        file = mkstemp(name);
        must(file >= 0 && unlink(name) == 0 && write(file, "y", 1) == 1, "a file");
    }
    intptr_t result = result_of(verd_sendfile(fds[0], file, &offset, 1));
    must(offset == (result == 1), "the offset");
    return result;
}

static intptr_t stream_write(void)
{
    verd_stream stream = verd_stream_of(fds[0]);
    return result_of(verd_stream_write(&stream, "y", 1));
}

static intptr_t stream_writev(void)
{
    verd_stream stream = verd_stream_of(fds[0]);
    struct iovec vector = {"y", 1};
    return result_of(verd_stream_writev(&stream, &vector, 1));
}

static intptr_t stream_write_full(void)
{
    verd_stream stream = verd_stream_of(fds[0]);
    return verd_stream_write_full(&stream, "y", 1) == 0 ? 1 : -errno;
}

static intptr_t stream_writev_full(void)
{
    verd_stream stream = verd_stream_of(fds[0]);
    struct iovec vector = {"y", 1};
    return verd_stream_writev_full(&stream, &vector, 1) == 0 ? 1 : -errno;
}

static bool one_was_written(void)
{
    return drain(fds[1]) == 1;
}

/* ---- readiness ---- */

static intptr_t wait_for_input(void)
{
    return result_of(verd_wait_fd(fds[0], POLLIN));
}

static intptr_t wait_for_output(void)
{
    return result_of(verd_wait_fd(fds[0], POLLOUT));
}

static intptr_t poll_input(void)
{
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    return result_of(verd_poll(&poller, 1, -1));
}

/* With a time of its own that is not over. */
static intptr_t poll_for_an_hour(void)
{
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    return result_of(verd_poll(&poller, 1, 3600 * 1000));
}

static intptr_t close_it(void)
{
    return result_of(verd_close(fds[0]));
}

/* What the call gives after the event, and what is there to be read afterwards. */
#define INPUT_AS(name, what, world, call_, result, account, closed, traits_) \
    {.call = name,                                                           \
     .when = what,                                                           \
     .setup = world,                                                         \
     .make = call_,                                                          \
     .right = result,                                                        \
     .provoke = send_byte,                                                   \
     .arrive = await_byte,                                                   \
     .untouched = has_nothing,                                               \
     .whole = account,                                                       \
     .traits = ALONE | (traits_),                                            \
     .discard = close_it,                                                    \
     .discarded = closed}
#define INPUT_WITH(name, what, world, call_, traits_) \
    INPUT_AS(name, what, world, call_, 'x', has_nothing, -EBADF, traits_)
#define INPUT(name, what, world, call_) INPUT_WITH(name, what, world, call_, 0)

#define OUTPUT_AS(name, what, world, call_, result, event, account, traits_) \
    {.call = name,                                                           \
     .when = what,                                                           \
     .setup = world,                                                         \
     .make = call_,                                                          \
     .right = result,                                                        \
     .provoke = event,                                                       \
     .whole = account,                                                       \
     .traits = ALONE | (traits_),                                            \
     .discard = close_it,                                                    \
     .discarded = -EBADF}
#define OUTPUT_WITH(name, what, world, call_, traits_) \
    OUTPUT_AS(name, what, world, call_, 1, make_room, one_was_written, traits_)
#define OUTPUT(name, what, world, call_) OUTPUT_WITH(name, what, world, call_, 0)

static const struct row rows[] = {
    INPUT("verd_read", "bytes of a socket", empty_pair, read_byte),
    INPUT("verd_read", "bytes of a socket made elsewhere", empty_foreign_pair, read_byte),
    INPUT("verd_read", "bytes over TCP", empty_tcp, read_byte),
    INPUT("verd_read", "bytes of a pipe", empty_pipe, read_byte),
    INPUT_WITH("verd_read", "bytes of a pipe made elsewhere", empty_foreign_pipe, read_byte,
               NOWAIT),
    INPUT("verd_readv", "bytes of a socket", empty_pair, readv_byte),
    INPUT("verd_readv", "bytes of a pipe", empty_pipe, readv_byte),
    INPUT("verd_recv", "bytes", empty_pair, recv_byte),
    INPUT("verd_recv", "all bytes", empty_pair, recv_all),
    INPUT("verd_recv", "a datagram", empty_datagrams, recv_byte),
    INPUT("verd_recvfrom", "a datagram", empty_datagrams, recvfrom_byte),
    INPUT("verd_recvmsg", "a message", empty_pair, recvmsg_byte),
    INPUT("verd_read_full", "bytes", empty_pair, read_full),
    INPUT("verd_stream_read", "bytes", empty_pair, stream_read),
    INPUT_AS("verd_wait_fd", "input", empty_pair, wait_for_input, POLLIN, has_a_byte, -EBADF, 0),
    INPUT_AS("verd_poll", "input", empty_foreign_pipe, poll_input, 1, has_a_byte, 1, 0),
    INPUT_AS("verd_poll", "input, for an hour", empty_pair, poll_for_an_hour, 1, has_a_byte, 1, 0),
    OUTPUT("verd_write", "room in a socket", full_pair, write_byte),
    OUTPUT("verd_write", "room in a socket made elsewhere", full_foreign_pair, write_byte),
    OUTPUT("verd_write", "room in a pipe", full_pipe, write_byte),
    OUTPUT_WITH("verd_write", "room in a pipe made elsewhere", full_foreign_pipe, write_byte,
                NOWAIT),
    OUTPUT("verd_writev", "room in a socket", full_pair, writev_byte),
    OUTPUT("verd_writev", "room in a pipe", full_pipe, writev_byte),
    OUTPUT("verd_send", "room", full_pair, send_out),
    OUTPUT("verd_sendto", "room", full_pair, sendto_out),
    OUTPUT("verd_sendmsg", "room", full_pair, sendmsg_out),
    OUTPUT("verd_write_full", "room", full_pair, write_full),
    OUTPUT("verd_writev_full", "room", full_pair, writev_full),
    OUTPUT_WITH("verd_sendfile", "room in a socket", full_pair, sendfile_out, NOWAIT),
    OUTPUT_WITH("verd_sendfile", "room in a pipe", full_pipe, sendfile_out, NOWAIT),
    OUTPUT("verd_stream_write", "room", full_pair, stream_write),
    OUTPUT("verd_stream_writev", "room", full_pair, stream_writev),
    OUTPUT("verd_stream_write_full", "room", full_pair, stream_write_full),
    OUTPUT("verd_stream_writev_full", "room", full_pair, stream_writev_full),
    OUTPUT_AS("verd_wait_fd", "output", full_pair, wait_for_output, POLLOUT, make_room, NULL, 0),
};

const struct rows rows_of_sockets = ROWS(rows);
