/* SPDX-License-Identifier: MIT */

/* Reads and writes of streams: how much comes, in how many pieces, and what flags make of it. */
#include <criterion/criterion.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

#define MESSAGES 5000

static char buffer[256];

Test(io, a_read_returns_what_was_written)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_assert_str_eq(buffer, "data");
}

Test(io, a_read_with_little_room_leaves_the_rest)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "abcdef", 6);
    verd_read(fds[0], buffer, 4);
    cr_assert_eq(verd_read(fds[0], buffer, 4), 2);
}

Test(io, data_after_a_short_read_wakes_the_next_read)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "bc", 2);
    cr_assert_eq(call_end(&reader), 2);
}

Test(io, data_that_came_before_the_next_read_is_read_at_once)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_write(fds[1], "bc", 2);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 2);
}

Test(io, data_after_an_exact_read_wakes_the_next_read)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_read(fds[0], buffer, 4);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "bc", 2);
    cr_assert_eq(call_end(&reader), 2);
}

static ssize_t write_numbers(struct call *call)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        if (verd_write(call->fd, &i, sizeof i) != sizeof i)
            return -1;
    }
    return verd_close(call->fd);
}

/* Reads numbers, in pieces of any size; how many came in their order. */
static unsigned count_numbers(int fd)
{
    unsigned expected = 0, number;
    while (verd_read_full(fd, &number, sizeof number, NULL) == sizeof number && number == expected)
        expected++;
    return expected;
}

Test(io, many_small_messages_arrive_in_their_order)
{
    int fds[2];
    struct call writer = {0};
    make_tcp_pair(fds);
    call_start(&writer, write_numbers, fds[1]);
    cr_assert_eq(count_numbers(fds[0]), MESSAGES);
}

Test(io, many_small_messages_through_a_pipe_arrive_in_their_order)
{
    int fds[2];
    struct call writer = {0};
    verd_pipe(fds);
    call_start(&writer, write_numbers, fds[1]);
    cr_assert_eq(count_numbers(fds[0]), MESSAGES);
}

Test(io, a_read_without_room_does_not_wait)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(verd_read(fds[0], buffer, 0), 0);
}

Test(io, a_read_without_room_loses_no_readiness)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, 0);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 1);
}

Test(io, a_read_without_room_from_an_emptied_pipe_does_not_wait)
{
    int fds[2];
    verd_pipe(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_assert_eq(verd_read(fds[0], buffer, 0), 0);
}

Test(io, a_read_without_room_from_an_emptied_socket_does_not_wait)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_assert_eq(verd_read(fds[0], buffer, 0), 0);
}

Test(io, a_write_of_nothing_does_not_wait)
{
    int fds[2];
    verd_pipe(fds);
    fill(fds[1]);
    cr_assert_eq(verd_write(fds[1], buffer, 0), 0);
}

Test(io, a_write_of_nothing_to_a_foreign_full_pipe_does_not_wait)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    fill(fds[1]);
    cr_assert_eq(verd_write(fds[1], buffer, 0), 0);
}

Test(io, a_read_without_room_from_a_foreign_pipe_does_not_wait)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(verd_read(fds[0], buffer, 0), 0);
}

Test(io, peeking_leaves_the_data)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "data", 4);
    verd_recv(fds[0], buffer, sizeof buffer, MSG_PEEK);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, 0), 4);
}

Test(io, peeking_waits_for_data)
{
    int fds[2];
    struct call waiter = {0};
    make_tcp_pair(fds);
    call_start(&waiter, call_wait_input, fds[0]);
    verd_write(fds[1], "data", 4);
    call_end(&waiter);
    verd_recv(fds[0], buffer, sizeof buffer, MSG_PEEK);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, MSG_PEEK), 4);
}

Test(io, MSG_DONTWAIT_gives_EAGAIN_instead_of_waiting_for_data)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(outcome(verd_recv(fds[0], buffer, sizeof buffer, MSG_DONTWAIT)), -EAGAIN);
}

