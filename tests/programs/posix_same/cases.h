/* SPDX-License-Identifier: MIT */
/* What each file of cases begins with. It is compiled twice, plainly and with <verd/posix.h>. */
#ifndef POSIX_SAME_CASES_H
#define POSIX_SAME_CASES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "book.h"

#define SAY(call)                             \
    do {                                      \
        errno = 0;                            \
        long said_ = (long)(call);            \
        book_note(book, #call, said_, errno); \
    } while (0)

/* For the next line: what is about to be tried. */
#define CASE(text) book_note(book, text, 0, 0)

/* For the compiler not to see through. */
__attribute__((unused)) static volatile int minus_one = -1;

static volatile sig_atomic_t caught;

static void catch (int signal)
{
    (void)signal;
    caught++;
}

__attribute__((unused)) static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_flags = flags};
    action.sa_handler = catch;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
    caught = 0;
}

/* A TCP listener on the loopback interface. */
__attribute__((unused)) static int make_listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

__attribute__((unused)) static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

__attribute__((unused)) static bool set_flags(int fd, int flags)
{
    return fcntl(fd, F_SETFL, flags) == 0;
}

#endif
