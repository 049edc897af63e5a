/* SPDX-License-Identifier: MIT */

/* Descriptor numbers that become another file: nobody hangs, and nobody gets the other's data. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

static char buffer[64];

/* How a number is closed, how it comes back, and whether the poll returned in between. */
struct history {
    int (*close)(int fd);
    bool ours;   /* remade by the library; else by socketpair(2) */
    bool polled; /* the hub looks between the two */
    bool data;   /* the old file has data when it is closed */
};

/* Gives the number another file. fds[0] is that number, fds[1] the new file's peer. */
static void remake(int fd, bool ours, int fds[2])
{
    if (ours)
        make_pair(fds);
    else
        make_foreign_pair(fds);
    if (fds[0] != fd) { /* the peer got it, or a lower one was free */
        dup2(fds[0], fd);
        fds[0] = fd;
    }
}

/* A reader waits on old[0] while that number becomes fds[0]. */
static void replace_under(struct call *reader, const struct history *history, int old[2],
                          int fds[2])
{
    make_pair(old);
    call_start(reader, call_read, old[0]);
    if (history->data)
        send(old[1], "old", 3, 0);
    history->close(old[0]);
    if (history->polled)
        settle();
    remake(old[0], history->ours, fds);
}

static const struct history histories[] = {
    {verd_close, true, false, false},  {verd_close, true, true, false},
    {verd_close, false, false, false}, {verd_close, false, true, false},
    {verd_close, true, false, true},   {verd_close, true, true, true},
    {verd_close, false, false, true},  {verd_close, false, true, true},
    {close, true, false, false},       {close, true, true, false},
    {close, false, false, false},      {close, false, true, false},
    {close, true, false, true},        {close, true, true, true},
    {close, false, false, true},       {close, false, true, true},
};
#define HISTORIES (sizeof histories / sizeof histories[0])

/* The old reader returns: with EBADF, or what it was woken for. */
static ssize_t old_outcome(const struct history *history)
{
    struct call reader = {0};
    int old[2], fds[2];
    replace_under(&reader, history, old, fds);
    ssize_t result = call_end(&reader);
    verd_close(old[1]);
    verd_close(fds[0]);
    verd_close(fds[1]);
    return result;
}

Test(io, a_reader_whose_number_became_another_file_gets_EBADF)
{
    with_audits();
    for (size_t i = 0; i < HISTORIES; i++)
        cr_expect_eq(old_outcome(&histories[i]), -EBADF, "history %zu", i);
}

/* What a new reader of the number gets, when the new file has "new". */
static ssize_t new_outcome(const struct history *history)
{
    struct call reader = {0}, next = {0};
    int old[2], fds[2];
    replace_under(&reader, history, old, fds);
    call_start(&next, call_read, fds[0]);
    verd_write(fds[1], "fresh", 5);
    ssize_t result = call_end(&next);
    call_end(&reader);
    verd_close(old[1]);
    verd_close(fds[0]);
    verd_close(fds[1]);
    return result;
}

Test(io, a_new_reader_of_a_reused_number_gets_the_new_data)
{
    with_audits();
    for (size_t i = 0; i < HISTORIES; i++)
        cr_expect_eq(new_outcome(&histories[i]), 5, "history %zu", i);
}

/* Whether the number's new file is read when the number is reused after the reader is through.
 * After a plain close of what was the library's own, one call may be EBADF: whether it began before
 * the change of files or after it cannot be told. */
static bool is_read_later(const struct history *history)
{
    struct call reader = {0};
    int old[2], fds[2];
    make_pair(old);
    call_start(&reader, call_read, old[0]);
    verd_write(old[1], "x", 1);
    call_end(&reader);
    history->close(old[0]);
    if (history->polled)
        settle();
    remake(old[0], history->ours, fds);
    call_start(&reader, call_read, fds[0]);
    settle();
    verd_write(fds[1], "fresh", 5);
    ssize_t result = call_end(&reader);
    if (result == -EBADF && history->close == close && !history->ours)
        result = outcome(verd_read(fds[0], buffer, sizeof buffer));
    verd_close(old[1]);
    verd_close(fds[0]);
    verd_close(fds[1]);
    return result == 5;
}

Test(io, a_number_reused_between_two_reads_gives_the_new_data)
{
    with_audits();
    for (size_t i = 0; i < HISTORIES; i++)
        cr_expect(is_read_later(&histories[i]), "history %zu", i);
}

Test(io, a_waiting_reader_gets_no_data_of_the_file_put_over_its_own)
{
    int fds[2], others[2];
    struct call reader = {0};
    with_audits();
    make_foreign_pair(fds);
    make_foreign_pair(others);
    call_start(&reader, call_read, fds[0]);
    dup2(others[0], fds[0]);
    send(others[1], "others", 6, 0);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_waiting_reader_gets_no_data_when_a_writer_waits_on_the_new_file)
{
    int fds[2], others[2];
    struct call reader = {0}, writer = {.size = 1};
    with_audits();
    make_foreign_pair(fds);
    make_foreign_pair(others);
    call_start(&reader, call_read, fds[0]);
    dup2(others[0], fds[0]);
    fill(others[0]);
    call_start(&writer, call_write, fds[0]);
    send(others[1], "others", 6, 0);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_writer_of_the_new_file_is_served_although_a_reader_waits_for_the_old_one)
{
    int fds[2], others[2];
    struct call reader = {0}, writer = {.size = 1};
    make_foreign_pair(fds);
    make_foreign_pair(others);
    call_start(&reader, call_read, fds[0]);
    dup2(others[0], fds[0]);
    fill(others[0]);
    call_start(&writer, call_write, fds[0]);
    drain(others[1]);
    cr_assert_eq(call_end(&writer), 1);
}

