/* SPDX-License-Identifier: MIT */
/*
 * The one loop under every read, write and accept: try, and wait if there is nothing to be had.
 *
 * How it is tried depends on what the descriptor is:
 *   a socket   MSG_DONTWAIT, whatever its flags. A read of ours is not even tried while the record
 *              says that there is nothing (hub.h, VERD__FD_READABLE); else it is tried first.
 *   our pipe   RWF_NOWAIT, or as one of the next
 *   else       by the kind of file that it is at that time, see the table in ways.c. Our pipes and
 *              listeners, too, where they turn out to be something else: a plain close may have
 *              made another file of a number of ours, and the OS thread must not wait.
 * What is not ours may be another file at each call, so nothing is remembered of it.
 *
 * "Ready" may be said in vain: another process was faster, or an error queue or a queue of
 * datagrams makes poll(2) say so all the time. After some vain waits in a row the loop looks for
 * itself and, if the waits are sure to be vain, sleeps for a while instead.
 */
#ifndef VERD_IO_IO_H
#define VERD_IO_IO_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hub/hub.h"
#include "hub/output_lock.h"

/* What is to be read or written, for an attempt. */
struct verd__request {
    union {
        void *buffer;               /* read */
        const void *data;           /* write */
        const struct iovec *vector; /* either, with `count` */
        struct iovec *pieces;       /* the same, for verd__output_all, which changes them */
        struct msghdr *message;     /* recvmsg */
        const struct msghdr *sent;  /* sendmsg */
        off_t *offset;              /* sendfile */
    };
    size_t size; /* bytes in all */
    int count;   /* of the vector; 0: it is not one. accept: SOCK_..., the client's */
    int flags;   /* MSG_... */
    bool plain;  /* asks for data and nothing else: read, readv, recv */
    bool
        posix; /* as POSIX has it: a file with O_NONBLOCK is not waited for, and a signal ends a wait */
    union {
        struct sockaddr *from;     /* recvfrom, accept */
        const struct sockaddr *to; /* sendto */
        int from_file;             /* sendfile */
    };
    union {
        socklen_t *from_length; /* recvfrom, accept */
        socklen_t to_length;    /* sendto; 0: there is no address */
    };
    /* One system call. `socket` is used for sockets, with MSG_DONTWAIT and MSG_NOSIGNAL added to
     * the flags; NULL where the system call takes no such flags. `file` is used for all others;
     * NULL where only sockets will do. */
    ssize_t (*socket)(int fd, const struct verd__request *request, int flags);
    ssize_t (*file)(int fd, const struct verd__request *request);
};

/* Does what the request says as soon as it can be done. Returns what the system call returned, or
 * -1 and errno: its own, or one of those that blocking calls have in common (<verd/net.h>). */
ssize_t verd__input(int fd, const struct verd__request *request);
ssize_t verd__output(int fd, const struct verd__request *request);

/* verd__output for as long as there is some of the request's `data` or `pieces` left; nobody else writes in between. What is left
 * is in the request then, and *count has been written. Returns 0, or -1 and errno. */
int verd__output_all(int fd, struct verd__request *request, size_t *count);

/* verd__input for who has something to do with the result before others run: gives no way, so it is to be followed
 * by verd__spend. */
ssize_t verd__input_keep(int fd, const struct verd__request *request);

/* As read(2) and the others, which suspend the green thread where they would block the OS thread. (read.c, write.c) */
ssize_t verd__read_posix(int fd, void *buffer, size_t size);
ssize_t verd__readv_posix(int fd, const struct iovec *vector, int count);
ssize_t verd__write_posix(int fd, const void *buffer, size_t size);
ssize_t verd__writev_posix(int fd, const struct iovec *vector, int count);
ssize_t verd__sendfile_posix(int to, int from, off_t *offset, size_t count); /* sendfile.c */

/* As poll(2), which does likewise; `timeout` is in nanoseconds. (readiness.c) */
int verd__poll_posix(struct pollfd *fds, nfds_t n, verd_duration timeout);

/* The first `done` bytes of the vector are written: the others, as far as possible. Returns the count of all. */
ssize_t verd__write_rest(int fd, const struct iovec *vector, size_t count, size_t done);

/* Waits until it is worth a try to read from the descriptor; not at all, if it is not known that there
 * is nothing. For who needs memory to read, but none to wait. 0, or -1 and errno as verd_read. */
int verd__input_wait(int fd);

#endif
