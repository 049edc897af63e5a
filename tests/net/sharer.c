/* SPDX-License-Identifier: MIT */

/* Connecting sockets that block, that others have made and that other processes may share. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "call.h"
#include "process.h"

/* Where to connect to, by a socket that blocks. */
static struct sockaddr_storage place;
static socklen_t place_length;

static ssize_t call_connect_to(struct call *call)
{
    return verd_connect_to(call->fd, (struct sockaddr *)&place, place_length);
}

static int make_socket(void)
{
    return socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void set_place(int listener)
{
    place_length = sizeof place;
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&place, &place_length), 0);
}

/* A listener with a full backlog: 0 or more clients are taken in, and the next one has to wait. */
static int fill_tcp(void)
{
    int listener = make_full_listener(AF_INET);
    set_place(listener);
    return listener;
}

static int fill_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "verd-sharer-%d",
                          (int)getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)length),
                 0);
    cr_assert_eq(listen(listener, 0), 0);
    set_place(listener);
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(first, (struct sockaddr *)&place, place_length), 0);
    return listener;
}

/* Takes all clients that come, as long as the listener is there. */
static void *take_all(void *listener)
{
    while (accept((int)(intptr_t)listener, NULL, NULL) >= 0)
        ;
    return NULL;
}

static void let_in(int listener)
{
    pthread_t taker;
    cr_assert_eq(pthread_create(&taker, NULL, take_all, (void *)(intptr_t)listener), 0);
    pthread_detach(taker);
}

/* ---- nobody sees a change of flags ---- */

static _Atomic(bool) over;
static _Atomic(int) changes;

/* As another process does that has the same socket. */
static void *watch_flags(void *fd)
{
    int copy = dup(*(int *)fd);
    int flags = fcntl(copy, F_GETFL);
    *(int *)fd = -1;
    while (!atomic_load(&over))
        changes += fcntl(copy, F_GETFL) != flags;
    close(copy);
    return NULL;
}

#define TRIES 200

/* Connects sockets, and has each watched meanwhile. Returns the changes that were seen. */
static int count_changes(verd_duration limit, ssize_t expected)
{
    for (int i = 0; i < TRIES; i++) {
        pthread_t watcher;
        int fd = make_socket(), copied = fd;
        struct call call = {0};
        atomic_store(&over, false);
        pthread_create(&watcher, NULL, watch_flags, &copied);
        while (*(volatile int *)&copied >= 0)
            sched_yield();
        cr_assert_eq(call_within(limit, &call, call_connect_to, fd), expected);
        atomic_store(&over, true);
        pthread_join(watcher, NULL);
        close(fd);
    }
    return atomic_load(&changes);
}

Test(sharer, connecting_changes_no_flags_as_a_connection_is_made)
{
    int port;
    set_place(make_listener(&port));
    int fd = make_socket(), copied = fd;
    pthread_t watcher;
    pthread_create(&watcher, NULL, watch_flags, &copied);
    while (*(volatile int *)&copied >= 0)
        sched_yield();
    for (int i = 0; i < TRIES; i++) {
        static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
        cr_assert_eq(verd_connect_to(fd, (struct sockaddr *)&place, place_length), 0);
        connect(fd, &nowhere, sizeof nowhere);
    }
    atomic_store(&over, true);
    pthread_join(watcher, NULL);
    cr_assert_eq(changes, 0);
}

Test(sharer, connecting_changes_no_flags_as_it_waits)
{
    fill_unix();
    cr_assert_eq(count_changes(VERD_MS / 2, -ETIMEDOUT), 0);
}

Test(sharer, connecting_changes_no_flags_as_it_is_refused)
{
    close(fill_unix());
    cr_assert_eq(count_changes(VERD_FOREVER, -ECONNREFUSED), 0);
}

/* ---- who waits ---- */

static void others_go_on_while_one_connects(int listener)
{
    struct call connecter = {0};
    call_start(&connecter, call_connect_to, make_socket());
    for (int i = 0; i < 50; i++)
        cr_expect_eq(verd_sleep(VERD_MS), 0);
    cr_expect_not(connecter.returned);
    verd_kill(connecter.thread);
    cr_expect_eq(call_end(&connecter), -ECANCELED);
    close(listener);
}

Test(sharer, others_go_on_while_one_connects)
{
    others_go_on_while_one_connects(fill_tcp());
    others_go_on_while_one_connects(fill_unix());
}

static void is_reached_by_a_timeout(int listener)
{
    struct call connecter = {0};
    cr_expect_eq(call_within(5 * VERD_MS, &connecter, call_connect_to, make_socket()), -ETIMEDOUT);
    cr_expect_eq(call_within(50 * VERD_MS, &connecter, call_connect_to, make_socket()), -ETIMEDOUT);
    close(listener);
}

