/* SPDX-License-Identifier: MIT */

/* The echo server as one writes it who knows the kernel: a level-triggered epoll loop, a read and
 * a write per message, no state but what a full socket leaves unsent, and no needless call. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "server.h"

#define EVENTS 1024

/* What the socket did not take yet; while there is any, the loop waits for it to take more. */
struct unsent {
    char *bytes; /* owned; NULL: nothing */
    size_t size;
};

static struct unsent *connections; /* by descriptor */
static int epoll;
static const char *fixed; /* the answer to everything; NULL: its echo */
static size_t fixed_size;

static void watch(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &event) != 0)
        bench_fail("epoll_ctl");
}

static void finish(int fd)
{
    free(connections[fd].bytes);
    connections[fd] = (struct unsent){0};
    close(fd);
}

/* Sends; what does not fit is kept. Returns what was sent, or -1 on an error. */
static ssize_t send_some(int fd, const char *bytes, size_t size)
{
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    return sent < 0 && errno == EAGAIN ? 0 : sent;
}

static void answer(int fd)
{
    char buffer[SERVER_BUFFER];
    const char *bytes = fixed != NULL ? fixed : buffer;
    ssize_t size = read(fd, buffer, sizeof buffer);
    if (size <= 0) {
        if (size == 0 || errno != EAGAIN)
            finish(fd);
        return;
    }
    if (fixed != NULL)
        size = (ssize_t)fixed_size;

    ssize_t sent = send_some(fd, bytes, (size_t)size);
    if (sent == size)
        return;
    struct unsent *unsent = &connections[fd];
    unsent->size = (size_t)(size - (sent < 0 ? 0 : sent));
    unsent->bytes = sent < 0 ? NULL : malloc(unsent->size);
    if (unsent->bytes == NULL) {
        finish(fd);
        return;
    }
    memcpy(unsent->bytes, bytes + sent, unsent->size);
    watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void send_rest(int fd)
{
    struct unsent *unsent = &connections[fd];
    ssize_t sent = send_some(fd, unsent->bytes, unsent->size);
    if (sent < 0) {
        finish(fd);
        return;
    }
    unsent->size -= (size_t)sent;
    memmove(unsent->bytes, unsent->bytes + sent, unsent->size);
    if (unsent->size > 0)
        return;
    free(unsent->bytes);
    unsent->bytes = NULL;
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void accept_all(int listener)
{
    int client;
    while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        watch(EPOLL_CTL_ADD, client, EPOLLIN);
    if (errno != EAGAIN && errno != ECONNABORTED)
        bench_fail("accept4");
}

static int start_listening(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        /* accepted sockets inherit it, which saves a call for each */
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        listen(listener, SOMAXCONN) != 0)
        bench_fail("listen");
    return listener;
}

static void tell_port(int listener, int ready)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        bench_fail("getsockname");
    int port = ntohs(address.sin_port);
    if (write(ready, &port, sizeof port) != sizeof port)
        bench_fail("write");
    close(ready);
}

void serve_raw(int ready)
{
    struct epoll_event events[EVENTS];
    struct rlimit limit;
    int listener = start_listening();

    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_fail("the raw server");
    connections = calloc(limit.rlim_cur, sizeof *connections);
    if (connections == NULL)
        bench_fail("calloc");
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    tell_port(listener, ready);

    for (;;) {
        int ready_ones = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready_ones; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all(listener);
            else if (events[i].events & EPOLLOUT)
                send_rest(fd);
            else
                answer(fd);
        }
    }
}

_Noreturn void serve_raw_answer(int ready, const char *answer_given, size_t size)
{
    fixed = answer_given;
    fixed_size = size;
    serve_raw(ready);
    abort();
}
