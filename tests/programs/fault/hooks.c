/* SPDX-License-Identifier: MIT */
/*
 * The functions of libc that the library calls and that may fail, each with the errnos as which it may
 * fail here: those that a healthy program can get at any time, without having asked for them. One line
 * for each, which flags.mk reads as well: --wrap makes of the library's calls of NAME calls of
 * __wrap_NAME, and __real_NAME is the function itself.
 */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Declares the fault of a function, and puts it into the list of all (a section, which the linker marks
 * the ends of). */
#define FAULT(variable, name, errors)                                                          \
    static struct fault variable = {#name, errors, sizeof(errors) / sizeof(*errors), 0};       \
    static struct fault *const variable##_entry __attribute__((section("fault_list"), used)) = \
        &variable

/* Declares the function itself and what stands in front of it. */
#define HOOK_BY_HAND(type, name, parameters)              \
    type real_##name parameters __asm__("__real_" #name); \
    type hook_##name parameters __asm__("__wrap_" #name)

/* A function that returns `failure`, with errno as one of the others, when it fails. */
#define HOOK(type, name, parameters, arguments, failure, ...)             \
    HOOK_BY_HAND(type, name, parameters);                                 \
    type hook_##name parameters                                           \
    {                                                                     \
        static const int errors[] = {__VA_ARGS__};                        \
        FAULT(fault, name, errors);                                       \
        return fault_strikes(&fault) ? (failure) : real_##name arguments; \
    }

static _Atomic long blocks; /* of memory, and what else is freed by hand */
static _Atomic long mapped;
static _Atomic bool counters[1024]; /* descriptors that count: eventfd and signalfd */

struct holdings holdings(void)
{
    struct holdings now = {.blocks = blocks, .mapped = mapped};
    for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
        now.descriptors += real_fcntl(fd, F_GETFD) >= 0;
    return now;
}

/* ---- memory ---- */

static void *counted(void *block)
{
    blocks += block != NULL;
    return block;
}

HOOK_BY_HAND(void *, malloc, (size_t size));
HOOK_BY_HAND(void *, calloc, (size_t count, size_t size));
HOOK_BY_HAND(void *, realloc, (void *block, size_t size));
HOOK_BY_HAND(int, posix_memalign, (void **block, size_t alignment, size_t size));
HOOK_BY_HAND(char *, strdup, (const char *text));
HOOK_BY_HAND(char *, strndup, (const char *text, size_t size));
HOOK_BY_HAND(void, free, (void *block));
HOOK_BY_HAND(void *, mmap, (void *, size_t size, int, int, int, off_t));
HOOK_BY_HAND(int, munmap, (void *base, size_t size));

static const int no_memory[] = {ENOMEM};

void *hook_malloc(size_t size)
{
    FAULT(fault, malloc, no_memory);
    return fault_strikes(&fault) ? NULL : counted(real_malloc(size));
}

void *hook_calloc(size_t count, size_t size)
{
    FAULT(fault, calloc, no_memory);
    return fault_strikes(&fault) ? NULL : counted(real_calloc(count, size));
}

void *hook_realloc(void *block, size_t size)
{
    FAULT(fault, realloc, no_memory);
    if (fault_strikes(&fault))
        return NULL;
    return block != NULL ? real_realloc(block, size) : counted(real_malloc(size));
}

int hook_posix_memalign(void **block, size_t alignment, size_t size)
{
    FAULT(fault, posix_memalign, no_memory);
    int before = errno; /* which it leaves alone */
    int error = fault_strikes(&fault) ? ENOMEM : real_posix_memalign(block, alignment, size);
    errno = before;
    blocks += error == 0;
    return error;
}

char *hook_strdup(const char *text)
{
    FAULT(fault, strdup, no_memory);
    return fault_strikes(&fault) ? NULL : counted(real_strdup(text));
}

char *hook_strndup(const char *text, size_t size)
{
    FAULT(fault, strndup, no_memory);
    return fault_strikes(&fault) ? NULL : counted(real_strndup(text, size));
}

void hook_free(void *block)
{
    blocks -= block != NULL;
    real_free(block);
}

void *hook_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    FAULT(fault, mmap, no_memory);
    if (fault_strikes(&fault))
        return MAP_FAILED;
    void *base = real_mmap(at, size, protection, flags, fd, offset);
    mapped += base != MAP_FAILED ? (long)size : 0;
    return base;
}

