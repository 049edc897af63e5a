/* SPDX-License-Identifier: MIT */
/* Cases of numbers that had been waited for and closed, as stdio does, when they became another file. */
#include "cases.h"

#define LARGE 4000000 /* more than a socket takes at once */

/* A socket that has been waited for, closed. */
static void leave_number(struct book *book)
{
    char buffer[8];
    int fds[2];
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    later_write(20, fds[1], "hello");
    SAY(read(fds[0], buffer, sizeof buffer));
    later_done();
    SAY(fclose(fdopen(fds[0], "r+")));
    SAY(close(fds[1]));
}

/* Receives a descriptor that was sent along with a byte. */
static int receive_descriptor(int fd)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec room = {&byte, 1};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) != 1)
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static ssize_t send_descriptor(int to, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = "";
    char text = 0;
    struct iovec byte = {&text, 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(to, &message, 0);
}

static void reused_by_another_number(struct book *book, int command)
{
    char buffer[8];
    int fds[2], twin;
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    leave_number(book);
    SAY((twin = fcntl(fds[0], command, 0)) > fds[1]);
    later_write(20, fds[1], "hello");
    SAY(read(twin, buffer, sizeof buffer));
    later_done();
    SAY(close(twin));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
}

static void reused_by_a_sent_one(struct book *book)
{
    char buffer[8];
    int fds[2], carrier[2], twin;
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, carrier));
    leave_number(book);
    SAY(send_descriptor(carrier[1], fds[0]));
    SAY((twin = receive_descriptor(carrier[0])) > carrier[1]);
    later_write(20, fds[1], "hello");
    SAY(recv(twin, buffer, sizeof buffer, 0));
    later_done();
    SAY(close(twin));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    SAY(close(carrier[0]));
    SAY(close(carrier[1]));
}

static void reused_elsewhere(struct book *book)
{
    static char much[LARGE];
    char buffer[8];
    int fds[2], port, listener;
    leave_number(book);
    SAY(elsewhere_pair(fds));
    later_write(20, fds[1], "hello");
    SAY(recvfrom(fds[0], buffer, sizeof buffer, 0, NULL, NULL));
    later_done();
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    leave_number(book);
    SAY(elsewhere_pair(fds));
    later_read(20, fds[1], sizeof much);
    SAY(write(fds[0], much, sizeof much));
    later_done();
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    leave_number(book);
    SAY((listener = elsewhere_listener(&port)) >= 0);
    later_connect(20, port);
    SAY(close(accept(listener, NULL, NULL)));
    later_done();
    SAY(close(listener));
}

static void reused_numbers(struct book *book)
{
    reused_by_another_number(book, F_DUPFD);
    reused_by_another_number(book, F_DUPFD_CLOEXEC);
    reused_by_a_sent_one(book);
    reused_elsewhere(book);
}
