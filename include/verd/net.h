/* SPDX-License-Identifier: MIT */
/*
 * Sockets and pipes that suspend the calling green thread where POSIX would block the OS thread.
 *
 *     int server = verd_listen("0.0.0.0", 6000, 0);
 *     for (;;) {
 *         int client = verd_accept(server, NULL, NULL);
 *         verd_pool_spawn_n(pool, handle, (void *)(intptr_t)client);
 *     }
 *
 * These are plain descriptors: everything else in C works with them. Those made here are
 * non-blocking and close-on-exec. Descriptors made elsewhere can be used too, blocking or not, and
 * shared with other processes or not: no call on them holds the OS thread, and their flags are left as they are.
 * Where the kernel has no way to try, as of blocking terminals and devices, another OS thread reads or
 * writes once poll(2) says that it can (VERD_OFFLOAD_DEVICES of <verd/os.h>); if it turns out that it
 * cannot, it is interrupted, by a real-time signal that the program does nothing with (SIGRTMAX - 4 or the next lower one). Close with verd_close what is used here: it wakes who waits and
 * tells the hub; a plain close is noticed too, but a waiter may learn of it only some time later,
 * and if the number is used again by then, one call on the new descriptor may end with EBADF in its
 * place.
 *
 * Every call that may block is tried first and waits only when it has to; it may also give way when
 * it has not waited for long.
 *
 * Any number of threads may write to a descriptor, of which one at a time does: their calls are served in the
 * order in which they came, and what one of verd_write_full or verd_writev_full writes is not mixed with another's. One thread
 * may wait for input of a descriptor, as what several read would be torn to pieces; and one for output by
 * verd_wait_fd or verd_poll, which is told of readiness and does not get in line.
 *
 * Calls that wait for a descriptor of the caller's return -1 with these errnos, besides those of
 * the system call that they are named after:
 *
 *   ECANCELED  the thread was killed
 *   ETIMEDOUT  an enclosing timeout ran out (also: TCP gave up, as the system call says it)
 *   EBUSY      another thread waits for input already, or for output by verd_wait_fd or verd_poll; or of a regular
 *              file: it is for another OS thread, and as many as may be (VERD_OFFLOAD_FILES) are stuck
 *   EBADF      the descriptor is not open, or was closed while this call waited
 *   ENOMEM     no memory for the hub, or for its record of the descriptor
 *   EMFILE, ENFILE  first use of a descriptor on this OS thread, and none to be had for the hub
 *   ENOSPC     epoll(7) watches as many descriptors as it may (fs.epoll.max_user_watches)
 *
 * A socket's own SO_RCVTIMEO and SO_SNDTIMEO hold, too: a call that has waited so long ends with EAGAIN,
 * verd_connect_to of TCP with EINPROGRESS; not verd_wait_fd and verd_poll, as poll(2), and no server. Of a socket
 * made here the first call that waits may do so 0.2 s longer, or more in a process with many thousands of waits.
 *
 * A write to a closed peer is EPIPE and never SIGPIPE. None returns EINTR.
 */
#ifndef VERD_NET_H
#define VERD_NET_H

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <verd/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of verd_listen. SO_REUSEADDR is always set on TCP listeners. */
#define VERD_REUSEPORT 1 /* SO_REUSEPORT: several listeners share the port */
#define VERD_IPV6_ONLY 2 /* an IPv6 wildcard takes no IPv4 clients */

/*
 * Makes a TCP listener. host: a numeric address or a name; NULL or "" is every address, IPv6 and
 * IPv4. A name that is this machine itself by both, as "localhost", is all addresses of the loopback interface;
 * where that is not to be had (before Linux 5.7), and of another name, it is the first address that the
 * machine has. port 0 lets the system choose (see verd_port). May block to resolve a name.
 * Returns the descriptor, or -1 with errno
 *   EINVAL         port is not in 0..65535, or an unknown flag
 *   EADDRNOTAVAIL  the host has no address, or not one of this machine
 *   EADDRINUSE, EACCES, EMFILE, ENFILE, ENOMEM: as socket(2), bind(2), listen(2)
 *   EAGAIN         no OS thread to resolve the name
 *   ECANCELED      the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 */
int verd_listen(const char *host, int port, unsigned flags);

