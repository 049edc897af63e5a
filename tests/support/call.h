/* SPDX-License-Identifier: MIT */
/* I/O calls made on green threads of their own, their outcomes, and descriptors to make them on. */
#ifndef TESTS_SUPPORT_CALL_H
#define TESTS_SUPPORT_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include <verd.h>

/* What a call returned, or -errno. */
static inline ssize_t outcome(ssize_t result)
{
    return result < 0 ? -errno : result;
}

/* A call in the background. */
struct call {
    int fd;
    char data[64];
    size_t size;
    bool returned;
    ssize_t outcome;
    verd_thread *thread;
    ssize_t (*make)(struct call *call);
};

/* The hub looks after long waits once in a while, and so would end one whose event it has missed.
 * In tests it does not, unless they begin with this. */
void with_audits(void);

/* Starts a call on a new thread and lets it run until it returns or waits. */
void call_start(struct call *call, ssize_t (*make)(struct call *call), int fd);

/* Waits for the call's end; its outcome. */
ssize_t call_end(struct call *call);

/* Lets all who can run do so, and whoever a look at the poller wakes: a yield need not look. */
void settle(void);

/* For call_start. They read up to sizeof data bytes, and write `size` bytes of data. */
ssize_t call_read(struct call *call);
ssize_t call_recv(struct call *call);
ssize_t call_write(struct call *call);
ssize_t call_accept(struct call *call);
ssize_t call_wait_input(struct call *call);
ssize_t call_poll_input(struct call *call);

/* What is done under a time limit: the outcome is -ETIMEDOUT unless it came before. */
ssize_t call_within(verd_duration limit, struct call *call, ssize_t (*make)(struct call *call),
                    int fd);

/* Connected stream sockets: of the library's making, of socketpair(2)'s, blocking; and over TCP. */
void make_pair(int fds[2]);
void make_foreign_pair(int fds[2]);
void make_tcp_pair(int fds[2]);

/* A listener on the loopback interface; its port. */
int make_listener(int *port);

/* A listener on the loopback interface, of AF_INET or AF_INET6, with a full backlog: the system does
 * not answer further connections until one is accepted. -1: there is no such family here. */
int make_full_listener(int family);

/* Writes until there is no room; the bytes written. */
size_t fill(int fd);

/* Reads what there is, without waiting; the bytes read. */
size_t drain(int fd);

#endif
