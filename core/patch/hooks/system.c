/* SPDX-License-Identifier: MIT */
/*
 * The calls below the hooks as system calls, by those that both architectures have: what a static program has in libc's
 * place, and a dynamic one until libc's are found.
 */
#include "patch/hooks/next.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "patch/hooks/message.h"
#include "patch/hooks/system.h"
#include "sched/scheduler.h"

/* Of the kernel's own, which is shorter than libc's. */
#define MASK_SIZE 8

long verd__system_call(const long call[7])
{
    return syscall(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);
}

/* A point of cancellation, of OS threads that may be cancelled: those without green threads. */
long verd__waiting_call(const long call[7])
{
    int type;
    if (verd__current != NULL)
        return verd__system_call(call);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    long result = verd__system_call(call);
    int error = errno;
    pthread_setcanceltype(type, NULL);
    errno = error;
    return result;
}

/* ---- reading, writing, messages ---- */

#define SYSTEM(returned, name, parameters, ...)                 \
    static returned system_##name parameters                    \
    {                                                           \
        return (returned)VERD__SYSTEM(SYS_##name, __VA_ARGS__); \
    }
#define WAITING(returned, name, parameters, ...)                 \
    static returned system_##name parameters                     \
    {                                                            \
        return (returned)VERD__WAITING(SYS_##name, __VA_ARGS__); \
    }

WAITING(ssize_t, read, (int fd, void *buffer, size_t size), fd, P(buffer), L(size))
WAITING(ssize_t, readv, (int fd, const struct iovec *vector, int count), fd, P(vector), count)
WAITING(ssize_t, preadv, (int fd, const struct iovec *vector, int count, off_t offset), fd,
        P(vector), count, offset)
WAITING(ssize_t, write, (int fd, const void *data, size_t size), fd, P(data), L(size))
WAITING(ssize_t, writev, (int fd, const struct iovec *vector, int count), fd, P(vector), count)
WAITING(ssize_t, pwritev, (int fd, const struct iovec *vector, int count, off_t offset), fd,
        P(vector), count, offset)
SYSTEM(ssize_t, sendfile, (int to, int from, off_t *offset, size_t size), to, from, P(offset),
       L(size))
WAITING(ssize_t, recvfrom,
        (int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length),
        fd, P(buffer), L(size), flags, P(address), P(length))
WAITING(ssize_t, sendto,
        (int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
         socklen_t length),
        fd, P(data), L(size), flags, P(address), length)

static ssize_t system_pread(int fd, void *buffer, size_t size, off_t offset)
{
    return VERD__WAITING(SYS_pread64, fd, P(buffer), L(size), offset);
}

static ssize_t system_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return VERD__WAITING(SYS_pwrite64, fd, P(data), L(size), offset);
}

static ssize_t system_recv(int fd, void *buffer, size_t size, int flags)
{
    return system_recvfrom(fd, buffer, size, flags, NULL, NULL);
}

static ssize_t system_send(int fd, const void *data, size_t size, int flags)
{
    return system_sendto(fd, data, size, flags, NULL, 0);
}

/* ---- descriptors ---- */

WAITING(int, connect, (int fd, const struct sockaddr *address, socklen_t length), fd, P(address),
        length)
WAITING(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), fd,
        P(address), P(length), flags)
SYSTEM(int, socket, (int domain, int type, int protocol), domain, type, protocol)
SYSTEM(int, socketpair, (int domain, int type, int protocol, int fds[2]), domain, type, protocol,
       P(fds))
SYSTEM(int, listen, (int fd, int backlog), fd, backlog)
SYSTEM(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length), fd,
       level, option, P(value), length)
SYSTEM(int, shutdown, (int fd, int how), fd, how)
SYSTEM(int, pipe2, (int fds[2], int flags), P(fds), flags)
SYSTEM(int, dup, (int fd), fd)
SYSTEM(int, dup3, (int fd, int number, int flags), fd, number, flags)
WAITING(int, close, (int fd), fd)

