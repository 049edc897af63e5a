/* SPDX-License-Identifier: MIT */

/* Servers: how clients are accepted and handled, and what may go wrong meanwhile. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "house.h"
#include "process.h"
#include "shortage.h"

static struct house house, other;
static char buffer[64];

static void greet(int client, void *greeting)
{
    verd_write_full(client, greeting, 5, NULL);
}

Test(serve, a_client_is_handled_and_closed_when_its_handler_returns)
{
    int port;
    int listener = make_listener(&port);
    verd_serve(listener, greet, "hello", NULL);
    int client = verd_connect("127.0.0.1", port);
    cr_assert_eq(verd_read_full(client, buffer, sizeof buffer, NULL), 5); /* and then the end */
    cr_assert_str_eq(buffer, "hello");
}

static void tell_name(int client, void *ctx)
{
    (void)ctx;
    verd_write_full(client, verd_name(verd_self()), 7, NULL);
}

Test(serve, handlers_in_a_pool_of_its_own_are_called_clients)
{
    int port;
    int listener = make_listener(&port);
    verd_serve(listener, tell_name, NULL, NULL);
    int client = verd_connect("127.0.0.1", port);
    cr_assert_eq(verd_read_full(client, buffer, sizeof buffer, NULL), 7);
    buffer[7] = '\0';
    cr_assert_str_eq(buffer, "client#");
}

Test(serve, clients_of_a_unix_listener_are_served)
{
    char name[32];
    snprintf(name, sizeof name, "@verd-serve-%d", (int)getpid());
    verd_serve(verd_listen_unix(name, 0), greet, "hello", NULL);
    int client = verd_connect_unix(name);
    cr_assert_eq(verd_read_full(client, buffer, sizeof buffer, NULL), 5);
}

Test(serve, clients_of_a_blocking_listener_from_elsewhere_are_served)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 5);
    verd_serve(listener, greet, "hello", NULL);
    for (int i = 0; i < 3; i++) {
        int client = verd_connect("127.0.0.1", verd_port(listener));
        cr_assert_eq(verd_read_full(client, buffer, sizeof buffer, NULL), 5);
    }
}

Test(serve, clients_are_handled_side_by_side)
{
    house_open(&house, NULL);
    int first = house_guest(&house);
    int second = house_guest(&house);
    cr_expect_eq(verd_serve_clients(house.server), 2);
    guest_speak(second);
    cr_expect(guest_is_out(second) && house.ended == 1);
    guest_speak(first);
    cr_expect(guest_is_out(first) && house.ended == 2);
    cr_expect_eq(verd_serve_clients(house.server), 0);
}

static int replaced[2];

/* The numbers of what was closed are the next to be given. */
static void close_and_open(int client, void *arg)
{
    (void)arg;
    verd_close(client);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, replaced);
    cr_assert(replaced[0] == client || replaced[1] == client);
}

Test(serve, what_has_the_number_of_a_client_that_its_handler_closed_stays_open)
{
    house_open_with(&house, NULL, close_and_open);
    int guest = house_guest(&house);
    cr_expect(guest_is_out(guest));
    cr_expect_eq(verd_write(replaced[0], "x", 1), 1);
    cr_expect_eq(verd_read(replaced[1], buffer, 1), 1);
}

static void end_badly(int client, void *arg)
{
    static verd_timeout limit;
    verd_timeout_begin(&limit, 0);
    verd_shield_begin();
    verd_kill(verd_self());
    errno = EBADF;
    house_handle(client, arg);
}

Test(serve, a_handler_that_ends_badly_does_not_stop_the_server)
{
    house_open_with(&house, NULL, end_badly);
    for (size_t i = 1; i <= 3; i++) {
        int guest = house_guest(&house);
        guest_speak(guest);
        cr_assert(guest_is_out(guest) && house.ended == i);
    }
}

