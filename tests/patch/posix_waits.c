/* SPDX-License-Identifier: MIT */

/* Kills and timeouts in each call made green that waits: POSIX has no word for them. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERD_PTHREAD_DECLARE_ONLY
#include <verd.h>
#include <verd/pthread.h>

#include "call.h"
#include "patch/posix.h"

static int silent[2], scarce[2], full[2], listener, busy, locked, child = -1;

/* A listener at which nobody is waited for any more. */
static int make_busy(void)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    socklen_t length = sizeof any;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&any, sizeof any.sun_family), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&any, &length), 0);
    while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&any,
                   length) == 0)
        ;
    return fd;
}

/* A file of one byte that is locked. */
static int make_locked(void)
{
    char path[] = "/tmp/verd-lock-XXXXXX";
    int holder = mkstemp(path), fd = open(path, O_RDWR);
    unlink(path);
    cr_assert(holder >= 0 && fd >= 0);
    cr_assert_eq(write(holder, "l", 1), 1);
    cr_assert_eq(flock(holder, LOCK_EX), 0);
    return fd;
}

static ssize_t wait_read(struct call *call)
{
    return verd_posix_read(silent[0], call->data, 1);
}

static ssize_t wait_readv(struct call *call)
{
    struct iovec room = {call->data, 1};
    return verd_posix_readv(silent[0], &room, 1);
}

static ssize_t wait_recv(struct call *call)
{
    return verd_posix_recv(silent[0], call->data, 1, 0);
}

static ssize_t wait_low_water(struct call *call)
{
    return verd_posix_recv(scarce[0], call->data, 4, 0);
}

static ssize_t wait_recvmsg(struct call *call)
{
    struct iovec room = {call->data, 1};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    return verd_posix_recvmsg(silent[0], &message, 0);
}

static ssize_t wait_recvmmsg(struct call *call)
{
    struct iovec room = {call->data, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &room, .msg_iovlen = 1}};
    return verd_posix_recvmmsg(silent[0], &message, 1, 0, NULL);
}

static ssize_t wait_write(struct call *call)
{
    return verd_posix_write(full[0], call->data, 1);
}

static ssize_t wait_writev(struct call *call)
{
    struct iovec vector = {call->data, 1};
    return verd_posix_writev(full[0], &vector, 1);
}

static ssize_t wait_send(struct call *call)
{
    return verd_posix_send(full[0], call->data, 1, 0);
}

static ssize_t wait_sendmsg(struct call *call)
{
    struct iovec vector = {call->data, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    return verd_posix_sendmsg(full[0], &message, 0);
}

static ssize_t wait_accept(struct call *call)
{
    (void)call;
    return verd_posix_accept(listener, NULL, NULL);
}

static ssize_t wait_poll(struct call *call)
{
    struct pollfd poller = {.fd = silent[0], .events = POLLIN};
    (void)call;
    return verd_posix_poll(&poller, 1, -1);
}

static ssize_t wait_ppoll(struct call *call)
{
    struct pollfd poller = {.fd = silent[0], .events = POLLIN};
    (void)call;
    return verd_posix_ppoll(&poller, 1, NULL, NULL);
}

static ssize_t wait_select(struct call *call)
{
    fd_set input;
    FD_ZERO(&input);
    FD_SET(silent[0], &input);
    (void)call;
    return verd_posix_select(silent[0] + 1, &input, NULL, NULL, NULL);
}

static ssize_t wait_epoll(struct call *call)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, silent[0], &event);
    ssize_t result = verd_posix_epoll_wait(epoll, &event, 1, -1);
    (void)call;
    verd_posix_close(epoll);
    return result;
}

static ssize_t wait_flock(struct call *call)
{
    (void)call;
    return verd_posix_flock(locked, LOCK_EX);
}

static ssize_t wait_pselect(struct call *call)
{
    (void)call;
    return verd_posix_pselect(0, NULL, NULL, NULL, NULL, NULL);
}

static ssize_t wait_recvfrom(struct call *call)
{
    return verd_posix_recvfrom(silent[0], call->data, 1, 0, NULL, NULL);
}

static ssize_t wait_sendmmsg(struct call *call)
{
    struct iovec vector = {call->data, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};
    return verd_posix_sendmmsg(full[0], &message, 1, 0);
}

static ssize_t wait_sendfile(struct call *call)
{
    (void)call;
    return verd_posix_sendfile(full[0], locked, &(off_t){0}, 1);
}

static ssize_t wait_connect(struct call *call)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int fd = verd_posix_socket(AF_UNIX, SOCK_STREAM, 0);
    (void)call;
    getsockname(busy, (struct sockaddr *)&address, &length);
    ssize_t result = verd_posix_connect(fd, (struct sockaddr *)&address, length);
    int error = errno;
    verd_posix_close(fd);
    errno = error;
    return result;
}

