/* SPDX-License-Identifier: MIT */

/* Timeouts and kill of I/O: the errno, nothing lost, and the descriptor usable afterwards. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "call.h"

static char buffer[64];

static ssize_t full_read(struct call *call)
{
    size_t done;
    ssize_t n = verd_read_full(call->fd, call->data, 10, &done);
    call->size = done;
    return n;
}

static ssize_t call_wait_output(struct call *call)
{
    return verd_wait_fd(call->fd, POLLOUT);
}

/* Every way of waiting for input of fds[0], which has none. */
static ssize_t (*const readers[])(struct call *) = {call_read, call_recv, call_wait_input,
                                                    call_poll_input, full_read};
#define READERS (sizeof readers / sizeof readers[0])

static ssize_t (*const writers[])(struct call *) = {call_write, call_wait_output};
#define WRITERS (sizeof writers / sizeof writers[0])

static ssize_t killed(ssize_t (*make)(struct call *), int fd)
{
    struct call call = {.size = 1};
    call_start(&call, make, fd);
    verd_kill(call.thread);
    return call_end(&call);
}

Test(io, a_killed_reader_gets_ECANCELED)
{
    int fds[2];
    make_pair(fds);
    for (size_t i = 0; i < READERS; i++)
        cr_expect_eq(killed(readers[i], fds[0]), -ECANCELED, "reader %zu", i);
}

Test(io, a_killed_writer_gets_ECANCELED)
{
    int fds[2];
    make_pair(fds);
    fill(fds[0]);
    for (size_t i = 0; i < WRITERS; i++)
        cr_expect_eq(killed(writers[i], fds[0]), -ECANCELED, "writer %zu", i);
}

Test(io, a_killed_accept_gets_ECANCELED)
{
    int port;
    cr_assert_eq(killed(call_accept, make_listener(&port)), -ECANCELED);
}

Test(io, a_reader_out_of_time_gets_ETIMEDOUT)
{
    int fds[2];
    struct call call = {0};
    make_pair(fds);
    for (size_t i = 0; i < READERS; i++)
        cr_expect_eq(call_within(VERD_MS, &call, readers[i], fds[0]), -ETIMEDOUT, "reader %zu", i);
}

Test(io, a_writer_out_of_time_gets_ETIMEDOUT)
{
    int fds[2];
    struct call call = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    for (size_t i = 0; i < WRITERS; i++)
        cr_expect_eq(call_within(VERD_MS, &call, writers[i], fds[0]), -ETIMEDOUT, "writer %zu", i);
}

Test(io, an_accept_out_of_time_gets_ETIMEDOUT)
{
    int port;
    struct call call = {0};
    cr_assert_eq(call_within(VERD_MS, &call, call_accept, make_listener(&port)), -ETIMEDOUT);
}

Test(io, a_foreign_descriptors_reader_out_of_time_gets_ETIMEDOUT)
{
    int fds[2];
    struct call call = {0};
    make_foreign_pair(fds);
    cr_assert_eq(call_within(VERD_MS, &call, call_read, fds[0]), -ETIMEDOUT);
}

Test(io, a_timeout_is_never_early)
{
    int fds[2];
    struct call call = {0};
    make_pair(fds);
    verd_duration begin = verd_now();
    call_within(3 * VERD_MS, &call, call_read, fds[0]);
    cr_assert_geq(verd_now() - begin, 3 * VERD_MS);
}

Test(io, a_call_in_a_killed_thread_is_ECANCELED_although_it_need_not_wait)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_kill(verd_self());
    cr_assert_eq(outcome(verd_read(fds[0], buffer, 1)), -ECANCELED);
}

static ssize_t read_when_killed(struct call *call)
{
    verd_kill(verd_self());
    return verd_read(call->fd, call->data, sizeof call->data);
}

Test(io, a_read_in_a_killed_thread_takes_no_data)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    call_start(&reader, read_when_killed, fds[0]);
    call_end(&reader);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 1);
}

Test(io, an_accept_that_is_out_of_time_takes_no_connection)
{
    int port;
    int listener = make_listener(&port);
    int client = verd_connect("127.0.0.1", port);
    struct call accepter = {0};
    call_within(0, &accepter, call_accept, listener);
    call_start(&accepter, call_accept, listener);
    verd_write(client, "x", 1);
    cr_assert_eq(verd_read((int)call_end(&accepter), buffer, 1), 1);
}

