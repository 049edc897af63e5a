/* SPDX-License-Identifier: MIT */
/* Cases of sockets. */
#include "cases.h"

static void receiving(struct book *book)
{
    char buffer[16] = "";
    int fds[2];
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(recv(fds[0], buffer, 4, MSG_DONTWAIT));
    SAY(send(fds[1], "abcdef", 6, 0));
    SAY(recv(fds[0], buffer, 4, MSG_PEEK));
    SAY(recv(fds[0], buffer, 4, MSG_PEEK));
    SAY(memcmp(buffer, "abcd", 4));
    SAY(recv(fds[0], buffer, 2, 0));
    later_write(20, fds[1], "ghij");
    SAY(recv(fds[0], buffer, 8, MSG_WAITALL));
    SAY(memcmp(buffer, "cdefghij", 8));
    later_done();
    SAY(recv(fds[0], buffer, 4, MSG_DONTWAIT));
    later_write(20, fds[1], "k");
    SAY(recvfrom(fds[0], buffer, 4, 0, NULL, NULL));
    later_done();
    SAY(set_flags(fds[0], O_NONBLOCK));
    SAY(recv(fds[0], buffer, 4, 0));
    SAY(recv(fds[0], buffer, 4, MSG_WAITALL));
    SAY(recvfrom(fds[0], buffer, 4, 0, NULL, NULL));
    SAY(set_flags(fds[0], 0));
    later_close(20, fds[1]);
    SAY(recv(fds[0], buffer, 8, MSG_WAITALL));
    later_done();
    SAY(recv(fds[0], buffer, 8, 0));
    SAY(send(fds[0], "x", 1, MSG_NOSIGNAL));
    handle(SIGPIPE, 0);
    SAY(send(fds[0], "x", 1, 0));
    SAY(caught);
    SAY(close(fds[0]));
    SAY(recv(fds[0], buffer, 8, 0));
    SAY(send(fds[0], "x", 1, 0));
    SAY(pipe(fds));
    SAY(recv(fds[0], buffer, 8, 0));
    SAY(send(fds[1], "x", 1, 0));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    signal(SIGPIPE, SIG_DFL);
}

