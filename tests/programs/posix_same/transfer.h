/* SPDX-License-Identifier: MIT */
/* Cases of read, write and their vectors: pipes and pairs of sockets. */
#include "cases.h"

static void reading(struct book *book)
{
    char buffer[64] = "";
    int fds[2];
    SAY(pipe(fds));
    SAY(flags_of(fds[0]) & O_NONBLOCK);
    SAY(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    later_write(20, fds[1], "hello");
    SAY(read(fds[0], buffer, sizeof buffer));
    SAY(memcmp(buffer, "hello", 5));
    SAY(write(fds[1], "abcdef", 6));
    SAY(read(fds[0], buffer, 4));
    SAY(read(fds[0], buffer, 0));
    SAY(read(fds[0], buffer, 4));
    SAY(set_flags(fds[0], O_NONBLOCK));
    SAY(flags_of(fds[0]) & O_NONBLOCK);
    SAY(read(fds[0], buffer, 4));
    SAY(read(fds[0], buffer, 0));
    SAY(write(fds[1], "xy", 2));
    SAY(read(fds[0], buffer, 4));
    SAY(set_flags(fds[0], 0));
    later_write(20, fds[1], "late");
    SAY(read(fds[0], buffer, 4));
    SAY(read(fds[1], buffer, 4));
    SAY(write(fds[0], buffer, 4));
    SAY(close(fds[1]));
    SAY(read(fds[0], buffer, 4));
    SAY(read(fds[0], buffer, 0));
    SAY(close(fds[0]));
    SAY(read(fds[0], buffer, 4));
    SAY(read(-1, buffer, 4));
    SAY(close(-1));
    later_done();
}

static void writing(struct book *book)
{
    static char much[300000];
    int fds[2];
    struct iovec vector[3] = {{much, 100000}, {much + 100000, 0}, {much + 100000, 150000}};
    SAY(pipe2(fds, O_CLOEXEC));
    SAY(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    later_read(20, fds[0], sizeof much);
    SAY(write(fds[1], much, sizeof much)); /* all, however little room there is */
    later_done();
    later_read(20, fds[0], 250000);
    SAY(writev(fds[1], vector, 3));
    later_done();
    SAY(write(fds[1], much, 0));
    SAY(set_flags(fds[1], O_NONBLOCK));
    SAY(write(fds[1], much, sizeof much) < (ssize_t)sizeof much);
    SAY(write(fds[1], much, sizeof much));
    SAY(write(fds[1], much, 1));
    SAY(writev(fds[1], vector, 3));
    SAY(set_flags(fds[1], 0));
    later_read(20, fds[0], 65536);
    SAY(write(fds[1], much, 1));
    later_done();
    handle(SIGPIPE, SA_RESTART);
    SAY(close(fds[0]));
    SAY(write(fds[1], much, 1));
    SAY(caught);
    signal(SIGPIPE, SIG_IGN);
    SAY(write(fds[1], much, 1));
    SAY(writev(fds[1], vector, 1));
    signal(SIGPIPE, SIG_DFL);
    SAY(close(fds[1]));
    SAY(write(fds[1], much, 1));
    SAY(writev(-1, vector, 3));
    SAY(pipe2(fds, 12345));
}

static void vectors(struct book *book)
{
    char a[4] = "", b[8] = "";
    struct iovec room[2] = {{a, 3}, {b, 5}}, none[1] = {{a, 0}};
    int fds[2];
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(flags_of(fds[0]) & O_NONBLOCK);
    SAY(write(fds[1], "abcdefgh", 8));
    SAY(readv(fds[0], room, 2));
    SAY(memcmp(a, "abc", 3));
    SAY(memcmp(b, "defgh", 5));
    later_write(20, fds[1], "12345");
    SAY(readv(fds[0], room, 2));
    SAY(readv(fds[0], none, 1));
    SAY(readv(fds[0], room, minus_one));
    SAY(readv(fds[0], room, IOV_MAX - minus_one));
    SAY(writev(fds[0], room, minus_one));
    SAY(writev(fds[0], room, 0));
    SAY(writev(fds[0], room, 2));
    later_done();
    SAY(shutdown(fds[0], SHUT_WR));
    SAY(read(fds[1], b, 8));
    SAY(read(fds[1], b, 8));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    SAY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
    SAY(flags_of(fds[0]) & O_NONBLOCK);
    SAY(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
    SAY(read(fds[0], b, 8));
    SAY(readv(fds[0], room, 2));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    SAY(socketpair(AF_INET, SOCK_STREAM, 0, fds));
}

static void numbers(struct book *book)
{
    char byte;
    int fds[2], twin, reader;
    SAY(pipe(fds));
    SAY((reader = dup(fds[0])) > 0);
    SAY((twin = dup(fds[0])) > 0);
    SAY(write(fds[1], "ab", 2));
    SAY(read(twin, &byte, 1));
    SAY(byte);
    SAY(read(fds[0], &byte, 1));
    SAY(byte);
    SAY(close(fds[0]));
    later_write(20, fds[1], "c");
    SAY(read(twin, &byte, 1));
    later_done();
    SAY(dup2(twin, twin) == twin);
    SAY(dup2(fds[1], twin) == twin);
    SAY(write(twin, "d", 1));
    SAY(dup2(-1, twin));
    SAY(dup2(4000, twin));
    SAY(dup3(fds[1], fds[1], 0));
    SAY(dup3(fds[1], twin, O_CLOEXEC) == twin);
    SAY(fcntl(twin, F_GETFD) & FD_CLOEXEC);
    SAY(dup(-1));
    SAY(close(twin));
    SAY(close(twin));
    SAY(read(reader, &byte, 1));
    SAY(close(reader));
    SAY(close(fds[1]));
}

static void counters(struct book *book)
{
    uint64_t value = 3;
    int fd = eventfd(0, 0);
    SAY(write(fd, &value, sizeof value));
    SAY(read(fd, &value, 4));
    SAY(read(fd, &value, sizeof value));
    SAY(value);
    SAY(write(fd, &value, 4));
    SAY(set_flags(fd, O_NONBLOCK));
    SAY(read(fd, &value, sizeof value));
    SAY(close(fd));
}