Test(io, the_data_of_a_killed_reader_is_left_for_the_next)
{
    int fds[2];
    struct call next = {0};
    make_pair(fds);
    killed(call_read, fds[0]);
    call_start(&next, call_read, fds[0]);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&next), 4);
}

Test(io, the_room_of_a_killed_writer_is_left_for_the_next)
{
    int fds[2];
    struct call next = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    killed(call_write, fds[0]);
    call_start(&next, call_write, fds[0]);
    drain(fds[1]);
    cr_assert_eq(call_end(&next), 1);
}

Test(io, a_reader_can_wait_again_after_a_timeout)
{
    int fds[2];
    struct call call = {0};
    make_pair(fds);
    for (size_t i = 0; i < READERS; i++)
        call_within(VERD_MS, &call, readers[i], fds[0]);
    call_start(&call, call_read, fds[0]);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&call), 4);
}

Test(io, data_that_came_with_the_kill_is_left_for_the_next)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_kill(reader.thread);
    send(fds[1], "data", 4, 0);
    call_end(&reader);
    cr_assert_eq(verd_read(fds[0], buffer, sizeof buffer), 4);
}

static ssize_t shielded_read(struct call *call)
{
    verd_shield_begin();
    ssize_t n = call_read(call);
    verd_shield_end();
    return n;
}

Test(io, a_shielded_reader_is_not_killed)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, shielded_read, fds[0]);
    verd_kill(reader.thread);
    settle();
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

/* Makes a waiting reader runnable and takes its data away before it runs. */
static void wake_for_nothing(int fds[2])
{
    send(fds[1], "x", 1, 0);
    verd_yield(); /* the reader can run now, behind this thread */
    recv(fds[0], buffer, 1, MSG_DONTWAIT);
}

Test(io, a_reader_killed_between_its_waking_and_its_running_does_not_wait_again)
{
    for (size_t i = 0; i < READERS; i++) {
        int fds[2];
        struct call reader = {0};
        make_pair(fds);
        call_start(&reader, readers[i], fds[0]);
        wake_for_nothing(fds);
        verd_kill(reader.thread);
        ssize_t result = call_end(&reader);
        cr_expect(result == -ECANCELED || result == POLLIN, "reader %zu", i);
    }
}

Test(io, an_accept_killed_between_its_waking_and_its_running_does_not_wait_again)
{
    int port;
    int listener = make_listener(&port);
    struct call accepter = {0};
    call_start(&accepter, call_accept, listener);
    int client = verd_connect("127.0.0.1", port);
    (void)client;
    while (accept4(listener, NULL, NULL, SOCK_NONBLOCK) < 0 && !accepter.returned)
        verd_yield();
    verd_kill(accepter.thread);
    ssize_t result = call_end(&accepter);
    cr_assert(result >= 0 || result == -ECANCELED);
}

static void stall(verd_duration span)
{
    verd_duration end = verd_now() + span;
    while (verd_now() < end)
        ;
}

static ssize_t read_twice_in_time(struct call *call)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, 40 * VERD_MS);
    ssize_t first = outcome(verd_read(call->fd, call->data, 4));
    ssize_t second = outcome(verd_read(call->fd, call->data, 4));
    verd_timeout_end(&limit);
    return first == 4 && second == -ETIMEDOUT;
}

Test(io, data_that_came_before_the_deadline_wins_over_it_after_a_stall)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, read_twice_in_time, fds[0]);
    if (reader.returned)
        cr_skip_test("the machine was too slow to wait");
    send(fds[1], "datamore", 8, 0);
    stall(50 * VERD_MS);
    cr_assert_eq(call_end(&reader), 1);
}

/* A deadline that passes while the reader can run already, and finds nothing. */
Test(io, a_deadline_between_the_waking_and_the_running_of_a_reader_is_not_missed)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, read_twice_in_time, fds[0]);
    send(fds[1], "x", 1, 0);
    stall(50 * VERD_MS);
    verd_yield(); /* the hub tells, and the deadline passes, in one turn */
    recv(fds[0], buffer, 1, MSG_DONTWAIT);
    call_end(&reader); /* it hangs otherwise */
    cr_assert(reader.returned);
}