static void sending(struct book *book)
{
    static char much[3000000];
    int fds[2];
    struct iovec vector[2] = {{much, 1000000}, {much, 2000000}};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    later_read(20, fds[1], sizeof much);
    SAY(send(fds[0], much, sizeof much, 0));
    later_done();
    later_read(20, fds[1], sizeof much);
    SAY(sendmsg(fds[0], &message, 0));
    later_done();
    later_read(20, fds[1], sizeof much);
    SAY(writev(fds[0], vector, 2));
    later_done();
    SAY(send(fds[0], much, sizeof much, MSG_DONTWAIT) < (ssize_t)sizeof much);
    SAY(send(fds[0], much, sizeof much, MSG_DONTWAIT) < (ssize_t)sizeof much);
    SAY(set_flags(fds[0], O_NONBLOCK));
    while (send(fds[0], much, 1, 0) > 0)
        ;
    SAY(send(fds[0], much, sizeof much, 0));
    SAY(sendmsg(fds[0], &message, 0));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void timed_messages(struct book *book, const int fds[2], struct mmsghdr *several)
{
    struct timespec span = {5, 0};
    SAY(write(fds[0], "abc", 3));
    SAY(recvmmsg(fds[1], several, 1, 0, &span));
    SAY(span.tv_sec);
    SAY(recvmmsg(fds[1], several, 1, MSG_DONTWAIT, &span));
    SAY(write(fds[0], "abc", 3));
    span = (struct timespec){0, 0};
    SAY(recvmmsg(fds[1], several, 3, 0, &span));
    SAY(span.tv_sec + span.tv_nsec);
}

static void datagrams(struct book *book)
{
    char buffer[16] = "";
    struct iovec room = {buffer, 4};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    struct mmsghdr several[3] = {0};
    struct iovec parts[3] = {{buffer, 2}, {buffer + 2, 2}, {buffer + 4, 2}};
    int fds[2];
    SAY(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    SAY(send(fds[0], "", 0, 0));
    SAY(recv(fds[1], buffer, sizeof buffer, 0));
    SAY(write(fds[0], "abcdef", 6));
    SAY(recvmsg(fds[1], &message, 0));
    SAY(message.msg_flags & MSG_TRUNC);
    SAY(write(fds[0], "abcdef", 6));
    SAY(recv(fds[1], buffer, 4, MSG_TRUNC));
    later_write(20, fds[0], "xyz");
    SAY(recv(fds[1], buffer, sizeof buffer, MSG_WAITALL));
    later_done();
    for (int i = 0; i < 3; i++)
        several[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    SAY(sendmmsg(fds[0], several, 3, 0));
    SAY(several[2].msg_len);
    SAY(recvmmsg(fds[1], several, 2, 0, NULL));
    SAY(recvmmsg(fds[1], several, 3, MSG_WAITFORONE, NULL));
    SAY(recvmmsg(fds[1], several, 3, MSG_DONTWAIT, NULL));
    SAY(recvmmsg(fds[1], several, 0, 0, NULL));
    later_write(20, fds[0], "qq");
    SAY(recvmmsg(fds[1], several, 3, MSG_WAITFORONE, NULL));
    later_done();
    SAY(sendmmsg(-1, several, 3, 0));
    SAY(sendmmsg(-1, several, 0, 0));
    SAY(recvmmsg(-1, several, 0, 0, NULL));
    SAY(sendmmsg(fds[0], several, 0, 0));
    if (!is_emulated()) /* it lets the timeout be */
        timed_messages(book, fds, several);
    SAY(set_flags(fds[1], O_NONBLOCK));
    SAY(recvmsg(fds[1], &message, 0));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void addressed_datagrams(struct book *book)
{
    char buffer[16];
    struct sockaddr_in to = loopback(0), from;
    socklen_t length = sizeof to;
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr *address = (struct sockaddr *)&to;
    SAY(bind(receiver, address, length));
    SAY(getsockname(receiver, address, &length));
    SAY(sendto(sender, "abc", 3, 0, address, length));
    SAY(recvfrom(receiver, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length));
    SAY(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && length == sizeof from);
    SAY(sendto(receiver, "de", 2, MSG_DONTWAIT, (struct sockaddr *)&from, length));
    SAY(recvfrom(sender, buffer, sizeof buffer, 0, NULL, NULL));
    SAY(sendto(sender, "", 0, 0, address, length));
    SAY(recv(receiver, buffer, sizeof buffer, 0));
    SAY(sendto(sender, "x", 1, 0, NULL, 0));
    SAY(sendto(sender, "x", 1, 0, address, 3));
    SAY(sendto(sender, "x", 1, MSG_OOB, address, length));
    SAY(sendto(sender, buffer, 70000, 0, address, length));
    SAY(sendto(-1, "x", 1, 0, address, length));
    SAY(close(sender));
    SAY(close(receiver));
}

/* How much there has to be for a receive that waits. */
static void low_water_of(struct book *book, int from, int to)
{
    char buffer[16] = "";
    struct iovec vector[2] = {{buffer, 3}, {buffer + 3, 5}};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
    struct timeval limit = {0, 50000};
    int least = 4;
    later_write(20, from, "z");
    SAY(recv(to, buffer, 0, 0)); /* waits */
    SAY(recv(to, buffer, 8, MSG_DONTWAIT));
    later_done();
    SAY(recv(to, buffer, 0, MSG_DONTWAIT));
    SAY(read(to, buffer, 0));
    SAY(setsockopt(to, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least));
    SAY(send(from, "ab", 2, 0));
    SAY(recv(to, buffer, 1, 0));
    SAY(recv(to, buffer, 8, MSG_DONTWAIT));
    SAY(send(from, "ab", 2, 0));
    later_write(20, from, "cdef"); /* TCP, which has taken the two, waits for four more */
    SAY(recv(to, buffer, 8, 0));
    SAY(memcmp(buffer, "abcdef", 6));
    later_done();
    SAY(send(from, "ab", 2, 0));
    later_write(20, from, "cdef");
    SAY(read(to, buffer, 8));
    later_done();
    SAY(send(from, "ab", 2, 0));
    later_write(20, from, "cdef");
    SAY(recvmsg(to, &message, 0));
    later_done();
    SAY(send(from, "ab", 2, 0));
    later_write(20, from, "cdef");
    SAY(readv(to, vector, 2));
    later_done();
    SAY(send(from, "ab", 2, 0));
    handle(SIGUSR1, 0);
    later_signal(30, SIGUSR1);
    SAY(recv(to, buffer, 8, 0)); /* is interrupted with what there is */
    SAY(caught);
    later_done();
    signal(SIGUSR1, SIG_DFL);
    if (limits_are_told()) {
        SAY(setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
        SAY(send(from, "ab", 2, 0));
        SAY(recv(to, buffer, 8, 0)); /* likewise */
        SAY(recv(to, buffer, 8, 0));
    }
    SAY(send(from, "ab", 2, 0));
    SAY(shutdown(from, SHUT_WR));
    SAY(recv(to, buffer, 8, 0));
    SAY(recv(to, buffer, 8, 0));
    SAY(recv(to, buffer, 0, 0));
    SAY(close(from));
    SAY(close(to));
}

static void low_water(struct book *book)
{
    struct sockaddr_in address;
    int fds[2], port, listener = make_listener(&port), client;
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    low_water_of(book, fds[0], fds[1]);
    address = loopback(port);
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    low_water_of(book, client, accept(listener, NULL, NULL));
    SAY(close(listener));
}

static void limits(struct book *book)
{
    if (!limits_are_told())
        return;
    static char much[3000000];
    struct timeval limit = {0, 50000};
    char byte;
    int fds[2], port, listener = make_listener(&port);
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    SAY(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    long begun = now_ms();
    SAY(recv(fds[0], &byte, 1, 0));
    SAY(now_ms() - begun >= 45);
    SAY(read(fds[0], &byte, 1));
    SAY(send(fds[0], much, sizeof much, 0) < (ssize_t)sizeof much);
    SAY(send(fds[0], much, sizeof much, 0));
    SAY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    SAY(accept(listener, NULL, NULL));
    SAY(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, 1));
    SAY(setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    SAY(close(listener));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void connections(struct book *book)
{
    char buffer[16];
    struct sockaddr_in address, peer;
    struct pollfd writable;
    socklen_t length = sizeof peer, int_length = sizeof(int);
    int port, error = -1, no_delay = -1, client, server, listener = make_listener(&port);
    address = loopback(port);
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    SAY(flags_of(client) & O_NONBLOCK);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(flags_of(client) & O_NONBLOCK);
    SAY((server = accept(listener, (struct sockaddr *)&peer, &length)) > 0);
    SAY(length);
    SAY(peer.sin_family);
    SAY(flags_of(server) & O_NONBLOCK);
    SAY(fcntl(server, F_GETFD) & FD_CLOEXEC);
    SAY(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &no_delay, &int_length));
    SAY(no_delay);
    SAY(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &no_delay, &int_length));
    SAY(no_delay);
    later_write(20, client, "ping");
    SAY(read(server, buffer, sizeof buffer));
    later_done();
    SAY(shutdown(client, SHUT_WR));
    SAY(read(server, buffer, sizeof buffer));
    SAY(shutdown(-1, SHUT_WR));
    SAY(close(client));
    SAY(close(server));
    later_connect(20, port);
    SAY((server = accept(listener, NULL, NULL)) > 0);
    SAY(read(server, buffer, sizeof buffer));
    SAY(close(server));
    later_done();
    later_connect(20, port);
    SAY((server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) > 0);
    SAY(flags_of(server) & O_NONBLOCK);
    SAY(fcntl(server, F_GETFD) & FD_CLOEXEC);
    SAY(close(server));
    later_done();
    SAY(set_flags(listener, O_NONBLOCK));
    SAY(accept(listener, NULL, NULL));
    SAY((client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) > 0);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    writable = (struct pollfd){.fd = client, .events = POLLOUT};
    SAY(poll(&writable, 1, 5000));
    SAY(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &int_length));
    SAY(error);
    SAY((server = accept(listener, NULL, NULL)) > 0);
    SAY(flags_of(server) & O_NONBLOCK);
    SAY(close(server));
    SAY(close(client));
    SAY(close(listener));
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(connect(client, (struct sockaddr *)&address, 3));
    SAY(accept(client, NULL, NULL));
    SAY(close(client));
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(accept(client, NULL, NULL));
    SAY(accept(STDIN_FILENO + 4000, NULL, NULL));
    int fds[2];
    const struct sockaddr *volatile nowhere = (const struct sockaddr *)8;
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    SAY(connect(client, nowhere, sizeof address));
    SAY(connect(client, NULL, sizeof address));
    SAY(close(client));
    SAY(pipe(fds));
    SAY(sendmmsg(fds[0], NULL, 0, 0));
    SAY(recvmmsg(fds[0], NULL, 0, 0, NULL));
    SAY(accept(fds[0], NULL, NULL));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(accept(fds[0], NULL, NULL));
    SAY(send(fds[1], "x", 1, 0));
    SAY(recv(fds[0], fds, 0, 0));
    SAY(accept(fds[0], NULL, NULL));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    SAY((fds[0] = socket(AF_INET, SOCK_DGRAM, 0)) > 0);
    SAY(accept(fds[0], NULL, NULL));
    SAY(close(fds[0]));
    SAY(socket(AF_INET, 12345, 0));
    SAY(socket(12345, SOCK_STREAM, 0));
    SAY(listen(-1, 3));
}

/* A listener's room is taken by others. */
static void fill_backlog(const struct sockaddr *address, socklen_t length, int clients[8])
{
    for (int i = 0; i < 8; i++) {
        clients[i] = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(clients[i], address, length);
    }
}

/* What a limit bounds is not restarted. */
static void be_interrupted(struct book *book, int client, const struct sockaddr *address,
                           socklen_t length)
{
    struct timeval limit = {5, 0};
    SAY(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    handle(SIGUSR1, SA_RESTART);
    later_signal(30, SIGUSR1);
    SAY(connect(client, address, length));
    SAY(caught);
    later_done();
    signal(SIGUSR1, SIG_DFL);
}

/* To a listener that has no room for more. */
static void slow_connections(struct book *book)
{
    if (!limits_are_told())
        return;
    struct timeval limit = {0, 50000};
    int port, listener = make_listener(&port), clients[8], client;
    struct sockaddr_in address = loopback(port);
    SAY(listen(listener, 0));
    fill_backlog((struct sockaddr *)&address, sizeof address, clients);
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    SAY(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    long begun = now_ms();
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(now_ms() - begun >= 45);
    be_interrupted(book, client, (struct sockaddr *)&address, sizeof address);
    SAY(close(client));
    SAY((client = socket(AF_INET, SOCK_STREAM, 0)) > 0);
    handle(SIGUSR1, 0);
    later_signal(30, SIGUSR1);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(close(client));
    later_done();
    for (int i = 0; i < 8; i++)
        close(clients[i]);
    SAY(close(listener));
    signal(SIGUSR1, SIG_DFL);
}

static void unix_connections(struct book *book)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener, client, server;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/verd-posix-%d", (int)getpid());
    unlink(address.sun_path);
    SAY((listener = socket(AF_UNIX, SOCK_STREAM, 0)) > 0);
    SAY((client = socket(AF_UNIX, SOCK_STREAM, 0)) > 0);
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(bind(listener, (struct sockaddr *)&address, sizeof address));
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(listen(listener, 3));
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY((server = accept(listener, NULL, NULL)) > 0);
    SAY(write(server, "x", 1));
    SAY(read(client, &(char){0}, 1));
    SAY(close(server));
    SAY(close(client));
    SAY(close(listener));
    unlink(address.sun_path);
}

/* A listener with a full backlog is waited for as long as a send may last. */
static void unix_backlog(struct book *book)
{
    if (!limits_are_told())
        return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {0, 50000};
    int listener, clients[8], client;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/verd-posix-%d", (int)getpid());
    unlink(address.sun_path);
    SAY((listener = socket(AF_UNIX, SOCK_STREAM, 0)) > 0);
    SAY(bind(listener, (struct sockaddr *)&address, sizeof address));
    SAY(listen(listener, 0));
    fill_backlog((struct sockaddr *)&address, sizeof address, clients);
    SAY((client = socket(AF_UNIX, SOCK_STREAM, 0)) > 0);
    SAY(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    long begun = now_ms();
    SAY(connect(client, (struct sockaddr *)&address, sizeof address));
    SAY(now_ms() - begun >= 45);
    be_interrupted(book, client, (struct sockaddr *)&address, sizeof address);
    SAY(close(client));
    for (int i = 0; i < 8; i++)
        close(clients[i]);
    SAY(close(listener));
    unlink(address.sun_path);
}
