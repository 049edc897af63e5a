/* SPDX-License-Identifier: MIT */

/* One thread may wait for input of a descriptor, and one for output. */
#include <criterion/criterion.h>
#include <poll.h>
#include <unistd.h>

#include "call.h"

Test(io, input_wakes_the_reader_and_not_the_writer)
{
    int fds[2];
    struct call reader = {0}, writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&reader, call_read, fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_write(fds[1], "x", 1);
    settle();
    cr_assert(reader.returned && !writer.returned);
}

Test(io, room_wakes_the_writer_and_not_the_reader)
{
    int fds[2];
    struct call reader = {0}, writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&reader, call_read, fds[0]);
    call_start(&writer, call_write, fds[0]);
    drain(fds[1]);
    settle();
    cr_assert(writer.returned && !reader.returned);
}

Test(io, a_reader_and_a_writer_of_one_descriptor_are_both_served)
{
    int fds[2];
    struct call reader = {0}, writer = {.size = 1};
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&reader), 1);
    while (!writer.returned) {
        drain(fds[1]);
        verd_yield();
    }
    cr_assert_eq(call_end(&writer), 1);
}

Test(io, a_second_reader_is_EBUSY)
{
    int fds[2];
    char byte;
    struct call first = {0};
    make_pair(fds);
    call_start(&first, call_read, fds[0]);
    cr_assert_eq(outcome(verd_read(fds[0], &byte, 1)), -EBUSY);
}

Test(io, a_second_reader_does_not_harm_the_first)
{
    int fds[2];
    struct call first = {0}, second = {0};
    make_pair(fds);
    call_start(&first, call_read, fds[0]);
    call_start(&second, call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&first), 1);
}

static ssize_t call_wait_output(struct call *call)
{
    return verd_wait_fd(call->fd, POLLOUT);
}

Test(io, a_writer_beside_one_who_waits_for_readiness_is_EBUSY)
{
    int fds[2];
    struct call first = {0};
    make_pair(fds);
    fill(fds[0]);
    call_start(&first, call_wait_output, fds[0]);
    cr_assert_eq(outcome(verd_write(fds[0], "x", 1)), -EBUSY);
}

Test(io, a_second_writer_does_not_harm_the_first)
{
    int fds[2];
    struct call first = {.size = 1}, second = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&first, call_write, fds[0]);
    call_start(&second, call_write, fds[0]);
    drain(fds[1]);
    cr_assert_eq(call_end(&first), 1);
}

Test(io, a_second_reader_of_a_foreign_descriptor_is_EBUSY)
{
    int fds[2];
    char byte;
    struct call first = {0};
    make_foreign_pair(fds);
    call_start(&first, call_read, fds[0]);
    cr_assert_eq(outcome(verd_read(fds[0], &byte, 1)), -EBUSY);
}

/* Whatever errno was left by what came before. */
Test(io, a_reader_of_a_foreign_descriptor_stays_when_someone_waits_for_room)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    fill(fds[0]);
    call_start(&reader, call_read, fds[0]);
    struct pollfd poller = {.fd = fds[0], .events = POLLOUT};
    errno = ENOENT;
    cr_assert_eq(verd_poll(&poller, 1, 1), 0);
    settle();
    cr_assert_not(reader.returned);
}

Test(io, a_second_accept_is_EBUSY)
{
    int port;
    int listener = make_listener(&port);
    struct call first = {0};
    call_start(&first, call_accept, listener);
    cr_assert_eq(outcome(verd_accept(listener, NULL, NULL)), -EBUSY);
}

Test(io, waiting_for_input_where_someone_reads_is_EBUSY)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    cr_assert_eq(outcome(verd_wait_fd(fds[0], POLLIN)), -EBUSY);
}

Test(io, reading_where_someone_polls_for_input_is_EBUSY)
{
    int fds[2];
    char byte;
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, call_poll_input, fds[0]);
    cr_assert_eq(outcome(verd_read(fds[0], &byte, 1)), -EBUSY);
}

Test(io, the_next_reader_may_wait_once_the_first_has_its_data)
{
    int fds[2];
    struct call first = {0}, second = {0};
    make_pair(fds);
    call_start(&first, call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&first);
    call_start(&second, call_read, fds[0]);
    verd_write(fds[1], "yy", 2);
    cr_assert_eq(call_end(&second), 2);
}

Test(io, readers_of_two_duplicates_may_both_wait)
{
    int fds[2];
    struct call first = {0}, second = {0};
    make_pair(fds);
    int duplicate = dup(fds[0]);
    call_start(&first, call_read, fds[0]);
    call_start(&second, call_read, duplicate);
    verd_write(fds[1], "x", 1);
    settle();
    cr_assert_eq(first.returned + second.returned, 1);
}
