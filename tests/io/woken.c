/* SPDX-License-Identifier: MIT */

/* A thread that has been woken or has given way, and has not had its turn again when its descriptor is
 * closed and the number becomes another file: the call was not for that one. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "sched/scheduler.h"

/* Gives the number, which was closed, another file of the library's; fds[1] is its peer. */
static void reuse(int fd, int fds[2])
{
    make_pair(fds);
    if (fds[0] == fd)
        return;
    cr_assert_eq(fds[1], fd);
    fds[1] = fds[0];
    fds[0] = fd;
}

/* The hub has a look, and who is woken is behind this thread. */
static void wake(const struct call *call)
{
    verd_yield();
    cr_assert_not(call->returned);
}

/* What comes of the call, which is woken by data for old[0], if that is closed and used again. */
static ssize_t outcome_of(ssize_t (*make)(struct call *), int (*close_it)(int), int old[2],
                          int fds[2])
{
    struct call call = {0};
    call_start(&call, make, old[0]);
    send(old[1], "old", 3, 0);
    wake(&call);
    close_it(old[0]);
    reuse(old[0], fds);
    send(fds[1], "new", 3, 0);
    return call_end(&call);
}

Test(io, a_woken_reader_gets_no_data_of_the_next_file_with_its_number)
{
    int old[2], fds[2];
    make_pair(old);
    cr_expect_eq(outcome_of(call_read, verd_close, old, fds), -EBADF);
    cr_expect_eq(drain(fds[0]), 3);
}

Test(io, a_woken_reader_of_a_foreign_descriptor_gets_no_data_of_the_next_file)
{
    int old[2], fds[2];
    make_foreign_pair(old);
    cr_expect_eq(outcome_of(call_read, verd_close, old, fds), -EBADF);
    cr_expect_eq(drain(fds[0]), 3);
}

Test(io, a_woken_reader_gets_no_data_of_the_next_file_after_a_plain_close)
{
    int old[2], fds[2];
    make_pair(old);
    cr_expect_eq(outcome_of(call_read, close, old, fds), -EBADF);
    cr_expect_eq(drain(fds[0]), 3);
}

Test(io, who_was_woken_by_readiness_is_not_told_of_the_next_files)
{
    int old[2], fds[2];
    make_pair(old);
    cr_assert_eq(outcome_of(call_wait_input, verd_close, old, fds), -EBADF);
}

Test(io, a_woken_writer_writes_nothing_to_the_next_file_with_its_number)
{
    int old[2], fds[2];
    struct call writer = {.size = 1};
    make_pair(old);
    fill(old[0]);
    call_start(&writer, call_write, old[0]);
    drain(old[1]);
    wake(&writer);
    verd_close(old[0]);
    reuse(old[0], fds);
    cr_expect_eq(call_end(&writer), -EBADF);
    cr_expect_eq(drain(fds[1]), 0);
}

/* Without a turn for anyone else. */
static void knock(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
}

Test(io, a_woken_accept_takes_no_client_of_the_next_listener_with_its_number)
{
    int port;
    struct call accepter = {0};
    int listener = make_listener(&port);
    call_start(&accepter, call_accept, listener);
    knock(port);
    wake(&accepter);
    verd_close(listener);
    cr_assert_eq(make_listener(&port), listener);
    knock(port);
    cr_assert_eq(call_end(&accepter), -EBADF);
}

Test(io, an_accept_short_of_descriptors_takes_no_client_of_the_next_listener_with_its_number)
{
    int port;
    struct call accepter = {0};
    struct rlimit limit;
    int listener = make_listener(&port);
    knock(port);
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit none = {0, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    call_start(&accepter, call_accept, listener);
    cr_assert_not(accepter.returned);
    setrlimit(RLIMIT_NOFILE, &limit);
    verd_close(listener);
    cr_assert_eq(make_listener(&port), listener);
    knock(port);
    cr_assert_eq(call_end(&accepter), -EBADF);
}

/* Its budget is spent with this call. */
static ssize_t read_and_give_way(struct call *call)
{
    verd__current->budget = 1;
    return call_read(call);
}

static void *make_call(void *arg)
{
    struct call *call = arg;
    call->outcome = outcome(call->make(call));
    call->returned = true;
    return NULL;
}

static void start_late(struct call *call, ssize_t (*make)(struct call *), int fd)
{
    call->fd = fd;
    call->make = make;
    call->thread = verd_spawn(make_call, call);
    wake(call);
}

Test(io, a_reader_that_gives_way_has_its_data_though_the_number_is_another_file_by_then)
{
    int old[2], fds[2];
    struct call reader = {0};
    make_pair(old);
    send(old[1], "old", 3, 0);
    start_late(&reader, read_and_give_way, old[0]);
    verd_close(old[0]);
    reuse(old[0], fds);
    send(fds[1], "new!", 4, 0);
    cr_expect_eq(call_end(&reader), 3);
    cr_expect_eq(drain(fds[0]), 4);
}

/* A call that has succeeded is not undone by a kill. */
Test(io, a_reader_that_gives_way_has_its_data_though_it_was_killed_by_then)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    send(fds[1], "data", 4, 0);
    start_late(&reader, read_and_give_way, fds[0]);
    verd_kill(reader.thread);
    cr_assert_eq(call_end(&reader), 4);
}

/* A full queue at an address is nothing to wait for: who sends there sleeps from time to time. */
static ssize_t send_to_queue(struct call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0verd-net-woken"};
    return verd_sendto(call->fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address);
}

Test(io, a_sender_that_pauses_sends_nothing_from_the_next_socket_with_its_number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0verd-net-woken"};
    struct call sender = {0};
    int queue = socket(AF_UNIX, SOCK_DGRAM, 0);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(queue, (struct sockaddr *)&address, sizeof address), 0);
    while (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1)
        ;
    call_start(&sender, send_to_queue, fd);
    cr_assert_not(sender.returned);
    verd_close(fd);
    cr_assert_eq(socket(AF_UNIX, SOCK_DGRAM, 0), fd);
    drain(queue);
    cr_expect_eq(call_end(&sender), -EBADF);
    cr_expect_eq(drain(queue), 0);
}
