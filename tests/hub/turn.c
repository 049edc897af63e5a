/* SPDX-License-Identifier: MIT */

/* How often the hub asks the kernel, and that nobody is kept out between. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call.h"
#include "hub/hub.h"
#include "process.h"
#include "shortage.h"

#define SLEEPS 50

/* Looks and waits so far. */
static size_t polls(void)
{
    return verd__loop(verd__scheduler())->polls;
}

/* Sleeps once, with a reader parked; how often the hub asked meanwhile. */
static size_t polls_during(verd_duration span)
{
    size_t before = polls();
    verd_sleep(span);
    return polls() - before;
}

/* A reader that has been waiting for so long that nothing more is to be done about it. */
static void park_a_reader(struct call *reader)
{
    int fds[2];
    with_audits();
    make_pair(fds);
    call_start(reader, call_read, fds[0]);
    verd_sleep(300 * VERD_MS);
}

Test(hub, sleeps_of_300_us_with_a_parked_reader_are_not_early)
{
    struct call reader = {0};
    park_a_reader(&reader);
    for (int i = 0; i < SLEEPS; i++) {
        verd_duration begin = verd_now();
        verd_sleep(300 * VERD_US);
        cr_assert_geq(verd_now() - begin, 300 * VERD_US);
    }
}

Test(hub, sleeps_of_300_us_with_a_parked_reader_do_not_spin)
{
    struct call reader = {0};
    size_t total = 0;
    park_a_reader(&reader);
    for (int i = 0; i < SLEEPS; i++)
        total += polls_during(300 * VERD_US);
    cr_assert_leq(total, 2 * SLEEPS);
}

Test(hub, sleeps_of_300_us_without_descriptors_are_not_early)
{
    for (int i = 0; i < SLEEPS; i++) {
        verd_duration begin = verd_now();
        verd_sleep(300 * VERD_US);
        cr_assert_geq(verd_now() - begin, 300 * VERD_US);
    }
}

Test(hub, sleeps_of_300_us_without_descriptors_do_not_spin)
{
    verd_sleep(VERD_MS);
    long before = process_waits();
    for (int i = 0; i < SLEEPS; i++)
        verd_sleep(300 * VERD_US);
    cr_assert_leq(process_waits() - before, 2 * SLEEPS);
}

Test(hub, an_idle_process_with_a_parked_reader_is_not_woken)
{
    struct call reader = {0};
    park_a_reader(&reader);
    while (verd__timer_armed(&verd__loop(verd__scheduler())->audit)) /* a slow machine */
        verd_sleep(100 * VERD_MS);
    cr_assert_leq(polls_during(400 * VERD_MS), 1);
}

static ssize_t wait_for(struct call *call)
{
    return verd_wait_fd(call->fd, (short)call->size);
}

/* Data is there that nobody reads. */
static size_t polls_while_waiting_for(short event)
{
    int fds[2];
    struct call waiter = {.size = (size_t)event};
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    call_start(&waiter, wait_for, fds[0]);
    verd_sleep(300 * VERD_MS);
    return polls_during(50 * VERD_MS);
}

Test(hub, a_wait_for_urgent_data_does_not_spin_on_other_data)
{
    cr_assert_leq(polls_while_waiting_for(POLLPRI), 3);
}

Test(hub, a_wait_for_a_half_close_does_not_spin_on_data)
{
    cr_assert_leq(polls_while_waiting_for(POLLRDHUP), 3);
}

Test(hub, a_wait_for_room_does_not_spin_on_data)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_sleep(300 * VERD_MS);
    cr_assert_leq(polls_during(50 * VERD_MS), 3);
}

Test(hub, a_wait_for_room_does_not_spin_on_a_half_close)
{
    int fds[2];
    struct call writer = {.size = 1};
    make_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    verd_shutdown(fds[1], SHUT_WR);
    verd_sleep(300 * VERD_MS);
    cr_assert_leq(polls_during(50 * VERD_MS), 3);
}

/* The reader has been served, and the writer still waits; there is more to read. */
Test(hub, a_wait_for_room_does_not_spin_on_data_that_was_waited_for)
{
    int fds[2];
    struct call writer = {.size = 1}, reader = {0};
    make_foreign_pair(fds);
    fill(fds[0]);
    call_start(&writer, call_write, fds[0]);
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "x", 1, 0);
    cr_assert_eq(call_end(&reader), 1);
    send(fds[1], "y", 1, 0);
    verd_sleep(VERD_MS);
    cr_assert_leq(polls_during(50 * VERD_MS), 3);
    cr_assert_not(writer.returned);
}

Test(hub, each_look_is_counted)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    size_t before = polls();
    verd_sleep(VERD_MS);
    cr_assert_gt(polls(), before);
}

/* As many events as are taken at once: there may be more, but that is to be seen without waiting. */
#define FULL 1024

static int full[FULL];

static ssize_t poll_all(struct call *call)
{
    (void)call;
    struct pollfd *pollers = calloc(FULL, sizeof *pollers);
    for (int i = 0; i < FULL; i++)
        pollers[i] = (struct pollfd){.fd = full[i], .events = POLLIN};
    int ready = verd_poll(pollers, FULL, -1);
    free(pollers);
    return ready;
}