/* A part of a mapping cannot be unmapped when there are too many mappings already. */
int hook_munmap(void *base, size_t size)
{
    FAULT(fault, munmap, no_memory);
    if (fault_strikes(&fault))
        return -1;
    mapped -= (long)size;
    return real_munmap(base, size);
}

HOOK(int, madvise, (void *base, size_t size, int advice), (base, size, advice), -1, ENOMEM, EINVAL)
HOOK(int, mprotect, (void *base, size_t size, int how), (base, size, how), -1, ENOMEM)
HOOK(int, mincore, (void *base, size_t size, unsigned char *v), (base, size, v), -1, EAGAIN)

/* ---- OS threads and signals ---- */

HOOK(int, pthread_create, (void *thread, const void *attr, void *(*fn)(void *), void *arg),
     (thread, attr, fn, arg), errno, EAGAIN)
HOOK(int, pthread_attr_init, (void *attr), (attr), errno, ENOMEM)
HOOK(int, pthread_key_create, (void *key, void (*fn)(void *)), (key, fn), errno, EAGAIN, ENOMEM)
HOOK(int, pthread_setspecific, (unsigned key, const void *value), (key, value), errno, ENOMEM)
HOOK(int, pthread_atfork, (void (*prepare)(void), void (*parent)(void), void (*child)(void)),
     (prepare, parent, child), errno, ENOMEM)
HOOK(int, sigaltstack, (const void *new, void *old), (new, old), -1, ENOMEM)
HOOK(int, sigtimedwait, (const void *set, void *info, const void *time), (set, info, time), -1,
     EINTR)
HOOK(int, kill, (pid_t pid, int signal), (pid, signal), -1, EPERM)

/* ---- the hub ---- */

HOOK(int, epoll_create1, (int flags), (flags), -1, EMFILE, ENFILE, ENOMEM)
HOOK(int, epoll_wait, (int fd, void *events, int count, int timeout), (fd, events, count, timeout),
     -1, EINTR)
HOOK(int, poll, (void *fds, unsigned long count, int timeout), (fds, count, timeout), -1, EINTR,
     ENOMEM)
HOOK(int, ppoll, (void *fds, unsigned long count, const void *timeout, const void *mask),
     (fds, count, timeout, mask), -1, EINTR, ENOMEM)
HOOK(int, clock_nanosleep, (int clock, int flags, const void *span, void *rest),
     (clock, flags, span, rest), errno, EINTR)
HOOK_BY_HAND(int, epoll_ctl, (int epoll, int operation, int fd, void *event));
HOOK_BY_HAND(int, eventfd, (unsigned value, int flags));
HOOK_BY_HAND(int, signalfd, (int fd, const void *set, int flags));
HOOK_BY_HAND(long, syscall, (long number, long, long, long, long, long, long));

/* To take a descriptor out needs nothing. */
int hook_epoll_ctl(int epoll, int operation, int fd, void *event)
{
    static const int errors[] = {ENOMEM, ENOSPC};
    FAULT(fault, epoll_ctl, errors);
    if (operation != EPOLL_CTL_DEL && fault_strikes(&fault))
        return -1;
    return real_epoll_ctl(epoll, operation, fd, event);
}

/* What is read and written in memory of the kernel's own. */
static int counter(int fd)
{
    if (fd >= 0)
        counters[fd] = true;
    return fd;
}

static const int no_counter[] = {EMFILE, ENFILE, ENOMEM};

int hook_eventfd(unsigned value, int flags)
{
    FAULT(fault, eventfd, no_counter);
    return fault_strikes(&fault) ? -1 : counter(real_eventfd(value, flags));
}

/* To change the set of one that exists needs nothing. */
int hook_signalfd(int fd, const void *set, int flags)
{
    FAULT(fault, signalfd, no_counter);
    return fd < 0 && fault_strikes(&fault) ? -1 : counter(real_signalfd(fd, set, flags));
}