Test(serve, a_client_that_resets_does_not_stop_the_server)
{
    struct linger at_once = {.l_onoff = 1};
    house_open(&house, NULL);
    for (size_t i = 1; i <= 3; i++) {
        int guest = verd_connect("127.0.0.1", house.port);
        setsockopt(guest, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        verd_close(guest); /* perhaps before it was accepted */
    }
    int guest = house_guest(&house);
    guest_speak(guest);
    cr_assert(guest_is_out(guest));
    cr_assert_eq(house.outcome, 1);
}

/* ---- pools ---- */

Test(serve, a_full_pool_leaves_clients_in_the_backlog)
{
    house_open(&house, verd_pool_new(1));
    int first = house_guest(&house);
    size_t descriptors = process_descriptors();
    int second = house_guest(&house);
    cr_expect_eq(process_descriptors(), descriptors + 1); /* the guest's own */
    cr_expect_eq(house.begun, 1);
    guest_speak(first);
    guest_speak(second);
    cr_expect(guest_is_out(first) && guest_is_out(second));
    cr_expect_eq(house.begun, 2);
}

Test(serve, an_idle_server_keeps_no_slot_of_the_pool)
{
    verd_pool *pool = verd_pool_new(1);
    house_open(&house, pool);
    house_open(&other, pool);
    for (size_t i = 1; i <= 3; i++) {
        int first = house_guest(&house);
        int second = house_guest(&other);
        cr_assert(house.begun == i && other.begun == i - 1);
        guest_speak(first);
        guest_speak(second);
        cr_assert(guest_is_out(first) && guest_is_out(second));
        cr_assert(house.ended == i && other.ended == i);
        cr_assert_eq(verd_pool_available(pool), 1);
    }
}

static void *hold_slot(void *arg)
{
    verd_park();
    return arg;
}

Test(serve, other_work_in_the_pool_keeps_clients_waiting)
{
    verd_pool *pool = verd_pool_new(1);
    house_open(&house, pool);
    verd_thread *work = verd_pool_spawn(pool, hold_slot, NULL);
    int guest = house_guest(&house);
    cr_expect_eq(house.begun, 0);
    verd_unpark(work);
    guest_speak(guest);
    cr_expect(guest_is_out(guest));
}

Test(serve, the_pool_cannot_be_freed_before_the_server_has_ended)
{
    verd_pool *pool = verd_pool_new(1);
    house_open(&house, pool);
    cr_expect_eq(outcome(verd_pool_free(pool)), -EBUSY);
    verd_serve_stop(house.server, 0);
    cr_expect_eq(verd_pool_free(pool), 0);
    cr_expect_eq(verd_serve_free(house.server), 0);
}

Test(serve, all_of_a_pool_can_be_waited_for_while_the_server_is_idle)
{
    verd_pool *pool = verd_pool_new(1);
    house_open(&house, pool);
    callers_settle();
    cr_assert_eq(verd_pool_wait_all(pool), 0);
}

/* ---- many clients, few descriptors ---- */

static verd_group guests = VERD_GROUP_INIT;
static verd_event everyone_is_in = VERD_EVENT_INIT;
static verd_semaphore doors = VERD_SEMAPHORE_INIT(100);
static size_t served;

static void visit(void *arg)
{
    char byte;
    verd_semaphore_acquire(&doors);
    int fd = verd_connect("127.0.0.1", house.port);
    verd_semaphore_release(&doors);
    (void)arg;
    verd_event_wait(&everyone_is_in, NULL);
    verd_write(fd, "x", 1);
    served += verd_read(fd, &byte, 1) == 0;
    verd_close(fd);
    verd_group_done(&guests);
}

Test(serve, a_thousand_clients_at_the_same_time)
{
    size_t count = process_is_translated() ? 200 : 1000;
    need_descriptors(2 * count);
    need_stacks(2 * count);
    house_open(&house, verd_pool_new(count));
    verd_group_add(&guests, count);
    for (size_t i = 0; i < count; i++)
        verd_spawn_n(visit, NULL);
    while (house.begun < count)
        verd_sleep(VERD_MS);
    verd_event_set(&everyone_is_in, NULL);
    verd_group_wait(&guests);
    cr_assert_eq(served, count);
    cr_assert_eq(verd_serve_stop(house.server, VERD_FOREVER), 0);
    cr_assert_eq(house.ended, count);
}

#define LIMIT 16 /* descriptors */
#define CROWD 30 /* clients */

/* A process of its own, which has descriptors enough: its exit status is 0 if all are served. */
static pid_t crowd_start(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fds[CROWD];
    pid_t child = fork();
    if (child != 0)
        return child;
    for (int i = 0; i < CROWD; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof address) != 0)
            _exit(1);
    }
    for (int i = 0; i < CROWD; i++) {
        if (write(fds[i], "x", 1) != 1 || read(fds[i], buffer, 1) != 1)
            _exit(2);
        close(fds[i]);
    }
    _exit(0);
}

static verd_event gate = VERD_EVENT_INIT;

static void answer_behind_the_gate(int client, void *arg)
{
    struct house *self = arg;
    char byte;
    self->begun++;
    verd_event_wait(&gate, NULL);
    verd_read(client, &byte, 1);
    verd_write(client, &byte, 1);
    self->ended++;
}

static verd_duration processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * VERD_SEC + time.tv_nsec;
}

Test(serve, out_of_descriptors_it_rests_and_serves_later)
{
    struct rlimit limit = {LIMIT, LIMIT};
    int status = -1;
    house_open_with(&house, NULL, answer_behind_the_gate);
    pid_t crowd = crowd_start(house.port);
    setrlimit(RLIMIT_NOFILE, &limit);
    while (process_descriptors() != 0) /* until it cannot be opened */
        verd_sleep(VERD_MS);
    verd_duration span = verd_now(), used = processor_time();
    verd_sleep(200 * VERD_MS);
    used = processor_time() - used;
    span = verd_now() - span;
    cr_expect(house.begun < CROWD);
    cr_expect(used < span / 2, "%lld us of the processor", (long long)(used / VERD_US));
    verd_event_set(&gate, NULL);
    while (house.ended < CROWD)
        verd_sleep(VERD_MS);
    waitpid(crowd, &status, 0);
    cr_assert_eq(status, 0);
}

/* ---- a listener that fails ---- */