Test(hub, a_full_batch_of_events_is_not_followed_by_a_wait)
{
    struct call poller = {0};
    need_descriptors(FULL);
    for (int i = 0; i < FULL; i++)
        full[i] = eventfd(0, EFD_NONBLOCK);
    call_start(&poller, poll_all, full[0]);
    for (int i = 0; i < FULL; i++)
        write(full[i], &(uint64_t){1}, sizeof(uint64_t));
    cr_assert_eq(call_end(&poller), FULL);
}

/* Closed, but alive as a duplicate, it goes on telling, under what is another's number now. */
Test(hub, an_event_of_a_closed_file_is_not_taken_for_the_new_one_s)
{
    int fds[2], port;
    struct call reader = {0};
    int listener = make_listener(&port);
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&reader);
    int peer = verd_connect("127.0.0.1", port);
    dup(fds[0]);
    verd_close(fds[0]);
    cr_assert_eq(verd_accept(listener, NULL, NULL), fds[0]);
    verd_write(peer, "x", 1);
    verd_read(fds[0], reader.data, sizeof reader.data);
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "old", 3, 0);
    verd_yield(); /* the hub looks, and whom it wakes runs behind this thread */
    cr_assert(verd__loop_fd(verd__loop(verd__scheduler()), fds[0])->waiting[VERD__INPUT]);
}

Test(hub, data_that_nobody_waits_for_wakes_nobody)
{
    int fds[2];
    struct call reader = {0};
    make_tcp_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&reader);
    park_a_reader(&reader);
    verd_write(fds[1], "y", 1);
    verd_sleep(VERD_MS);
    cr_assert_leq(polls_during(50 * VERD_MS), 1);
}

Test(hub, a_hub_in_which_nobody_waits_any_more_is_not_asked)
{
    int fds[2];
    struct call readers[3] = {0};
    make_pair(fds);
    call_start(&readers[0], call_read, fds[0]);
    verd_write(fds[1], "x", 1);
    call_end(&readers[0]);
    call_start(&readers[1], call_read, fds[0]);
    verd_kill(readers[1].thread);
    call_end(&readers[1]);
    call_start(&readers[2], call_poll_input, fds[0]);
    verd_close(fds[0]);
    call_end(&readers[2]);
    size_t before = polls();
    settle();
    cr_assert_eq(polls(), before);
}

static bool stop;

static void *yield_on(void *arg)
{
    while (!stop)
        verd_yield();
    return arg;
}

/* Always finds its socket ready. */
static void *talk_to_itself(void *arg)
{
    int fds[2];
    char byte = 0;
    make_pair(fds);
    while (!stop && verd_write(fds[1], &byte, 1) == 1)
        verd_read(fds[0], &byte, 1);
    return arg;
}

/* Finds data at every read, and never writes. */
static void *read_on(void *arg)
{
    int *fds = arg;
    char byte;
    while (!stop && verd_read(fds[0], &byte, 1) == 1)
        send(fds[1], &byte, 1, 0);
    return arg;
}

/* Each of these hangs if the busy thread keeps the others out. */

static void sleep_beside(void *(*busy)(void *), void *arg)
{
    verd_thread *thread = verd_spawn(busy, arg);
    cr_assert_eq(verd_sleep(VERD_MS), 0);
    stop = true;
    verd_join(thread, NULL);
}

static void read_beside(void *(*busy)(void *), void *arg)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    verd_thread *thread = verd_spawn(busy, arg);
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "x", 1, 0);
    cr_assert_eq(call_end(&reader), 1);
    stop = true;
    verd_join(thread, NULL);
}

Test(hub, a_thread_that_only_yields_does_not_keep_timers_out)
{
    sleep_beside(yield_on, NULL);
}

Test(hub, a_thread_that_only_yields_does_not_keep_sockets_out)
{
    read_beside(yield_on, NULL);
}

Test(hub, a_thread_that_never_waits_for_its_socket_does_not_keep_timers_out)
{
    sleep_beside(talk_to_itself, NULL);
}

Test(hub, a_thread_that_never_waits_for_its_socket_does_not_keep_sockets_out)
{
    read_beside(talk_to_itself, NULL);
}

Test(hub, a_thread_that_reads_on_and_on_does_not_keep_timers_out)
{
    int fds[2];
    make_pair(fds);
    send(fds[1], "xxx", 3, 0);
    sleep_beside(read_on, fds);
}

Test(hub, a_thread_that_reads_on_and_on_does_not_keep_sockets_out)
{
    int fds[2];
    make_pair(fds);
    send(fds[1], "xxx", 3, 0);
    read_beside(read_on, fds);
}

/* Always gets a connection at once. */
static void *accept_on(void *arg)
{
    int port;
    int listener = make_listener(&port);
    while (!stop) {
        int client = verd_connect("127.0.0.1", port);
        int server = verd_accept(listener, NULL, NULL);
        verd_close(client);
        verd_close(server);
    }
    return arg;
}

Test(hub, a_thread_that_accepts_on_and_on_does_not_keep_timers_out)
{
    sleep_beside(accept_on, NULL);
}

/* Polls and always finds something. */
static void *poll_on(void *arg)
{
    int fds[2];
    make_pair(fds);
    struct pollfd poller = {.fd = fds[0], .events = POLLOUT};
    while (!stop && verd_poll(&poller, 1, 0) == 1 && verd_wait_fd(fds[0], POLLOUT) == POLLOUT)
        ;
    return arg;
}

Test(hub, a_thread_that_polls_on_and_on_does_not_keep_sockets_out)
{
    read_beside(poll_on, NULL);
}