#define CACHESTAT 451 /* newer than some libcs */

/* Which of them it is decides why it may fail; ENOSYS: an older kernel. */
long hook_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    static const int wait_errors[] = {EINTR, ENOSYS};
    FAULT(wait_fault, epoll_pwait2, wait_errors);
    static const int guard_errors[] = {ENOSYS, ENOMEM};
    FAULT(guard_fault, process_madvise, guard_errors);
    static const int pidfd_errors[] = {EMFILE, ENFILE, ENOMEM, ENOSYS};
    FAULT(pidfd_fault, pidfd_open, pidfd_errors);
    static const int cache_errors[] = {ENOSYS, EPERM};
    FAULT(cache_fault, cachestat, cache_errors);
    static const int status_errors[] = {ENOSYS, EPERM};
    FAULT(status_fault, statx, status_errors);
    struct fault *fault = number == SYS_epoll_pwait2      ? &wait_fault
                          : number == SYS_statx           ? &status_fault
                          : number == CACHESTAT           ? &cache_fault
                          : number == SYS_process_madvise ? &guard_fault
                                                          : &pidfd_fault;
    return fault_strikes(fault) ? -1 : real_syscall(number, a, b, c, d, e, f);
}

/* ---- descriptors ---- */

HOOK(int, pipe2, (int *fds, int flags), (fds, flags), -1, EMFILE, ENFILE)
HOOK(ssize_t, getrandom, (void *p, size_t n, unsigned flags), (p, n, flags), -1, EAGAIN)
HOOK(int, fsync, (int fd), (fd), -1, EIO, ENOSPC)
HOOK(int, atexit, (void (*fn)(void)), (fn), -1, ENOMEM)
HOOK(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE, ENFILE,
     ENOMEM)
HOOK(int, chmod, (const char *path, unsigned mode), (path, mode), -1, EIO)
HOOK(int, fchmod, (int fd, unsigned mode), (fd, mode), -1, EIO)
HOOK(int, ftruncate, (int fd, off_t size), (fd, size), -1, EIO)
HOOK(int, fdatasync, (int fd), (fd), -1, EIO, ENOSPC)
HOOK(int, stat, (const char *path, void *status), (path, status), -1, EIO, ENOMEM)
HOOK(int, lstat, (const char *path, void *status), (path, status), -1, EIO, ENOMEM)
HOOK(char *, realpath, (const char *path, char *whole), (path, whole), NULL, EIO, ENOMEM)
HOOK(int, openat, (int fd, const char *path, int flags, unsigned mode), (fd, path, flags, mode), -1,
     EMFILE, ENFILE, ENOMEM)
HOOK(FILE *, fopencookie, (void *cookie, const char *mode, cookie_io_functions_t functions),
     (cookie, mode, functions), NULL, ENOMEM)
HOOK(int, flock, (int fd, int how), (fd, how), -1, ENOLCK)
HOOK(int, unlink, (const char *path), (path), -1, EACCES, EIO)
HOOK(ssize_t, readv, (int fd, const void *v, int n), (fd, v, n), -1, EINTR, EIO)
HOOK(ssize_t, writev, (int fd, const void *v, int n), (fd, v, n), -1, EINTR, EIO, ENOSPC)
HOOK(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), -1, EIO)
HOOK(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1, EIO, ENOSPC)
HOOK(ssize_t, preadv2, (int fd, const void *v, int n, off_t at, int flags), (fd, v, n, at, flags),
     -1, EINTR, EIO, EOPNOTSUPP, ENOSYS)
HOOK(ssize_t, pwritev2, (int fd, const void *v, int n, off_t at, int flags), (fd, v, n, at, flags),
     -1, EINTR, EIO, EOPNOTSUPP, ENOSYS)