static int system_dup2(int fd, int number)
{
    if (fd != number)
        return system_dup3(fd, number, 0);
    return VERD__SYSTEM(SYS_fcntl, fd, F_GETFD) >= 0 ? fd : -1;
}

/* ---- waiting for descriptors ---- */

static int system_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                        const sigset_t *mask)
{
    struct timespec left; /* the kernel changes it */
    if (timeout != NULL)
        left = *timeout;
    return (int)VERD__WAITING(SYS_ppoll, P(fds), L(count), P(timeout != NULL ? &left : NULL),
                              P(mask), MASK_SIZE);
}

static int system_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec span = {timeout_ms / 1000, timeout_ms % 1000 * VERD_MS};
    return system_ppoll(fds, count, timeout_ms >= 0 ? &span : NULL, NULL);
}

/* *left is changed to what is left. */
static int select_left(int count, fd_set *input, fd_set *output, fd_set *urgent,
                       struct timespec *left, const sigset_t *mask)
{
    const long of_mask[2] = {P(mask), MASK_SIZE};
    return (int)VERD__WAITING(SYS_pselect6, count, P(input), P(output), P(urgent), P(left),
                              P(of_mask));
}

static int system_pselect(int count, fd_set *input, fd_set *output, fd_set *urgent,
                          const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec left;
    if (timeout != NULL)
        left = *timeout;
    return select_left(count, input, output, urgent, timeout != NULL ? &left : NULL, mask);
}

static int system_select(int count, fd_set *input, fd_set *output, fd_set *urgent,
                         struct timeval *timeout)
{
    struct timespec left;
    if (timeout == NULL)
        return select_left(count, input, output, urgent, NULL, NULL);
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0) {
        errno = EINVAL;
        return -1;
    }
    left.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000;
    left.tv_nsec = timeout->tv_usec % 1000000 * VERD_US;
    int ready = select_left(count, input, output, urgent, &left, NULL);
    timeout->tv_sec = left.tv_sec;
    timeout->tv_usec = left.tv_nsec / VERD_US;
    return ready;
}

static int system_epoll_pwait(int fd, struct epoll_event *events, int count, int timeout_ms,
                              const sigset_t *mask)
{
    return (int)VERD__WAITING(SYS_epoll_pwait, fd, P(events), count, timeout_ms, P(mask),
                              MASK_SIZE);
}

static int system_epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
    return system_epoll_pwait(fd, events, count, timeout_ms, NULL);
}

/* ---- time ---- */

WAITING(int, nanosleep, (const struct timespec *span, struct timespec *left), P(span), P(left))

static int system_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                                  struct timespec *left)
{
    int before = errno;
    if (clock == CLOCK_THREAD_CPUTIME_ID)
        return EINVAL;
    int error = VERD__WAITING(SYS_clock_nanosleep, clock, flags, P(time), P(left)) == 0 ? 0 : errno;
    errno = before;
    return error;
}

static unsigned system_sleep(unsigned seconds)
{
    struct timespec span = {.tv_sec = seconds};
    return system_nanosleep(&span, &span) == 0 ? 0 : (unsigned)span.tv_sec;
}

static int system_usleep(unsigned microseconds)
{
    struct timespec span = {microseconds / 1000000, microseconds % 1000000 * VERD_US};
    return system_nanosleep(&span, NULL);
}

/* ---- files ---- */

WAITING(int, fsync, (int fd), fd)
WAITING(int, fdatasync, (int fd), fd)
SYSTEM(int, flock, (int fd, int operation), fd, operation)

static int system_openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return (int)VERD__WAITING(SYS_openat, directory, P(path), flags, mode);
}

static int system_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return (int)VERD__WAITING(SYS_openat, AT_FDCWD, P(path), flags, mode);
}