static ssize_t wait_nanosleep(struct call *call)
{
    (void)call;
    return verd_posix_nanosleep(&(struct timespec){.tv_sec = 1000}, NULL);
}

static ssize_t wait_usleep(struct call *call)
{
    (void)call;
    return verd_posix_usleep(999000000);
}

static ssize_t wait_clock(struct call *call)
{
    (void)call;
    errno =
        verd_posix_clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = 1000}, NULL);
    return -1;
}

static ssize_t wait_child(struct call *call)
{
    (void)call;
    return verd_posix_waitpid(child, NULL, 0);
}

static ssize_t wait_system(struct call *call)
{
    (void)call;
    return verd_posix_system("exec sleep 1000");
}

static const struct {
    const char *name;
    ssize_t (*make)(struct call *call);
} calls[] = {
    {"read", wait_read},           {"readv", wait_readv},       {"recv", wait_recv},
    {"low water", wait_low_water}, {"recvmsg", wait_recvmsg},   {"recvmmsg", wait_recvmmsg},
    {"write", wait_write},         {"writev", wait_writev},     {"send", wait_send},
    {"sendmsg", wait_sendmsg},     {"accept", wait_accept},     {"poll", wait_poll},
    {"ppoll", wait_ppoll},         {"select", wait_select},     {"epoll_wait", wait_epoll},
    {"nanosleep", wait_nanosleep}, {"usleep", wait_usleep},     {"clock_nanosleep", wait_clock},
    {"waitpid", wait_child},       {"system", wait_system},     {"flock", wait_flock},
    {"pselect", wait_pselect},     {"recvfrom", wait_recvfrom}, {"sendmmsg", wait_sendmmsg},
    {"sendfile", wait_sendfile},   {"connect", wait_connect},
};
#define CALLS (sizeof calls / sizeof *calls)

static void make_world(void)
{
    int port = 0, least = 4;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, silent), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, full), 0);
    while (send(full[0], &port, sizeof port, MSG_DONTWAIT) > 0)
        ;
    listener = make_listener(&port);
    busy = make_busy();
    locked = make_locked();
    cr_assert_eq(fcntl(listener, F_SETFL, 0), 0);
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, scarce), 0);
    cr_assert_eq(verd_posix_setsockopt(scarce[0], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least),
                 0);
    cr_assert_eq(send(scarce[1], "x", 1, 0), 1);
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    cr_assert_not_null(verd_self()); /* there are green threads */
}

static void end_world(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

Test(patch, a_kill_ends_each_call_that_waits_with_ECANCELED)
{
    make_world();
    for (size_t i = 0; i < CALLS; i++) {
        struct call call = {0};
        call_start(&call, calls[i].make, -1);
        cr_expect_not(call.returned, "%s waits", calls[i].name);
        verd_kill(call.thread);
        cr_expect_eq(call_end(&call), -ECANCELED, "%s: %zd", calls[i].name, call.outcome);
    }
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), 0, "the command has left a zombie");
    end_world();
}

static void *make_call(void *arg)
{
    struct call *call = arg;
    call->make(call);
    call->returned = true;
    return NULL;
}

Test(patch, a_cancellation_ends_a_thread_of_POSIX_in_each_call_that_waits)
{
    make_world();
    for (size_t i = 0; i < CALLS; i++) {
        struct call call = {.make = calls[i].make};
        pthread_t thread;
        void *result = NULL;
        cr_assert_eq(verd_pthread_create(&thread, NULL, make_call, &call), 0);
        settle();
        verd_pthread_cancel(thread);
        cr_assert_eq(verd_pthread_join(thread, &result), 0);
        cr_expect(result == PTHREAD_CANCELED && !call.returned, "%s", calls[i].name);
    }
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), 0, "the command has left a zombie");
    end_world();
}

Test(patch, a_timeout_ends_each_call_that_waits_with_ETIMEDOUT)
{
    make_world();
    for (size_t i = 0; i < CALLS; i++) {
        struct call call = {0};
        cr_expect_eq(call_within(VERD_MS, &call, calls[i].make, -1), -ETIMEDOUT, "%s: %zd",
                     calls[i].name, call.outcome);
    }
    end_world();
}

static ssize_t sleep_long(struct call *call)
{
    (void)call;
    return verd_posix_sleep(1000);
}

/* Who sleeps on for what is left of it would never end. */
Test(patch, a_sleep_that_is_killed_has_nothing_left)
{
    struct call call = {0};
    call_start(&call, sleep_long, -1);
    verd_kill(call.thread);
    cr_expect_eq(call_end(&call), 0);
}