HOOK(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), -1, EIO)
HOOK(ssize_t, sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n), -1, EINTR, EIO)
HOOK_BY_HAND(int, dup3, (int from, int to, int flags));
HOOK_BY_HAND(int, fstat, (int fd, struct stat *status));
HOOK_BY_HAND(int, open, (const char *path, int flags, ...));
HOOK_BY_HAND(int, fcntl, (int fd, int command, ...));
HOOK_BY_HAND(int, close, (int fd));
HOOK_BY_HAND(ssize_t, read, (int fd, void *buffer, size_t size));
HOOK_BY_HAND(ssize_t, write, (int fd, const void *data, size_t size));

int hook_dup3(int from, int to, int flags)
{
    static const int errors[] = {EBUSY};
    FAULT(fault, dup3, errors);
    if (fault_strikes(&fault))
        return -1;
    counters[to] = counters[from];
    return real_dup3(from, to, flags);
}

/* What is not on a disk cannot have errors of one. */
int hook_fstat(int fd, struct stat *status)
{
    static const int errors[] = {ENOMEM, EIO};
    FAULT(file, fstat, errors);
    FAULT(other, fstat, no_memory);
    bool is_file = real_fstat(fd, status) == 0 && S_ISREG(status->st_mode);
    return fault_strikes(is_file ? &file : &other) ? -1 : real_fstat(fd, status);
}

int hook_open(const char *path, int flags, ...)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM};
    FAULT(fault, open, errors);
    va_list list;
    va_start(list, flags);
    unsigned mode = va_arg(list, unsigned);
    va_end(list);
    return fault_strikes(&fault) ? -1 : real_open(path, flags, mode);
}

/* To ask for flags, or to set them, needs nothing. */
int hook_fcntl(int fd, int command, ...)
{
    static const int errors[] = {EMFILE};
    FAULT(fault, fcntl, errors);
    va_list list;
    va_start(list, command);
    int argument = va_arg(list, int);
    va_end(list);
    if (command == F_DUPFD_CLOEXEC && fault_strikes(&fault))
        return -1;
    return real_fcntl(fd, command, argument);
}

/* A descriptor is closed even when it is said to have failed. */
int hook_close(int fd)
{
    static const int errors[] = {EIO, EINTR};
    FAULT(fault, close, errors);
    bool counts = fd >= 0 && atomic_exchange(&counters[fd], false);
    int result = real_close(fd);
    return !counts && fault_strikes(&fault) ? -1 : result;
}

ssize_t hook_read(int fd, void *buffer, size_t size)
{
    static const int errors[] = {EINTR, EIO};
    FAULT(fault, read, errors);
    return (fd < 0 || !counters[fd]) && fault_strikes(&fault) ? -1 : real_read(fd, buffer, size);
}

ssize_t hook_write(int fd, const void *data, size_t size)
{
    static const int errors[] = {EINTR, EIO, ENOSPC};
    FAULT(fault, write, errors);
    return (fd < 0 || !counters[fd]) && fault_strikes(&fault) ? -1 : real_write(fd, data, size);
}

/* ---- sockets ---- */

HOOK(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE,
     ENFILE, ENOBUFS, ENOMEM)
HOOK(int, socketpair, (int domain, int type, int protocol, int *fds), (domain, type, protocol, fds),
     -1, EMFILE, ENFILE, ENOMEM)
HOOK(int, bind, (int fd, const void *address, unsigned n), (fd, address, n), -1, EADDRINUSE, ENOMEM)
HOOK(int, listen, (int fd, int backlog), (fd, backlog), -1, EADDRINUSE)
HOOK(int, accept4, (int fd, void *address, void *n, int flags), (fd, address, n, flags), -1, EINTR,
     ECONNABORTED, EPERM, EMFILE, ENOMEM)
HOOK(int, getsockopt, (int fd, int level, int option, void *value, void *n),
     (fd, level, option, value, n), -1, ENOBUFS)
HOOK(int, setsockopt, (int fd, int level, int option, const void *value, unsigned n),
     (fd, level, option, value, n), -1, ENOBUFS, ENOMEM)