Test(serve, a_server_whose_listener_is_closed_by_others_ends_with_EBADF)
{
    house_open(&house, NULL);
    int guest = house_guest(&house);
    verd_close(house.listener);
    callers_settle();
    cr_expect_eq(outcome(verd_serve_free(house.server)), -EBUSY); /* there is a guest */
    guest_speak(guest);
    cr_expect_eq(outcome(verd_serve_wait(house.server)), -EBADF);
    cr_expect_eq(house.outcome, 1);
    cr_expect_eq(verd_serve_free(house.server), 0);
}

Test(serve, what_has_the_number_of_a_listener_that_others_closed_stays_open)
{
    house_open(&house, NULL);
    callers_settle();
    verd_close(house.listener);
    int successor = verd_listen("127.0.0.1", 0, 0);
    cr_assert_eq(successor, house.listener);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_gt(verd_port(successor), 0);
}

Test(serve, a_server_whose_listener_is_shut_down_ends_with_EINVAL)
{
    house_open(&house, NULL);
    callers_settle();
    shutdown(house.listener, SHUT_RD);
    cr_expect_eq(outcome(verd_serve_wait(house.server)), -EINVAL);
}

/* Of which accept(2) says EAGAIN for ever. */
Test(serve, a_server_whose_unix_listener_is_shut_down_ends_with_EINVAL)
{
    char name[32];
    snprintf(name, sizeof name, "@verd-serve-%d", (int)getpid());
    int listener = verd_listen_unix(name, 0);
    verd_server *server = verd_serve(listener, greet, "hello", NULL);
    callers_settle();
    verd_shutdown(listener, SHUT_RDWR);
    cr_expect_eq(outcome(verd_serve_wait(server)), -EINVAL);
}

Test(serve, a_second_server_of_a_listener_ends_with_EBUSY)
{
    house_open(&house, NULL);
    callers_settle();
    verd_server *second = verd_serve(house.listener, house_handle, &house, NULL);
    cr_expect_eq(outcome(verd_serve_wait(second)), -EBUSY);
    verd_serve_free(second);
    int guest = house_guest(&house);
    guest_speak(guest);
    cr_expect(guest_is_out(guest));
}

Test(serve, the_end_stays_readable)
{
    house_open(&house, NULL);
    verd_close(house.listener);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(outcome(verd_serve_wait(house.server)), -EBADF);
    cr_expect_eq(verd_serve_stop(house.server, 0), 0);
    cr_expect_eq(outcome(verd_serve_wait(house.server)), -EBADF);
}

/* ---- misuse ---- */

/* errno of verd_serve, which must fail. */
static int serve_errno(int listener, void (*handler)(int, void *))
{
    errno = 0;
    return verd_serve(listener, handler, NULL, NULL) == NULL ? errno : 0;
}

Test(serve, what_is_no_listener_cannot_be_served)
{
    int fds[2], port;
    int listener = make_listener(&port);
    cr_expect_eq(serve_errno(-1, house_handle), EBADF);
    verd_pipe(fds);
    cr_expect_eq(serve_errno(fds[0], house_handle), ENOTSOCK);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    cr_expect_eq(serve_errno(fds[0], house_handle), EINVAL);
    cr_expect_eq(serve_errno(listener, NULL), EINVAL);
}

Test(serve, why_there_is_no_listener_is_why_there_is_no_server)
{
    int port;
    make_listener(&port);
    cr_expect_null(verd_serve(verd_listen("127.0.0.1", port, 0), house_handle, NULL, NULL));
    cr_expect_eq(errno, EADDRINUSE);
}

static verd_pool *foreign_pool;

static void *serve_with_foreign_pool(void *arg)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    errno = 0;
    if (verd_serve(listener, house_handle, arg, foreign_pool) == NULL && errno == EPERM)
        return arg;
    return NULL;
}

static void *use_foreign_server(void *server)
{
    bool all = outcome(verd_serve_stop(server, 0)) == -EPERM &&
               outcome(verd_serve_wait(server)) == -EPERM &&
               outcome(verd_serve_free(server)) == -EPERM;
    return all ? server : NULL;
}

static void *on_os_thread(void *(*fn)(void *), void *arg)
{
    pthread_t os_thread;
    void *result = NULL;
    pthread_create(&os_thread, NULL, fn, arg);
    pthread_join(os_thread, &result);
    return result;
}

Test(serve, a_pool_of_another_OS_thread_is_EPERM)
{
    foreign_pool = verd_pool_new(1);
    cr_assert_not_null(on_os_thread(serve_with_foreign_pool, &house));
}

Test(serve, a_server_of_another_OS_thread_is_EPERM)
{
    house_open(&house, NULL);
    cr_assert_not_null(on_os_thread(use_foreign_server, house.server));
}

Test(serve, no_server_is_EINVAL)
{
    cr_expect_eq(outcome(verd_serve_stop(NULL, 0)), -EINVAL);
    cr_expect_eq(outcome(verd_serve_wait(NULL)), -EINVAL);
    cr_expect_eq(verd_serve_free(NULL), 0);
    cr_expect_eq(verd_serve_clients(NULL), 0);
}
