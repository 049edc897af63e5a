/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/hub.h"

static bool audits;

void with_audits(void)
{
    audits = true;
}

/* To be called before anyone has waited for a descriptor. */
static void prepare(void)
{
    if (!audits)
        verd__loop(verd__scheduler())->audit_interval = 3600 * VERD_SEC;
}

static void *run(void *arg)
{
    struct call *call = arg;
    call->outcome = outcome(call->make(call));
    call->returned = true;
    return NULL;
}

void settle(void)
{
    for (int i = 0; i < 4; i++)
        verd_sleep(1);
}

void call_start(struct call *call, ssize_t (*make)(struct call *call), int fd)
{
    prepare();
    call->fd = fd;
    call->make = make;
    call->returned = false;
    call->thread = verd_spawn(run, call);
    settle();
}

ssize_t call_end(struct call *call)
{
    verd_join(call->thread, NULL);
    return call->outcome;
}

ssize_t call_read(struct call *call)
{
    return verd_read(call->fd, call->data, sizeof call->data);
}

ssize_t call_recv(struct call *call)
{
    return verd_recv(call->fd, call->data, sizeof call->data, 0);
}

ssize_t call_write(struct call *call)
{
    return verd_write(call->fd, call->data, call->size);
}

ssize_t call_accept(struct call *call)
{
    return verd_accept(call->fd, NULL, NULL);
}

ssize_t call_wait_input(struct call *call)
{
    return verd_wait_fd(call->fd, POLLIN);
}

ssize_t call_poll_input(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    int count = verd_poll(&poller, 1, -1);
    return count < 0 ? -1 : poller.revents;
}

ssize_t call_within(verd_duration limit, struct call *call, ssize_t (*make)(struct call *call),
                    int fd)
{
    verd_timeout timeout;
    call->fd = fd;
    verd_timeout_begin(&timeout, limit);
    call->outcome = outcome(make(call));
    verd_timeout_end(&timeout);
    return call->outcome;
}

/* Without its world a test must not go on. */
static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    perror(what);
    abort();
}

void make_pair(int fds[2])
{
    prepare();
    must(verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "verd_socketpair");
}

void make_foreign_pair(int fds[2])
{
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
}

int make_listener(int *port)
{
    prepare();
    int listener = verd_listen("127.0.0.1", 0, 0);
    must(listener, "verd_listen");
    *port = verd_port(listener);
    return listener;
}

void make_tcp_pair(int fds[2])
{
    int port;
    int listener = make_listener(&port);
    fds[0] = verd_connect("127.0.0.1", port);
    must(fds[0], "verd_connect");
    fds[1] = verd_accept(listener, NULL, NULL);
    must(fds[1], "verd_accept");
    verd_close(listener);
}

int make_full_listener(int family)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *address = (struct sockaddr *)&ipv4;
    socklen_t length = sizeof ipv4;
    if (family == AF_INET6) {
        address = (struct sockaddr *)&ipv6;
        length = sizeof ipv6;
    }
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, address, length) != 0)
        return -1;
    must(listen(listener, 0), "listen");
    getsockname(listener, address, &length);
    for (int i = 0; i < 8; i++)
        connect(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), address, length);
    poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, -1); /* until one is in */
    return listener;
}

/* Moves bytes until nothing more goes, with O_NONBLOCK set for so long. */
static size_t move(int fd, bool out)
{
    static char buffer[4096];
    size_t total = 0;
    ssize_t n;
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    do {
        n = out ? write(fd, buffer, sizeof buffer) : read(fd, buffer, sizeof buffer);
        total += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    fcntl(fd, F_SETFL, flags);
    return total;
}

size_t fill(int fd)
{
    return move(fd, true);
}

size_t drain(int fd)
{
    return move(fd, false);
}