HOOK(int, getsockname, (int fd, void *address, void *n), (fd, address, n), -1, ENOBUFS)
HOOK(int, getpeername, (int fd, void *address, void *n), (fd, address, n), -1, ENOBUFS)
HOOK(int, shutdown, (int fd, int how), (fd, how), -1, ENOTCONN)
HOOK(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), -1, EINTR, ENOMEM)
HOOK(ssize_t, recvfrom, (int fd, void *p, size_t n, int flags, void *from, void *length),
     (fd, p, n, flags, from, length), -1, EINTR, ENOMEM)
HOOK(ssize_t, recvmsg, (int fd, void *message, int flags), (fd, message, flags), -1, EINTR, ENOMEM)
HOOK(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), -1, EINTR,
     ENOBUFS)
HOOK(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const void *to, unsigned length),
     (fd, p, n, flags, to, length), -1, EINTR, ENOBUFS)
HOOK(ssize_t, sendmsg, (int fd, const void *message, int flags), (fd, message, flags), -1, EINTR,
     ENOBUFS)
HOOK_BY_HAND(int, connect, (int fd, const void *address, unsigned length));
HOOK_BY_HAND(int, getaddrinfo, (const char *, const char *, const void *, void **found));
HOOK_BY_HAND(void, freeaddrinfo, (void *found));

/* An interrupted attempt goes on. */
int hook_connect(int fd, const void *address, unsigned length)
{
    static const int errors[] = {EINTR, ECONNREFUSED, ENETUNREACH, ENOMEM};
    FAULT(fault, connect, errors);
    if (!fault_strikes(&fault))
        return real_connect(fd, address, length);
    if (errno == EINTR) {
        real_connect(fd, address, length);
        errno = EINTR;
    }
    return -1;
}

/* EMFILE and the like are EAI_SYSTEM; the others are the resolver's own. */
int hook_getaddrinfo(const char *host, const char *service, const void *hints, void **found)
{
    static const int errors[] = {EMFILE, EAI_MEMORY, EAI_AGAIN, EAI_FAIL};
    FAULT(fault, getaddrinfo, errors);
    if (fault_strikes(&fault))
        return errno < 0 ? errno : EAI_SYSTEM;
    int error = real_getaddrinfo(host, service, hints, found);
    blocks += error == 0;
    return error;
}

void hook_freeaddrinfo(void *found)
{
    blocks--;
    real_freeaddrinfo(found);
}

/* ---- processes ---- */

HOOK(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1, ECHILD)
HOOK(int, waitid, (int type, unsigned id, void *info, int options), (type, id, info, options), -1,
     ECHILD)
HOOK(int, posix_spawn_file_actions_adddup2, (void *actions, int from, int to), (actions, from, to),
     errno, ENOMEM)
HOOK(int, posix_spawn_file_actions_addchdir_np, (void *actions, const char *path), (actions, path),
     errno, ENOMEM)
HOOK(int, posix_spawnp,
     (void *pid, const char *file, const void *actions, const void *attr, char *const *arguments,
      char *const *environment),
     (pid, file, actions, attr, arguments, environment), errno, EAGAIN, ENOMEM)
HOOK_BY_HAND(int, posix_spawn_file_actions_init, (void *actions));
HOOK_BY_HAND(int, posix_spawn_file_actions_destroy, (void *actions));
HOOK_BY_HAND(int, posix_spawnattr_init, (void *attr));
HOOK_BY_HAND(int, posix_spawnattr_destroy, (void *attr));

int hook_posix_spawn_file_actions_init(void *actions)
{
    FAULT(fault, posix_spawn_file_actions_init, no_memory);
    int error = fault_strikes(&fault) ? ENOMEM : real_posix_spawn_file_actions_init(actions);
    blocks += error == 0;
    return error;
}

int hook_posix_spawn_file_actions_destroy(void *actions)
{
    blocks--;
    return real_posix_spawn_file_actions_destroy(actions);
}

int hook_posix_spawnattr_init(void *attr)
{
    FAULT(fault, posix_spawnattr_init, no_memory);
    int error = fault_strikes(&fault) ? ENOMEM : real_posix_spawnattr_init(attr);
    blocks += error == 0;
    return error;
}

int hook_posix_spawnattr_destroy(void *attr)
{
    blocks--;
    return real_posix_spawnattr_destroy(attr);
}