/* Makes a stream listener at a path, removing a stale socket there (one of a process that is gone). Of several
 * that start at once one succeeds: a lock file beside the path, whose name ends in .verd-lock, is there as long
 * as this call takes. The owner of a socket that is not stale does not notice that it was looked at. A leading
 * '@' is the abstract namespace. flags: 0. Never blocks. Returns the descriptor, or -1 with errno
 *   ENAMETOOLONG  the path does not fit sockaddr_un
 *   EINVAL        path is NULL or empty, or a flag
 *   EADDRINUSE    something lives there, or is being started there
 *   EMFILE, ENFILE, ENOMEM, and others as socket(2), bind(2), listen(2), and of the lock as open(2), flock(2) */
int verd_listen_unix(const char *path, unsigned flags);

/* The local port of a TCP or UDP socket, or -1 with errno as getsockname(2), or EAFNOSUPPORT. Never
 * blocks. */
int verd_port(int fd);

/*
 * Connects to a host. If it has several addresses, they are tried in the system's order of
 * preference, IPv6 and IPv4 by turns: each once the one before has failed, or has not answered for
 * 250 ms (RFC 8305). The first to answer is taken, and the others are given up. TCP_NODELAY is set.
 * It never connects to itself, as TCP does where nobody listens at a port that happens to be chosen for
 * the caller's end: that is ECONNREFUSED.
 * Blocks. Returns the descriptor, or -1 with errno of the last address that failed, leaving aside
 * those that this machine has no way to, unless it has none to any: ECONNREFUSED, ETIMEDOUT,
 * EHOSTUNREACH, ENETUNREACH, ...; or
 *   EINVAL         host is NULL or port not in 1..65535
 *   EADDRNOTAVAIL  the host has no address
 *   EMFILE, ENFILE, ENOMEM  no descriptor; no memory
 *   EAGAIN         no OS thread to resolve the name
 *   ECANCELED      the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 */
int verd_connect(const char *host, int port);

/* Connects to the stream socket at a path ('@': abstract). Blocks. Returns the
 * descriptor, or -1 with errno ENAMETOOLONG, EINVAL (too long, or empty), ECANCELED, ETIMEDOUT, EMFILE,
 * ENFILE, ENOMEM, or as connect(2). */
int verd_connect_unix(const char *path);

/*
 * Connects a socket that the caller has made, non-blocking or not: as connect(2), suspending
 * the green thread and not the OS thread. Blocks. Nobody's flags are changed: of a socket that blocks another OS thread
 * makes the system call. A caller that gives up leaves the attempt going on, but none to a Unix socket; of a socket
 * that blocks it may be killed as the connection is made, and get it still. Called again meanwhile it waits for that
 * attempt, at a socket that blocks. A non-blocking TCP socket is then as fast as one of verd_connect. One of TCP
 * that is connected to itself is disconnected: ECONNREFUSED. Returns 0, or -1 with errno
 * ECANCELED, ETIMEDOUT, EBADF, ENOMEM, EMFILE, ENFILE, ENOSPC (see <verd/net.h>), EALREADY (an attempt
 * goes on, at a socket that does not block), EINPROGRESS (SO_SNDTIMEO is over, and the attempt goes on), EAGAIN, EBUSY
 * (no OS thread for a socket that blocks, as of verd_offload), or as connect(2).
 */
int verd_connect_to(int fd, const struct sockaddr *address, socklen_t length);

/*
 * Accepts a connection, as accept(2): non-blocking, close-on-exec, TCP_NODELAY. Blocks. Out of
 * descriptors or kernel memory (EMFILE, ENFILE, ENOBUFS, ENOMEM) it waits and tries again;
 * connections that died in the backlog are skipped. At a listener that blocks (somebody else's: other processes may
 * be faster) another OS thread accepts, and a caller that is killed meanwhile may get the client still. Returns the
 * descriptor, or -1 with errno
 * ECANCELED, ETIMEDOUT, EBUSY, EBADF (see <verd/net.h>), or as accept(2).
 */
int verd_accept(int fd, struct sockaddr *address, socklen_t *length);

/* As their POSIX namesakes, suspending the green thread and not the OS thread. Block. A read of 0
 * bytes' room and a write of 0 bytes do not wait, except for a datagram. A disk file is read and
 * written by another OS thread, unless the bytes are in memory (<verd/os.h>). A terminal's read may end
 * before VMIN bytes are there, after 10 ms. Return -1 with errno as above, EBUSY (all OS threads are stuck, as
 * of verd_offload), or as read(2), write(2). */
