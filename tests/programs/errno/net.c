/* SPDX-License-Identifier: MIT */
/* <verd/net.h> */
#include "table.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/un.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- descriptors ---- */

static int fds[2] = {-1, -1}; /* calls are made on the first */
static char byte;

static void make_pair(void)
{
    must(real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
}

static void fill(int fd)
{
    static char bytes[4096];
    while (real_write(fd, bytes, sizeof bytes) > 0)
        ;
}

/* Of which the first takes no more. */
static void make_full_pair(void)
{
    make_pair();
    fill(fds[0]);
}

static void make_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fds[0] = real_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(real_bind(fds[0], &address, sizeof address) == 0 && real_listen(fds[0], 1) == 0);
}

static void run_until_it_waits(void (*fn)(void *))
{
    must(verd_spawn_n(fn, NULL) == 0);
    verd_yield();
}

static void read_first(void *arg)
{
    (void)arg;
    verd_read(fds[0], &byte, 1);
}

static void wait_to_write(void *arg)
{
    (void)arg;
    verd_wait_fd(fds[0], POLLOUT);
}

static void accept_first(void *arg)
{
    (void)arg;
    verd_accept(fds[0], NULL, NULL);
}

static void have_reader(void)
{
    make_pair();
    run_until_it_waits(read_first);
}

static void have_writer(void)
{
    make_full_pair();
    run_until_it_waits(wait_to_write);
}

static void have_acceptor(void)
{
    make_listener();
    run_until_it_waits(accept_first);
}

/* ---- reading and writing ---- */

static struct iovec part = {&byte, 1};
static struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

CALL(read_one, verd_read(fds[0], &byte, 1))
CALL(readv_one, verd_readv(fds[0], &part, 1))
CALL(recv_one, verd_recv(fds[0], &byte, 1, 0))
CALL(recv_at_once, verd_recv(fds[0], &byte, 1, MSG_DONTWAIT))
CALL(recvfrom_one, verd_recvfrom(fds[0], &byte, 1, 0, NULL, NULL))
CALL(recvfrom_at_once, verd_recvfrom(fds[0], &byte, 1, MSG_DONTWAIT, NULL, NULL))
CALL(recvmsg_one, verd_recvmsg(fds[0], &message, 0))
CALL(recvmsg_at_once, verd_recvmsg(fds[0], &message, MSG_DONTWAIT))
CALL(read_full, verd_read_full(fds[0], &byte, 1, NULL))
CALL(write_one, verd_write(fds[0], &byte, 1))
CALL(writev_one, verd_writev(fds[0], &part, 1))
CALL(send_one, verd_send(fds[0], &byte, 1, 0))
CALL(send_at_once, verd_send(fds[0], &byte, 1, MSG_DONTWAIT))
CALL(sendto_one, verd_sendto(fds[0], &byte, 1, 0, NULL, 0))
CALL(sendto_at_once, verd_sendto(fds[0], &byte, 1, MSG_DONTWAIT, NULL, 0))
CALL(sendmsg_one, verd_sendmsg(fds[0], &message, 0))
CALL(sendmsg_at_once, verd_sendmsg(fds[0], &message, MSG_DONTWAIT))
CALL(write_full, verd_write_full(fds[0], &byte, 1, NULL))
CALL(writev_full, verd_writev_full(fds[0], &part, 1, NULL))

static void *do_nothing(void *arg)
{
    return arg;
}

/* The inbox is waited for already, where a file is sent by another OS thread. */
static void make_full_pair_and_inbox(void)
{
    make_full_pair();
    must(verd_offload(do_nothing, NULL, NULL) == 0);
}

static int send_file(void)
{
    int file = real_open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return verd_sendfile(fds[0], file, NULL, 1) < 0 ? errno : 0;
}

/* ---- connecting and accepting ---- */

static int connect_to(int fd, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return verd_connect_to(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
}

static int port_of_first(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    must(getsockname(fds[0], (struct sockaddr *)&address, &length) == 0);
    return ntohs(address.sin_port);
}

/* A socket whose connection is never accepted: the backlog is full. */
static void begin_connection(void)
{
    make_listener();
    for (int i = 0; i < 8; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port_of_first()),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fds[1] = real_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        must(real_connect(fds[1], &address, sizeof address) == 0 || errno == EINPROGRESS);
    }
}

static int connect_again(void)
{
    return connect_to(fds[1], (uint16_t)port_of_first());
}

static int connect_new(void)
{
    fds[1] = real_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return connect_again();
}

static int connect_blocking(void)
{
    fds[1] = real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect_again();
}

static void make_listener_and_get_stuck(void)
{
    make_listener();
    get_all_stuck(VERD_OFFLOAD_DEVICES);
}

