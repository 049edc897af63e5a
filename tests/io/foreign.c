/* SPDX-License-Identifier: MIT */

/* Descriptors made elsewhere, blocking ones too: they suspend the green thread and nobody else. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call.h"

/* What would have blocked the OS thread hangs these tests: the main thread is the other end. */

Test(io, a_read_of_a_blocking_pipe_lets_others_run)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(pipe(fds), 0);
    call_start(&reader, call_read, fds[0]);
    write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_read_of_a_blocking_socket_lets_others_run)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    call_start(&reader, call_read, fds[0]);
    write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_write_to_a_blocking_full_pipe_lets_others_run)
{
    int fds[2];
    struct call writer = {.size = 4};
    cr_assert_eq(pipe(fds), 0);
    fill(fds[1]);
    call_start(&writer, call_write, fds[1]);
    drain(fds[0]);
    cr_assert_eq(call_end(&writer), 4);
}

Test(io, a_write_to_a_blocking_full_socket_lets_others_run)
{
    int fds[2];
    struct call writer = {.size = 4};
    make_foreign_pair(fds);
    fill(fds[1]);
    call_start(&writer, call_write, fds[1]);
    drain(fds[0]);
    cr_assert_eq(call_end(&writer), 4);
}

Test(io, a_blocking_eventfd_lets_others_run)
{
    int fd = eventfd(0, 0);
    struct call reader = {0};
    call_start(&reader, call_read, fd);
    eventfd_write(fd, 1);
    cr_assert_eq(call_end(&reader), sizeof(eventfd_t));
}

Test(io, the_flags_of_a_blocking_descriptor_stay_as_they_were)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    call_start(&reader, call_read, fds[0]);
    int flags = fcntl(fds[0], F_GETFL);
    write(fds[1], "data", 4);
    call_end(&reader);
    cr_assert(!(flags & O_NONBLOCK) && !(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
}

Test(io, the_flags_of_a_blocking_pipe_stay_as_they_were)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(pipe(fds), 0);
    call_start(&reader, call_read, fds[0]);
    int flags = fcntl(fds[0], F_GETFL);
    write(fds[1], "data", 4);
    call_end(&reader);
    cr_assert(!(flags & O_NONBLOCK) && !(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
}

Test(io, a_foreign_nonblocking_pipe_is_waited_for)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
    call_start(&reader, call_read, fds[0]);
    write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_vector_written_to_a_blocking_pipe_makes_progress_past_an_empty_part)
{
    static char text[10000];
    int fds[2];
    struct iovec parts[2] = {{text, 0}, {text, sizeof text}};
    cr_assert_eq(pipe(fds), 0);
    cr_assert_gt(outcome(verd_writev(fds[1], parts, 2)), 0);
}

/* The library does its own part of the reading while the owner reads plainly, too. */
Test(io, a_descriptor_may_be_read_plainly_between_two_reads)
{
    int fds[2];
    char buffer[64];
    struct call reader = {0};
    make_tcp_pair(fds);
    verd_write(fds[1], "one", 3);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_write(fds[1], "two", 3);
    verd_wait_fd(fds[0], POLLIN);
    read(fds[0], buffer, sizeof buffer);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "three", 5);
    cr_assert_eq(call_end(&reader), 5);
}

Test(io, a_reader_woken_for_what_someone_else_took_waits_on)
{
    int fds[2];
    char byte;
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "x", 1, 0);
    verd_yield(); /* the reader can run now, behind this thread */
    recv(fds[0], &byte, 1, MSG_DONTWAIT);
    settle();
    send(fds[1], "yy", 2, 0);
    cr_assert_eq(call_end(&reader), 2);
}