ssize_t verd_read(int fd, void *buffer, size_t size);
ssize_t verd_write(int fd, const void *buffer, size_t size);
ssize_t verd_readv(int fd, const struct iovec *vector, int count);
ssize_t verd_writev(int fd, const struct iovec *vector, int count);

/* As their POSIX namesakes, suspending the green thread and not the OS thread. With MSG_DONTWAIT, MSG_OOB and MSG_ERRQUEUE there is EAGAIN instead of
 * waiting. A MSG_WAITALL that has got some bytes returns them, whatever happens then. Block. Return
 * -1 with errno as above, EAGAIN, or as recv(2), send(2). */
ssize_t verd_recv(int fd, void *buffer, size_t size, int flags);
ssize_t verd_send(int fd, const void *buffer, size_t size, int flags);
ssize_t verd_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                      socklen_t *length);
ssize_t verd_sendto(int fd, const void *buffer, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length);
ssize_t verd_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t verd_sendmsg(int fd, const struct msghdr *message, int flags);

/*
 * Reads until `size` bytes are there, or the end, or an error. Blocks. Returns the bytes read;
 * fewer than size (0 too) mean the end; -1 with errno as verd_read. *done (unless NULL) is always
 * the count of bytes read, so that a timeout or kill loses none.
 */
ssize_t verd_read_full(int fd, void *buffer, size_t size, size_t *done);

/* Write all `size` bytes, or all of the vector, whose elements are changed. Block. Return how many that is, or
 * -1 with errno as verd_write; *done (unless NULL) is always the count of bytes written. */
ssize_t verd_write_full(int fd, const void *buffer, size_t size, size_t *done);
ssize_t verd_writev_full(int fd, struct iovec *vector, int count, size_t *done);

/* As sendfile(2): from the regular file `from` to the socket or pipe `to`, at most 256 KiB at once; advances
 * *offset, or the file's own offset if NULL. What is not in memory is read by another OS thread. Blocks.
 * Returns the bytes sent (0: the end), or -1 with errno as above, EBUSY (all OS threads are stuck, as of
 * verd_offload), or as sendfile(2). */
ssize_t verd_sendfile(int to, int from, off_t *offset, size_t count);

/* As shutdown(2); who waits in that direction wakes by the end that it causes. Never blocks.
 * Returns 0, or -1 with errno as shutdown(2). */
int verd_shutdown(int fd, int how);

/*
 * Closes the descriptor; threads that wait on it get EBADF. Works in a killed thread. Never blocks, but where close(2)
 * waits: of a TCP connection with SO_LINGER, until all was sent or its time is over (or the thread is killed or out of
 * time: the rest is sent all the same), and of a regular file, for what was written to it, come what may; other
 * threads run meanwhile. Where no other OS thread is to be had, it does not wait for SO_LINGER, and
 * closes files on this one. Returns 0, or -1 with errno EBADF, or EIO or others as close(2): then it is closed all the
 * same.
 */
int verd_close(int fd);

/* As pipe(2) and socketpair(2), non-blocking and close-on-exec. Never block. Return 0, or -1 with
 * errno EMFILE, ENFILE, ENOMEM, or as pipe(2), socketpair(2). */
int verd_pipe(int fds[2]);
int verd_socketpair(int domain, int type, int protocol, int fds[2]);

/*
 * Waits until the descriptor is ready for one of `events` (POLLIN, POLLOUT, POLLPRI, POLLRDHUP),
 * for libraries that do their own reads and writes. Blocks.
 * Returns the ready events (POLLERR and POLLHUP too), or -1 with errno as above, or EINVAL (no or
 * an unknown event).
 */
int verd_wait_fd(int fd, short events);

/*
 * As poll(2): waits until one of n descriptors is ready, or timeout_ms milliseconds (below 0: for
 * ever). Blocks, unless timeout_ms is 0; then, too, where a regular file is among them, of which another OS thread asks,
 * as the file's server may have to tell (FUSE). Returns the number of ready ones, 0 when the time is over,
 * or -1 with errno ECANCELED, ETIMEDOUT, EBUSY, ENOMEM, EMFILE, ENFILE or ENOSPC (see <verd/net.h>); that
 * one is not open is an event (POLLNVAL).
 */
int verd_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
