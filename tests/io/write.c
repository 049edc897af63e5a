/* SPDX-License-Identifier: MIT */

/* Large writes, and writes to nobody. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define LARGE ((size_t)1024 * 1024)

static unsigned char sent[LARGE], received[LARGE];

static ssize_t write_large(struct call *call)
{
    for (size_t i = 0; i < LARGE; i++)
        sent[i] = (unsigned char)(i * 7 + i / 251);
    return verd_write_full(call->fd, sent, LARGE, NULL);
}

/* Whether all comes through, however small the buffers between. */
static bool passes(int out, int in)
{
    struct call writer = {0};
    call_start(&writer, write_large, out);
    ssize_t n = verd_read_full(in, received, LARGE, NULL);
    return n == (ssize_t)LARGE && call_end(&writer) == (ssize_t)LARGE &&
           memcmp(sent, received, LARGE) == 0;
}

static void shrink(int fd)
{
    int size = 2048;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

Test(io, a_large_write_passes_a_small_socket)
{
    int fds[2];
    make_pair(fds);
    shrink(fds[1]);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, a_large_write_passes_a_small_blocking_socket)
{
    int fds[2];
    make_foreign_pair(fds);
    shrink(fds[1]);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, a_large_write_passes_a_TCP_connection)
{
    int fds[2];
    make_tcp_pair(fds);
    shrink(fds[1]);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, a_large_write_passes_a_small_pipe)
{
    int fds[2];
    verd_pipe(fds);
    fcntl(fds[1], F_SETPIPE_SZ, 4096);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, a_large_write_passes_a_small_blocking_pipe)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    fcntl(fds[1], F_SETPIPE_SZ, 4096);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, a_large_write_passes_a_small_foreign_nonblocking_pipe)
{
    int fds[2];
    cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
    fcntl(fds[1], F_SETPIPE_SZ, 4096);
    cr_assert(passes(fds[1], fds[0]));
}

/* SIGPIPE has its default action here: a signal would end the test. */

Test(io, writing_to_a_closed_socket_is_EPIPE)
{
    int fds[2];
    make_pair(fds);
    verd_close(fds[0]);
    cr_assert_eq(outcome(verd_write(fds[1], "x", 1)), -EPIPE);
}

Test(io, writing_to_a_closed_blocking_socket_is_EPIPE)
{
    int fds[2];
    make_foreign_pair(fds);
    close(fds[0]);
    cr_assert_eq(outcome(verd_write(fds[1], "x", 1)), -EPIPE);
}

Test(io, sending_to_a_closed_socket_is_EPIPE)
{
    int fds[2];
    make_pair(fds);
    verd_close(fds[0]);
    cr_assert_eq(outcome(verd_send(fds[1], "x", 1, 0)), -EPIPE);
}

Test(io, writev_to_a_closed_socket_is_EPIPE)
{
    int fds[2];
    struct iovec part = {sent, 10};
    make_foreign_pair(fds);
    close(fds[0]);
    cr_assert_eq(outcome(verd_writev(fds[1], &part, 1)), -EPIPE);
}

Test(io, sendmsg_to_a_closed_socket_is_EPIPE)
{
    int fds[2];
    struct iovec part = {sent, 10};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    make_foreign_pair(fds);
    close(fds[0]);
    cr_assert_eq(outcome(verd_sendmsg(fds[1], &message, 0)), -EPIPE);
}

Test(io, writing_to_a_closed_pipe_is_EPIPE)
{
    int fds[2];
    verd_pipe(fds);
    verd_close(fds[0]);
    cr_assert_eq(outcome(verd_write(fds[1], "x", 1)), -EPIPE);
}

Test(io, writing_to_a_closed_blocking_pipe_is_EPIPE)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    close(fds[0]);
    cr_assert_eq(outcome(verd_write(fds[1], "x", 1)), -EPIPE);
}

Test(io, a_closed_pipe_leaves_no_signal_pending)
{
    int fds[2];
    sigset_t pending, mask;
    verd_pipe(fds);
    verd_close(fds[0]);
    verd_write(fds[1], "x", 1);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    cr_assert(!sigismember(&pending, SIGPIPE) && !sigismember(&mask, SIGPIPE));
}

Test(io, a_SIGPIPE_that_was_pending_stays)
{
    int fds[2];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGPIPE);
    verd_pipe(fds);
    verd_close(fds[0]);
    verd_write(fds[1], "x", 1);
    sigpending(&set);
    cr_assert(sigismember(&set, SIGPIPE));
}

Test(io, write_full_to_a_peer_that_closes_on_the_way_is_EPIPE)
{
    int fds[2];
    struct call writer = {0};
    make_pair(fds);
    call_start(&writer, write_large, fds[1]);
    cr_assert_not(writer.returned);
    drain(fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(call_end(&writer), -EPIPE);
}
