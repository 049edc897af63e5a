/* SPDX-License-Identifier: MIT */
/*
 * The calls that the library makes of those which libverd-patch.a takes the names of, as X macros:
 *
 *     CALL(returned, name, (parameters), (arguments))
 *
 * In a program with that archive `read` is its hook, and leads to the library: so the library itself calls
 * verd__kernel_read (kernel.h), which is libc's function or, with that archive, what lies below its hooks.
 * open, openat and fcntl take variable arguments, and are written out where the list is used.
 */
#ifndef VERD_KERNEL_CALLS_H
#define VERD_KERNEL_CALLS_H

/* Each is one system call, or little more. */
#define VERD__SYSTEM_CALLS(CALL)                                                                   \
    CALL(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size))                   \
    CALL(ssize_t, readv, (int fd, const struct iovec *vector, int count), (fd, vector, count))     \
    CALL(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset),                        \
         (fd, buffer, size, offset))                                                               \
    CALL(ssize_t, preadv, (int fd, const struct iovec *vector, int count, off_t offset),           \
         (fd, vector, count, offset))                                                              \
    CALL(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))                \
    CALL(ssize_t, writev, (int fd, const struct iovec *vector, int count), (fd, vector, count))    \
    CALL(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset),                   \
         (fd, data, size, offset))                                                                 \
    CALL(ssize_t, pwritev, (int fd, const struct iovec *vector, int count, off_t offset),          \
         (fd, vector, count, offset))                                                              \
    CALL(ssize_t, sendfile, (int to, int from, off_t *offset, size_t size),                        \
         (to, from, offset, size))                                                                 \
    CALL(ssize_t, recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags)) \
    CALL(ssize_t, recvfrom,                                                                        \
         (int fd, void *buffer, size_t size, int flags, struct sockaddr *address,                  \
          socklen_t *length),                                                                      \
         (fd, buffer, size, flags, address, length))                                               \
    CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))      \
    CALL(int, recvmmsg,                                                                            \
         (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),  \
         (fd, messages, count, flags, timeout))                                                    \
    CALL(ssize_t, send, (int fd, const void *data, size_t size, int flags),                        \
         (fd, data, size, flags))                                                                  \
    CALL(ssize_t, sendto,                                                                          \
         (int fd, const void *data, size_t size, int flags, const struct sockaddr *address,        \
          socklen_t length),                                                                       \
         (fd, data, size, flags, address, length))                                                 \
    CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),                      \
         (fd, message, flags))                                                                     \
    CALL(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),             \
         (fd, messages, count, flags))                                                             \
    CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t length),                 \
         (fd, address, length))                                                                    \
    CALL(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),           \
         (fd, address, length, flags))                                                             \
    CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol))              \
    CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]),                        \
         (domain, type, protocol, fds))                                                            \
    CALL(int, listen, (int fd, int backlog), (fd, backlog))                                        \
    CALL(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length),    \
         (fd, level, option, value, length))                                                       \
    CALL(int, shutdown, (int fd, int how), (fd, how))                                              \
    CALL(int, pipe2, (int fds[2], int flags), (fds, flags))                                        \
    CALL(int, dup, (int fd), (fd))                                                                 \
    CALL(int, dup2, (int fd, int number), (fd, number))                                            \
    CALL(int, dup3, (int fd, int number, int flags), (fd, number, flags))                          \
    CALL(int, close, (int fd), (fd))                                                               \
    CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms)) \
    CALL(                                                                                          \
        int, ppoll,                                                                                \
        (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask), \
        (fds, count, timeout, mask))                                                               \
    CALL(int, select,                                                                              \
         (int count, fd_set *input, fd_set *output, fd_set *urgent, struct timeval *timeout),      \
         (count, input, output, urgent, timeout))                                                  \
    CALL(int, pselect,                                                                             \
         (int count, fd_set *input, fd_set *output, fd_set *urgent,                                \
          const struct timespec *timeout, const sigset_t *mask),                                   \
         (count, input, output, urgent, timeout, mask))                                            \
    CALL(int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout_ms),         \
         (fd, events, count, timeout_ms))                                                          \
    CALL(int, epoll_pwait,                                                                         \
         (int fd, struct epoll_event *events, int count, int timeout_ms, const sigset_t *mask),    \
         (fd, events, count, timeout_ms, mask))                                                    \
    CALL(unsigned, sleep, (unsigned seconds), (seconds))                                           \
    CALL(int, usleep, (unsigned microseconds), (microseconds))                                     \
    CALL(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))       \
    CALL(int, clock_nanosleep,                                                                     \
         (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),         \
         (clock, flags, time, left))                                                               \
    CALL(int, fsync, (int fd), (fd))                                                               \
    CALL(int, fdatasync, (int fd), (fd))                                                           \
    CALL(int, stat, (const char *path, struct stat *status), (path, status))                       \
    CALL(int, lstat, (const char *path, struct stat *status), (path, status))                      \
    CALL(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))            \
    CALL(int, sigaction, (int signal, const struct sigaction *action, struct sigaction *before),   \
         (signal, action, before))                                                                 \
    CALL(int, flock, (int fd, int operation), (fd, operation))                                     \
    CALL(int, lockf, (int fd, int command, off_t length), (fd, command, length))                   \
    CALL(int, pause, (void), ())                                                                   \
    CALL(int, sigsuspend, (const sigset_t *mask), (mask))                                          \
    CALL(int, sigwait, (const sigset_t *set, int *signal), (set, signal))                          \
    CALL(int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), (set, info))                    \
    CALL(int, sigtimedwait,                                                                        \
         (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),                   \
         (set, info, timeout))

/* Each is more than that, and libc alone has it. */
#define VERD__LIBC_CALLS(CALL) \
    VERD__NAME_CALLS(CALL)     \
    VERD__SHELL_CALLS(CALL)

#define VERD__NAME_CALLS(CALL)                                                             \
    CALL(int, getaddrinfo,                                                                 \
         (const char *host, const char *service, const struct addrinfo *hints,             \
          struct addrinfo **result),                                                       \
         (host, service, hints, result))                                                   \
    CALL(struct hostent *, gethostbyname2, (const char *name, int family), (name, family)) \
    CALL(int, gethostbyname2_r,                                                            \
         (const char *name, int family, struct hostent *entry, char *room, size_t size,    \
          struct hostent **result, int *error),                                            \
         (name, family, entry, room, size, result, error))

#define VERD__SHELL_CALLS(CALL)                                                   \
    CALL(int, system, (const char *command), (command))                           \
    CALL(FILE *, popen, (const char *command, const char *mode), (command, mode)) \
    CALL(int, pclose, (FILE * file), (file))

#endif