/* The record says that there is nothing to be read, so the new reader begins with a wait. */
Test(io, an_emptied_number_that_became_another_file_is_read)
{
    int ours[2], others[2];
    struct call reader = {0};
    with_audits();
    make_tcp_pair(ours);
    call_start(&reader, call_read, ours[0]);
    verd_write(ours[1], "x", 1);
    call_end(&reader);
    make_foreign_pair(others);
    dup2(others[0], ours[0]);
    call_start(&reader, call_read, ours[0]);
    verd_write(others[1], "fresh", 5);
    cr_assert_eq(call_end(&reader), 5);
}

Test(io, a_pipes_number_that_became_a_socket_takes_recv)
{
    int pipe_fds[2], fds[2];
    struct call reader = {0};
    cr_assert_eq(pipe(pipe_fds), 0);
    verd_write(pipe_fds[1], "x", 1);
    verd_read(pipe_fds[0], buffer, 1);
    make_foreign_pair(fds);
    dup2(fds[0], pipe_fds[0]);
    call_start(&reader, call_recv, pipe_fds[0]);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_pipes_number_that_became_a_socket_keeps_long_messages_whole)
{
    static char message[8000], received[16000];
    int pipe_fds[2], fds[2];
    cr_assert_eq(pipe(pipe_fds), 0);
    verd_write(pipe_fds[1], "x", 1);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    dup2(fds[0], pipe_fds[1]);
    verd_write(pipe_fds[1], message, sizeof message);
    cr_assert_eq(verd_read(fds[1], received, sizeof received), sizeof message);
}

Test(io, a_sockets_number_that_became_a_pipe_is_read)
{
    int fds[2], pipe_fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_read(fds[0], buffer, 1);
    cr_assert_eq(pipe(pipe_fds), 0);
    dup2(pipe_fds[0], fds[0]);
    call_start(&reader, call_read, fds[0]);
    verd_write(pipe_fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

/* The library's own pipes and sockets do not block; the new file under the number does. */
Test(io, a_number_of_ours_that_became_a_blocking_pipe_does_not_block_the_others)
{
    int ours[2], fds[2];
    struct call reader = {0};
    verd_pipe(ours);
    cr_assert_eq(pipe(fds), 0);
    dup2(fds[0], ours[0]);
    call_start(&reader, call_read, ours[0]);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_socket_number_of_ours_that_became_a_blocking_pipe_does_not_block_the_others)
{
    int ours[2], fds[2];
    struct call reader = {0};
    make_pair(ours);
    cr_assert_eq(pipe(fds), 0);
    dup2(fds[0], ours[0]);
    call_start(&reader, call_read, ours[0]);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_number_of_ours_that_became_a_blocking_full_pipe_does_not_block_the_others)
{
    int ours[2], fds[2];
    struct call writer = {.size = 1};
    verd_pipe(ours);
    cr_assert_eq(pipe(fds), 0);
    fill(fds[1]);
    dup2(fds[1], ours[1]);
    call_start(&writer, call_write, ours[1]);
    drain(fds[0]);
    cr_assert_eq(call_end(&writer), 1);
}

/* As above: the first call may be EBADF, and must not hang. */
Test(io, a_registered_number_that_became_another_full_socket_is_written)
{
    int ours[2], others[2];
    struct call reader = {0}, writer = {.size = 1};
    with_audits();
    make_pair(ours);
    call_start(&reader, call_read, ours[0]);
    verd_write(ours[1], "x", 1);
    call_end(&reader);
    make_foreign_pair(others);
    dup2(others[0], ours[0]);
    fill(ours[0]);
    call_start(&writer, call_write, ours[0]);
    drain(others[1]);
    ssize_t result = call_end(&writer);
    if (result == -EBADF)
        result = outcome(verd_write(ours[0], "x", 1));
    cr_assert_eq(result, 1);
}

Test(io, a_listeners_number_that_became_a_blocking_listener_does_not_block_the_others)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int other = socket(AF_INET, SOCK_STREAM, 0);
    bind(other, (struct sockaddr *)&address, sizeof address);
    listen(other, 5);
    dup2(other, listener);
    call_start(&accepter, call_accept, listener);
    int client = verd_connect("127.0.0.1", verd_port(other));
    verd_write(client, "x", 1);
    cr_assert_eq(verd_read((int)call_end(&accepter), buffer, 1), 1);
}

/* A disk file has no readiness to wait for, whether or not it is in the system's cache. */
Test(io, a_number_of_ours_that_became_a_disk_file_is_read)
{
    char name[] = "/var/tmp/verd-net-XXXXXX";
    int ours[2], file = mkstemp(name);
    cr_assert_geq(file, 0);
    unlink(name);
    cr_assert_eq(write(file, "text", 4), 4);
    lseek(file, 0, SEEK_SET);
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    verd_pipe(ours);
    dup2(file, ours[0]);
    cr_assert_eq(verd_read(ours[0], buffer, sizeof buffer), 4);
}