static int system_stat(const char *path, struct stat *status)
{
    return (int)VERD__SYSTEM(SYS_newfstatat, AT_FDCWD, P(path), P(status), 0);
}

static int system_lstat(const char *path, struct stat *status)
{
    return (int)VERD__SYSTEM(SYS_newfstatat, AT_FDCWD, P(path), P(status), AT_SYMLINK_NOFOLLOW);
}

/* The owner is asked for otherwise, for the number of a group looks like an error. */
static int owner_of(int fd)
{
    struct f_owner_ex owner;
    if (VERD__SYSTEM(SYS_fcntl, fd, F_GETOWN_EX, P(&owner)) != 0)
        return -1;
    return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

static int system_fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (command == F_GETOWN)
        return owner_of(fd);
    if (command == F_SETLKW || command == F_OFD_SETLKW)
        return (int)VERD__WAITING(SYS_fcntl, fd, command, P(argument));
    return (int)VERD__SYSTEM(SYS_fcntl, fd, command, P(argument));
}

static int test_lock(int fd, struct flock *region)
{
    region->l_type = F_RDLCK;
    if (system_fcntl(fd, F_GETLK, region) != 0)
        return -1;
    if (region->l_type == F_UNLCK || region->l_pid == getpid())
        return 0;
    errno = EACCES;
    return -1;
}

static int system_lockf(int fd, int command, off_t length)
{
    struct flock region = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_len = length};
    switch (command) {
    case F_TEST:
        return test_lock(fd, &region);
    case F_ULOCK:
        region.l_type = F_UNLCK;
        return system_fcntl(fd, F_SETLK, &region);
    case F_LOCK:
        return system_fcntl(fd, F_SETLKW, &region);
    case F_TLOCK:
        return system_fcntl(fd, F_SETLK, &region);
    default:
        errno = EINVAL;
        return -1;
    }
}

/* ---- children and signals ---- */

static pid_t system_waitpid(pid_t pid, int *status, int options)
{
    return (pid_t)VERD__WAITING(SYS_wait4, pid, P(status), options, 0);
}

static int system_pause(void)
{
    return system_ppoll(NULL, 0, NULL, NULL);
}

static int system_sigsuspend(const sigset_t *mask)
{
    return (int)VERD__WAITING(SYS_rt_sigsuspend, P(mask), MASK_SIZE);
}

static int system_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    return (int)VERD__WAITING(SYS_rt_sigtimedwait, P(set), P(info), P(timeout), MASK_SIZE);
}

static int system_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return system_sigtimedwait(set, info, NULL);
}

static int system_sigwait(const sigset_t *set, int *signal)
{
    int before = errno, error = 0, got;
    do
        got = system_sigtimedwait(set, NULL, NULL);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        error = errno;
    else
        *signal = got;
    errno = before;
    return error;
}

/* It is more than its system call, and libc has a second name for it; musl's is for static programs alone. */
#ifdef __GLIBC__
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *before);

static int system_sigaction(int signal, const struct sigaction *action, struct sigaction *before)
{
    return __sigaction(signal, action, before);
}
#else
__attribute__((weak)) extern int __sigaction(int signal, const struct sigaction *action,
                                             struct sigaction *before);

static int system_sigaction(int signal, const struct sigaction *action, struct sigaction *before)
{
    if (__sigaction != NULL)
        return __sigaction(signal, action, before);
    verd__next_find();
    return verd__next.sigaction(signal, action, before);
}
#endif

/* ---- all of them ---- */

#define system_recvmsg verd__system_recvmsg
#define system_recvmmsg verd__system_recvmmsg
#define system_sendmsg verd__system_sendmsg
#define system_sendmmsg verd__system_sendmmsg
#define MEMBER(returned, name, parameters, arguments) .name = system_##name,

struct verd__next verd__next = {
    VERD__SYSTEM_CALLS(MEMBER).open = system_open,
    .openat = system_openat,
    .fcntl = system_fcntl,
};
