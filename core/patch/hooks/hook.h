/* SPDX-License-Identifier: MIT */
/* The hooks, and what names of libc's they take: NAME(name, hook). */
#ifndef VERD_PATCH_HOOKS_HOOK_H
#define VERD_PATCH_HOOKS_HOOK_H

#include "patch/hooks/next.h"

#define VERD__HOOK(returned, name, parameters, arguments) returned verd__hook_##name parameters;
VERD__SYSTEM_CALLS(VERD__HOOK)
VERD__LIBC_CALLS(VERD__HOOK)
#undef VERD__HOOK

/* With variable arguments. */
int verd__hook_open(const char *path, int flags, ...);
int verd__hook_openat(int directory, const char *path, int flags, ...);
int verd__hook_fcntl(int fd, int command, ...);

/* Made of others; the last two are of dynamic programs, as those of VERD__LIBC_CALLS. */
int verd__hook_accept(int fd, struct sockaddr *address, socklen_t *length);
int verd__hook_pipe(int fds[2]);
int verd__hook_creat(const char *path, mode_t mode);
pid_t verd__hook_wait(int *status);
void (*verd__hook_signal(int signal, void (*handler)(int)))(int);
void (*verd__hook_sysv_signal(int signal, void (*handler)(int)))(int);
int verd__hook_siginterrupt(int signal, int interrupt);
pid_t verd__hook_vfork(void);
int verd__hook_xstat(int version, const char *path, struct stat *status);
int verd__hook_lxstat(int version, const char *path, struct stat *status);
struct hostent *verd__hook_gethostbyname(const char *name);
int verd__hook_gethostbyname_r(const char *name, struct hostent *entry, char *room, size_t size,
                               struct hostent **result, int *error);

#define VERD__MORE_NAMES(NAME)                  \
    NAME(siginterrupt, verd__hook_siginterrupt) \
    NAME(open, verd__hook_open)                 \
    NAME(openat, verd__hook_openat)             \
    NAME(fcntl, verd__hook_fcntl)               \
    NAME(accept, verd__hook_accept)             \
    NAME(pipe, verd__hook_pipe)                 \
    NAME(creat, verd__hook_creat)               \
    NAME(wait, verd__hook_wait)                 \
    NAME(signal, verd__hook_signal)             \
    NAME(vfork, verd__hook_vfork)

#ifdef __GLIBC__
/* Names of glibc's own: for large files, which are the same, for System V's signal, and for the status of files in
 * what was compiled with glibc before 2.33. */
#define VERD__GLIBC_NAMES(NAME)                 \
    NAME(sysv_signal, verd__hook_sysv_signal)   \
    NAME(__sysv_signal, verd__hook_sysv_signal) \
    NAME(open64, verd__hook_open)               \
    NAME(openat64, verd__hook_openat)           \
    NAME(creat64, verd__hook_creat)             \
    NAME(pread64, verd__hook_pread)             \
    NAME(pwrite64, verd__hook_pwrite)           \
    NAME(preadv64, verd__hook_preadv)           \
    NAME(pwritev64, verd__hook_pwritev)         \
    NAME(sendfile64, verd__hook_sendfile)       \
    NAME(stat64, verd__hook_stat)               \
    NAME(lstat64, verd__hook_lstat)             \
    NAME(__xstat, verd__hook_xstat)             \
    NAME(__xstat64, verd__hook_xstat)           \
    NAME(__lxstat, verd__hook_lxstat)           \
    NAME(__lxstat64, verd__hook_lxstat)         \
    NAME(fcntl64, verd__hook_fcntl)             \
    NAME(lockf64, verd__hook_lockf)

/* What is compiled with _FORTIFY_SOURCE calls: `room` is the size of the buffer. */
ssize_t verd__hook_read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t verd__hook_pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);
ssize_t verd__hook_recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t verd__hook_recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                                struct sockaddr *address, socklen_t *length);
int verd__hook_poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
int verd__hook_ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                         const sigset_t *mask, size_t room);
int verd__hook_open_2(const char *path, int flags);
int verd__hook_openat_2(int directory, const char *path, int flags);

#define VERD__FORTIFIED_NAMES(NAME)               \
    NAME(__read_chk, verd__hook_read_chk)         \
    NAME(__pread_chk, verd__hook_pread_chk)       \
    NAME(__pread64_chk, verd__hook_pread_chk)     \
    NAME(__recv_chk, verd__hook_recv_chk)         \
    NAME(__recvfrom_chk, verd__hook_recvfrom_chk) \
    NAME(__poll_chk, verd__hook_poll_chk)         \
    NAME(__ppoll_chk, verd__hook_ppoll_chk)       \
    NAME(__open_2, verd__hook_open_2)             \
    NAME(__open64_2, verd__hook_open_2)           \
    NAME(__openat_2, verd__hook_openat_2)         \
    NAME(__openat64_2, verd__hook_openat_2)
#else
#define VERD__GLIBC_NAMES(NAME)
#define VERD__FORTIFIED_NAMES(NAME)
#endif

#endif