Test(sharer, who_connects_is_reached_by_a_timeout)
{
    is_reached_by_a_timeout(fill_tcp());
    is_reached_by_a_timeout(fill_unix());
}

Test(sharer, many_who_wait_to_be_connected_leave_others_the_os_threads)
{
    struct call waiting[100] = {0};
    int listener = fill_unix();
    for (int i = 0; i < 100; i++)
        call_start(&waiting[i], call_connect_to, make_socket());
    verd_sleep(20 * VERD_MS);
    close(listener);
    for (int i = 0; i < 100; i++)
        cr_expect_eq(call_end(&waiting[i]), -ECONNREFUSED);
}

static void *connect_and_end(void *arg)
{
    struct call connecter = {0};
    call_start(&connecter, call_connect_to, make_socket());
    verd_sleep(2 * VERD_MS);
    return arg;
}

/* Interrupted once: of those few that just did not wait yet, all would have to be chosen. */
Test(sharer, the_end_of_its_os_thread_ends_what_waits_for_it)
{
    struct verd_offload_counts counts;
    fill_unix();
    for (int i = 0; i < 20; i++) {
        pthread_t ending;
        pthread_create(&ending, NULL, connect_and_end, NULL);
        pthread_join(ending, NULL);
    }
    do {
        cr_assert_eq(verd_sleep(VERD_MS), 0);
        verd_offload_stats(VERD_OFFLOAD_DEVICES, &counts);
    } while (counts.stuck >= 10);
}

/* ---- what comes of it ---- */

static void is_connected_when_there_is_room(int listener)
{
    struct call connecter = {0};
    int fd = make_socket();
    call_start(&connecter, call_connect_to, fd);
    verd_sleep(30 * VERD_MS);
    cr_expect_not(connecter.returned);
    let_in(listener);
    cr_expect_eq(call_end(&connecter), 0);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&place, place_length)), -EISCONN);
    cr_expect_eq(verd_write(fd, "x", 1), 1);
}

Test(sharer, who_waited_is_connected_when_there_is_room)
{
    is_connected_when_there_is_room(fill_tcp());
    is_connected_when_there_is_room(fill_unix());
}

static bool waits_and_is_connected(void)
{
    struct call connecter = {0};
    int listener = fill_unix(), fd = make_socket();
    call_start(&connecter, call_connect_to, fd);
    bool slept = verd_sleep(30 * VERD_MS) == 0, waited = !connecter.returned;
    let_in(listener);
    return slept && waited && call_end(&connecter) == 0 && verd_write(fd, "x", 1) == 1;
}

/* Where none of the OS threads is that were to connect, or do. */
Test(sharer, the_child_of_a_fork_connects_as_well_and_its_parent_goes_on)
{
    struct call connecter = {0};
    if (!process_can_fork_beside_starts())
        cr_skip_test("neither an emulator nor ASan can fork while an OS thread starts");
    int listener = fill_unix();
    call_start(&connecter, call_connect_to, make_socket());
    cr_expect(process_child_finds(waits_and_is_connected), "its OS thread has just been asked");
    verd_sleep(5 * VERD_MS);
    cr_expect(process_child_finds(waits_and_is_connected), "its OS thread waits");
    cr_expect_not(connecter.returned);
    let_in(listener);
    cr_expect_eq(call_end(&connecter), 0);
}

static void is_refused_when_the_listener_goes(int listener)
{
    struct call connecter = {0};
    call_start(&connecter, call_connect_to, make_socket());
    verd_sleep(30 * VERD_MS);
    close(listener);
    cr_expect_eq(call_end(&connecter), -ECONNREFUSED);
}

Test(sharer, who_waited_is_refused_when_the_listener_goes)
{
    is_refused_when_the_listener_goes(fill_tcp());
    is_refused_when_the_listener_goes(fill_unix());
}

/* The attempt of TCP goes on, and another call waits for that. */
Test(sharer, who_gave_up_may_go_on)
{
    struct call connecter = {0};
    int listener = fill_tcp();
    int fd = make_socket();
    cr_expect_eq(call_within(20 * VERD_MS, &connecter, call_connect_to, fd), -ETIMEDOUT);
    let_in(listener);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&place, place_length)), 0);
    cr_expect_eq(verd_write(fd, "x", 1), 1);
}

Test(sharer, an_address_that_makes_no_sense_is_refused)
{
    place.ss_family = AF_INET;
    int fd = make_socket();
    cr_expect_eq(outcome(verd_connect_to(fd, NULL, 16)), -EFAULT);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&place, 4096)), -EINVAL);
    cr_expect_eq(outcome(verd_connect_to(fd, (struct sockaddr *)&place, 1)), -EINVAL);
}