static int connect_for_a_while(void)
{
    struct timeval limit = {.tv_usec = 1000};
    fds[1] = real_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(setsockopt(fds[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    return connect_again();
}

static int connect_nothing(void)
{
    return connect_to(-1, 1);
}

static int connect_to_nobody(void)
{
    make_listener();
    int port = port_of_first();
    real_close(fds[0]);
    return verd_connect("127.0.0.1", port) < 0 ? errno : 0;
}

CALL(accept_one, verd_accept(fds[0], NULL, NULL))
CALL(connect_by_number, verd_connect("127.0.0.1", 1))
CALL(connect_by_name, verd_connect("localhost", 1))
CALL(connect_nowhere, verd_connect(NULL, 1))
CALL(connect_to_no_address, verd_connect("no such name", 1))
CALL(connect_unix, verd_connect_unix("@libverd-errno"))
CALL(connect_unix_nowhere, verd_connect_unix(NULL))
CALL(listen_on_all, verd_listen(NULL, 0, 0))
CALL(listen_by_name, verd_listen("localhost", 0, 0))
CALL(listen_badly, verd_listen(NULL, -1, 0))
CALL(listen_at_no_address, verd_listen("no such name", 0, 0))
CALL(listen_unix, verd_listen_unix("@libverd-errno", 0))
CALL(listen_unix_nowhere, verd_listen_unix(NULL, 0))
CALL(port_of_pair, verd_port(fds[0]))

#define LONG                                                                                       \
    "@0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" \
    "01234567890123456789"

CALL(listen_unix_far, verd_listen_unix(LONG, 0))
CALL(connect_unix_far, verd_connect_unix(LONG))

static int listen_again(void)
{
    return verd_listen("127.0.0.1", port_of_first(), 0) < 0 ? errno : 0;
}

static void listen_first(void)
{
    fds[0] = verd_listen_unix("@libverd-errno", 0);
    must(fds[0] >= 0);
}

/* ---- the rest ---- */

CALL(make_pipe, verd_pipe(fds))
CALL(make_socketpair, verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
CALL(close_nothing, verd_close(-1))
CALL(close_first, verd_close(fds[0]))
CALL(wait_for_input, verd_wait_fd(fds[0], POLLIN))
CALL(wait_for_nothing, verd_wait_fd(fds[0], 0))

static int poll_first(void)
{
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    return verd_poll(&poller, 1, -1) < 0 ? errno : 0;
}

/* What the head of the header says of calls that wait for a descriptor. */
#define WAITS_FOR_FILE(function, prepare, call, busy)                      \
    BLOCKS(function, prepare, call), PLAINLY(function, EBUSY, busy, call), \
        WITHOUT(function, ENOMEM, prepare, call, "calloc"),                \
        WITHOUT(function, EMFILE, prepare, call, "epoll_create1"),         \
        WITHOUT(function, ENFILE, prepare, call, "epoll_create1")
#define WAITS_BUT_FOR_EBADF(function, prepare, call, busy) \
    WAITS_FOR_FILE(function, prepare, call, busy),         \
        WITHOUT(function, ENOSPC, prepare, call, "epoll_ctl")
#define WAITS_BUT_FOR_ENOSPC(function, prepare, call, busy) \
    WAITS_FOR_FILE(function, prepare, call, busy), PLAINLY(function, EBADF, NULL, call)
#define WAITS(function, prepare, call, busy) \
    WAITS_BUT_FOR_EBADF(function, prepare, call, busy), PLAINLY(function, EBADF, NULL, call)

const struct row net_rows[] = {
    WAITS("verd_read", make_pair, read_one, have_reader),
    WAITS("verd_readv", make_pair, readv_one, have_reader),
    WAITS("verd_recv", make_pair, recv_one, have_reader),
    PLAINLY("verd_recv", EAGAIN, make_pair, recv_at_once),
    WAITS("verd_recvfrom", make_pair, recvfrom_one, have_reader),
    PLAINLY("verd_recvfrom", EAGAIN, make_pair, recvfrom_at_once),
    WAITS("verd_recvmsg", make_pair, recvmsg_one, have_reader),
    PLAINLY("verd_recvmsg", EAGAIN, make_pair, recvmsg_at_once),
    WAITS("verd_read_full", make_pair, read_full, have_reader),
    WAITS("verd_write", make_full_pair, write_one, have_writer),
    WAITS("verd_writev", make_full_pair, writev_one, have_writer),
    WAITS("verd_send", make_full_pair, send_one, have_writer),
    PLAINLY("verd_send", EAGAIN, make_full_pair, send_at_once),
    WAITS("verd_sendto", make_full_pair, sendto_one, have_writer),
    PLAINLY("verd_sendto", EAGAIN, make_full_pair, sendto_at_once),
    WAITS("verd_sendmsg", make_full_pair, sendmsg_one, have_writer),
    PLAINLY("verd_sendmsg", EAGAIN, make_full_pair, sendmsg_at_once),
    WAITS("verd_write_full", make_full_pair, write_full, have_writer),
    WAITS("verd_writev_full", make_full_pair, writev_full, have_writer),
    WAITS_BUT_FOR_ENOSPC("verd_sendfile", make_full_pair, send_file, have_writer),
    WITHOUT("verd_sendfile", ENOSPC, make_full_pair_and_inbox, send_file, "epoll_ctl"),
    WAITS("verd_wait_fd", make_pair, wait_for_input, have_reader),
    PLAINLY("verd_wait_fd", EINVAL, make_pair, wait_for_nothing),
    WAITS_BUT_FOR_EBADF("verd_poll", make_pair, poll_first, have_reader),

    BLOCKS("verd_accept", make_listener, accept_one),
    PLAINLY("verd_accept", EBUSY, have_acceptor, accept_one),
    PLAINLY("verd_accept", EBADF, NULL, accept_one),
    BLOCKS("verd_connect_to", begin_connection, connect_new),
    PLAINLY("verd_connect_to", EBADF, NULL, connect_nothing),
    PLAINLY("verd_connect_to", EALREADY, begin_connection, connect_again),
    PLAINLY("verd_connect_to", EBUSY, make_listener_and_get_stuck, connect_blocking),
    WITHOUT("verd_connect_to", EAGAIN, make_listener, connect_blocking, "pthread_create"),
    PLAINLY("verd_connect_to", EINPROGRESS, begin_connection, connect_for_a_while),
    WITHOUT("verd_connect_to", ENOMEM, begin_connection, connect_new, "calloc"),
    WITHOUT("verd_connect_to", EMFILE, begin_connection, connect_new, "epoll_create1"),
    WITHOUT("verd_connect_to", ENFILE, begin_connection, connect_new, "epoll_create1"),
    WITHOUT("verd_connect_to", ENOSPC, begin_connection, connect_new, "epoll_ctl"),
    BLOCKS("verd_connect", NULL, connect_by_number),
    PLAINLY("verd_connect", EINVAL, NULL, connect_nowhere),
    PLAINLY("verd_connect", EADDRNOTAVAIL, NULL, connect_to_no_address),
    PLAINLY("verd_connect", ECONNREFUSED, NULL, connect_to_nobody),
    WITHOUT("verd_connect", EHOSTUNREACH, NULL, connect_by_number, "connect"),
    WITHOUT("verd_connect", ENETUNREACH, NULL, connect_by_number, "connect"),
    WITHOUT("verd_connect", EMFILE, NULL, connect_by_number, "socket"),
    WITHOUT("verd_connect", ENFILE, NULL, connect_by_number, "socket"),
    AT_FIRST("verd_connect", connect_by_number),
    WITHOUT("verd_connect", EAGAIN, NULL, connect_by_name, "pthread_create"),
    BLOCKS("verd_connect_unix", NULL, connect_unix),
    PLAINLY("verd_connect_unix", EINVAL, NULL, connect_unix_nowhere),
    PLAINLY("verd_connect_unix", ENAMETOOLONG, NULL, connect_unix_far),
    WITHOUT("verd_connect_unix", EMFILE, NULL, connect_unix, "socket"),
    WITHOUT("verd_connect_unix", ENFILE, NULL, connect_unix, "socket"),
    AT_FIRST("verd_connect_unix", connect_unix),

    BLOCKS("verd_listen", NULL, listen_on_all),
    PLAINLY("verd_listen", EINVAL, NULL, listen_badly),
    PLAINLY("verd_listen", EADDRNOTAVAIL, NULL, listen_at_no_address),
    PLAINLY("verd_listen", EADDRINUSE, make_listener, listen_again),
    WITHOUT("verd_listen", EACCES, NULL, listen_on_all, "bind"),
    WITHOUT("verd_listen", EMFILE, NULL, listen_on_all, "socket"),
    WITHOUT("verd_listen", ENFILE, NULL, listen_on_all, "socket"),
    AT_FIRST("verd_listen", listen_on_all),
    WITHOUT("verd_listen", EAGAIN, NULL, listen_by_name, "pthread_create"),
    PLAINLY("verd_listen_unix", EINVAL, NULL, listen_unix_nowhere),
    PLAINLY("verd_listen_unix", ENAMETOOLONG, NULL, listen_unix_far),
    PLAINLY("verd_listen_unix", EADDRINUSE, listen_first, listen_unix),
    WITHOUT("verd_listen_unix", EMFILE, NULL, listen_unix, "socket"),
    WITHOUT("verd_listen_unix", ENFILE, NULL, listen_unix, "socket"),
    AT_FIRST("verd_listen_unix", listen_unix),
    PLAINLY("verd_port", EAFNOSUPPORT, make_pair, port_of_pair),

    WITHOUT("verd_pipe", EMFILE, NULL, make_pipe, "pipe2"),
    WITHOUT("verd_pipe", ENFILE, NULL, make_pipe, "pipe2"),
    AT_FIRST("verd_pipe", make_pipe),
    WITHOUT("verd_socketpair", EMFILE, NULL, make_socketpair, "socketpair"),
    WITHOUT("verd_socketpair", ENFILE, NULL, make_socketpair, "socketpair"),
    AT_FIRST("verd_socketpair", make_socketpair),
    PLAINLY("verd_close", EBADF, NULL, close_nothing),
    WITHOUT("verd_close", EIO, make_pair, close_first, "close"),
    {0},
};