Test(io, MSG_DONTWAIT_gives_EAGAIN_instead_of_waiting_for_room)
{
    int fds[2];
    make_pair(fds);
    fill(fds[0]);
    cr_assert_eq(outcome(verd_send(fds[0], "x", 1, MSG_DONTWAIT)), -EAGAIN);
}

Test(io, MSG_DONTWAIT_finds_data_that_the_hub_has_not_told_of)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "a", 1);
    verd_read(fds[0], buffer, sizeof buffer);
    verd_write(fds[1], "b", 1);
    cr_assert_eq(verd_recv(fds[0], buffer, sizeof buffer, MSG_DONTWAIT), 1);
}

static ssize_t recv_all(struct call *call)
{
    return verd_recv(call->fd, call->data, 6, MSG_WAITALL);
}

Test(io, MSG_WAITALL_waits_for_all)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, recv_all, fds[0]);
    verd_write(fds[1], "abc", 3);
    settle();
    verd_write(fds[1], "def", 3);
    call_end(&reader);
    cr_assert_str_eq(reader.data, "abcdef");
}

Test(io, MSG_WAITALL_ends_at_the_end_of_the_stream)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, recv_all, fds[0]);
    verd_write(fds[1], "abc", 3);
    settle();
    verd_close(fds[1]);
    cr_assert_eq(call_end(&reader), 3);
}

static ssize_t read_four(struct call *call)
{
    return verd_read_full(call->fd, call->data, 4, NULL);
}

Test(io, out_of_band_data_does_not_hide_what_is_behind_it)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, read_four, fds[0]);
    send(fds[1], "ab!", 3, MSG_OOB);
    send(fds[1], "cd", 2, 0);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, readv_fills_its_parts)
{
    int fds[2];
    struct iovec parts[2] = {{buffer, 2}, {buffer + 100, 10}};
    make_pair(fds);
    verd_write(fds[1], "abcde", 5);
    verd_readv(fds[0], parts, 2);
    cr_assert_str_eq(buffer + 100, "cde");
}

Test(io, writev_joins_its_parts)
{
    int fds[2];
    struct iovec parts[3] = {{(void *)"ab", 2}, {NULL, 0}, {(void *)"cde", 3}};
    make_pair(fds);
    verd_writev(fds[1], parts, 3);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_assert_str_eq(buffer, "abcde");
}

static void *write_later(void *arg)
{
    struct call *call = arg;
    verd_write(call->fd, call->data, call->size);
    return NULL;
}

Test(io, readv_through_a_pipe_waits)
{
    int fds[2];
    struct iovec part = {buffer, 10};
    struct call writer = {.size = 3};
    verd_pipe(fds);
    writer.fd = fds[1];
    verd_thread *late = verd_spawn_after(VERD_MS, write_later, &writer);
    cr_assert_eq(verd_readv(fds[0], &part, 1), 3);
    verd_join(late, NULL);
}

Test(io, a_vector_of_too_many_parts_is_EINVAL)
{
    int fds[2];
    struct iovec part = {buffer, 1};
    make_pair(fds);
    cr_assert_eq(outcome(verd_writev(fds[0], &part, -1)), -EINVAL);
}

Test(io, a_part_larger_than_a_result_can_tell_is_EINVAL)
{
    int fds[2], pipe_fds[2];
    struct iovec part = {buffer, (size_t)SSIZE_MAX + 1};
    make_pair(fds);
    verd_pipe(pipe_fds);
    cr_assert_eq(outcome(verd_writev(fds[0], &part, 1)), -EINVAL);
    cr_assert_eq(outcome(verd_writev(pipe_fds[1], &part, 1)), -EINVAL);
    cr_assert_eq(outcome(verd_readv(fds[0], &part, 1)), -EINVAL);
}

Test(io, a_vector_of_one_part_is_sent)
{
    int fds[2];
    struct iovec part = {(void *)"abc", 3};
    make_pair(fds);
    cr_assert_eq(outcome(verd_writev(fds[1], &part, 1)), 3);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 3);
    cr_assert_eq(memcmp(buffer, "abc", 3), 0);
}
