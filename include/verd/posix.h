/* SPDX-License-Identifier: MIT */
/*
 * POSIX made green: in a file that includes this, the names below suspend the green thread where they would
 * block the OS thread. Source that was written for blocking calls becomes cooperative, and is otherwise left
 * as it is.
 *
 *     #include <verd/posix.h>          // before all others, or cc -include verd/posix.h
 *     #include <unistd.h>
 *
 *     while ((n = read(client, buffer, sizeof buffer)) > 0)       // others run meanwhile
 *         write(client, buffer, (size_t)n);
 *
 * It is the functions that get other names for the linker, verd_posix_read for read, and no macro: pointers to them
 * are meant as well, and members of structs that are called so are not.
 *
 * On an OS thread that has no green threads yet (verd_active) they are what they were. On one that has, they do
 * what their manual pages say, to the errno: a descriptor's own O_NONBLOCK gives EAGAIN, SO_RCVTIMEO and SO_SNDTIMEO
 * hold, a write to a file that blocks writes all, one to a closed pipe brings SIGPIPE, what is made here blocks and is
 * inherited by programs that are executed, unless it is said otherwise, and any number of threads may wait for one
 * descriptor. What differs:
 *
 *   killed, out of time  a call in a thread that verd_kill or a timeout scope reaches ends with -1 and ECANCELED or
 *                        ETIMEDOUT, also those for which POSIX has no such errno (getaddrinfo: EAI_SYSTEM, sleep: 0,
 *                        gethostbyname: TRY_AGAIN), but a write that has written some tells how much
 *   cancelled            a thread that pthread_create of <verd/pthread.h> has made ends in all calls here that may block
 *   signals              a handler that was set by sigaction or signal of such a file ends a wait with EINTR where the
 *                        call's manual page says so: main's, to which the kernel gives the process's signals, or that of
 *                        the thread which pthread_kill of <verd/pthread.h> has named. Other handlers end none
 *   ppoll, pselect, epoll_pwait, sigsuspend  their mask of signals is the OS thread's, for all its green threads,
 *                        meanwhile
 *   disk files, names    are opened, read, written and looked up by other OS threads, of which each of these has 20.
 *                        To connect, or to accept, at a socket that blocks takes one for a moment
 *   in handlers          of signals these calls are libc's own, and as safe there. None may leave by siglongjmp a call that
 *                        waits: the green thread would run on while it is still waited with
 *   close                wakes who waits for the descriptor: EBADF; but of several in the same direction only the first:
 *                        shut it down first. It waits for SO_LINGER, as verd_close
 *   select               looks at FD_SETSIZE descriptors at most
 *   system, popen        start their command with no signal blocked and SIGPIPE's default. While one of system runs,
 *                        SIGCHLD's handler, if it is one of such a file, waits on that OS thread: it runs afterwards. Who
 *                        waits for any child meanwhile, in another green thread, may get the command. A stream of popen
 *                        has no descriptor (fileno), waits like read, and belongs to one thread at a time
 *   vfork                is fork
 *   all others           are libc's own, and hold the OS thread with all its green threads as long as they block: fopen,
 *                        fdopen and what is done with their streams, fstat, wait3, wait4, waitid, splice, preadv2,
 *                        epoll_pwait2, getnameinfo, gethostbyaddr, msgrcv, semop, mq_receive, tcdrain, syslog, ...
 *
 * C or C++. With _FORTIFY_SOURCE or _FILE_OFFSET_BITS, and in C++, it has to come first; the headers named below then are
 * without the checks of _FORTIFY_SOURCE. If it comes first, glibc's headers show what they show with _GNU_SOURCE, so
 * strerror_r is GNU's. A thread's stack is of VERD_STACK_SIZE: compile with -fstack-clash-protection, lest a large frame
 * steps over its guard, and let the environment's VERD_STACK_SIZE say if it is too small.
 */
#ifndef VERD_POSIX_H
#define VERD_POSIX_H

#if defined __cplusplus && defined _FEATURES_H && !defined VERD_POSIX_DECLARE_ONLY
#error "in C++ <verd/posix.h> has to come before all headers of C: c++ -include verd/posix.h"
#endif

/* The headers show all that they have, and what the file itself asks for later is as if nobody had asked before. */
#pragma push_macro("_GNU_SOURCE")
#pragma push_macro("_DEFAULT_SOURCE")
#pragma push_macro("_POSIX_C_SOURCE")
#pragma push_macro("_POSIX_SOURCE")
#pragma push_macro("_XOPEN_SOURCE")
#pragma push_macro("_XOPEN_SOURCE_EXTENDED")
#pragma push_macro("_LARGEFILE64_SOURCE")
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <features.h>

/* With these the headers have functions that are inline, or have other names for the linker already. */
#if (defined __USE_FORTIFY_LEVEL && __USE_FORTIFY_LEVEL > 0) || defined __USE_FILE_OFFSET64
#if (defined _UNISTD_H || defined _FCNTL_H || defined _SYS_SOCKET_H || defined _SYS_POLL_H || \
     defined _SYS_STAT_H) &&                                                                  \
    !defined VERD_POSIX_DECLARE_ONLY
#error \
    "<verd/posix.h> has to come before the headers of POSIX and <verd.h>: cc -include verd/posix.h"
#endif
#endif

#ifndef VERD_POSIX_DECLARE_ONLY
#pragma redefine_extname read verd_posix_read
#pragma redefine_extname readv verd_posix_readv
#pragma redefine_extname pread verd_posix_pread
#pragma redefine_extname preadv verd_posix_preadv
#pragma redefine_extname write verd_posix_write
#pragma redefine_extname writev verd_posix_writev
#pragma redefine_extname pwrite verd_posix_pwrite
#pragma redefine_extname pwritev verd_posix_pwritev
#pragma redefine_extname sendfile verd_posix_sendfile
#pragma redefine_extname recv verd_posix_recv
#pragma redefine_extname recvfrom verd_posix_recvfrom
#pragma redefine_extname recvmsg verd_posix_recvmsg
#pragma redefine_extname recvmmsg verd_posix_recvmmsg
#pragma redefine_extname send verd_posix_send
#pragma redefine_extname sendto verd_posix_sendto
#pragma redefine_extname sendmsg verd_posix_sendmsg
#pragma redefine_extname sendmmsg verd_posix_sendmmsg
#pragma redefine_extname connect verd_posix_connect
#pragma redefine_extname accept verd_posix_accept
#pragma redefine_extname accept4 verd_posix_accept4
#pragma redefine_extname socket verd_posix_socket
#pragma redefine_extname socketpair verd_posix_socketpair
#pragma redefine_extname listen verd_posix_listen
#pragma redefine_extname setsockopt verd_posix_setsockopt
#pragma redefine_extname shutdown verd_posix_shutdown
#pragma redefine_extname pipe verd_posix_pipe
#pragma redefine_extname pipe2 verd_posix_pipe2
#pragma redefine_extname dup verd_posix_dup
#pragma redefine_extname dup2 verd_posix_dup2
#pragma redefine_extname dup3 verd_posix_dup3
#pragma redefine_extname close verd_posix_close
#pragma redefine_extname poll verd_posix_poll
#pragma redefine_extname ppoll verd_posix_ppoll
#pragma redefine_extname select verd_posix_select
#pragma redefine_extname pselect verd_posix_pselect
#pragma redefine_extname epoll_wait verd_posix_epoll_wait
#pragma redefine_extname epoll_pwait verd_posix_epoll_pwait
#pragma redefine_extname sleep verd_posix_sleep
#pragma redefine_extname usleep verd_posix_usleep
#pragma redefine_extname nanosleep verd_posix_nanosleep
#pragma redefine_extname clock_nanosleep verd_posix_clock_nanosleep
#pragma redefine_extname open verd_posix_open
#pragma redefine_extname openat verd_posix_openat
#pragma redefine_extname creat verd_posix_creat
#pragma redefine_extname fsync verd_posix_fsync
#pragma redefine_extname fdatasync verd_posix_fdatasync
#pragma redefine_extname stat verd_posix_stat
#pragma redefine_extname lstat verd_posix_lstat
#pragma redefine_extname getaddrinfo verd_posix_getaddrinfo
#pragma redefine_extname gethostbyname verd_posix_gethostbyname
#pragma redefine_extname gethostbyname2 verd_posix_gethostbyname2
#pragma redefine_extname gethostbyname_r verd_posix_gethostbyname_r
#pragma redefine_extname gethostbyname2_r verd_posix_gethostbyname2_r
#pragma redefine_extname wait verd_posix_wait
#pragma redefine_extname waitpid verd_posix_waitpid
#pragma redefine_extname system verd_posix_system
#pragma redefine_extname popen verd_posix_popen
#pragma redefine_extname pclose verd_posix_pclose
#pragma redefine_extname sigaction verd_posix_sigaction
#pragma redefine_extname vfork fork
#pragma redefine_extname flock verd_posix_flock
#pragma redefine_extname fcntl verd_posix_fcntl
#pragma redefine_extname lockf verd_posix_lockf
#pragma redefine_extname pause verd_posix_pause
#pragma redefine_extname sigsuspend verd_posix_sigsuspend
#pragma redefine_extname sigwait verd_posix_sigwait
#pragma redefine_extname sigwaitinfo verd_posix_sigwaitinfo
#pragma redefine_extname sigtimedwait verd_posix_sigtimedwait
#pragma redefine_extname signal verd_posix_signal
#pragma redefine_extname siginterrupt verd_posix_siginterrupt

/* Large files have names of their own in glibc, and are the same. */
#pragma redefine_extname open64 verd_posix_open
#pragma redefine_extname openat64 verd_posix_openat
#pragma redefine_extname creat64 verd_posix_creat
#pragma redefine_extname pread64 verd_posix_pread
#pragma redefine_extname pwrite64 verd_posix_pwrite
#pragma redefine_extname preadv64 verd_posix_preadv
#pragma redefine_extname pwritev64 verd_posix_pwritev
#pragma redefine_extname sendfile64 verd_posix_sendfile
#pragma redefine_extname stat64 verd_posix_stat
#pragma redefine_extname lstat64 verd_posix_lstat
#pragma redefine_extname fcntl64 verd_posix_fcntl
#pragma redefine_extname lockf64 verd_posix_lockf

/* So has System V's signal. */
#pragma redefine_extname sysv_signal verd_posix_sysv_signal
#pragma redefine_extname __sysv_signal verd_posix_sysv_signal
#endif

#pragma push_macro("__USE_FORTIFY_LEVEL")
#pragma push_macro("__USE_EXTERN_INLINES")
#pragma push_macro("__USE_FILE_OFFSET64")
#ifdef __USE_FORTIFY_LEVEL
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#endif
#undef __USE_EXTERN_INLINES
#undef __USE_FILE_OFFSET64
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#pragma pop_macro("__USE_FILE_OFFSET64")
#pragma pop_macro("__USE_EXTERN_INLINES")
#pragma pop_macro("__USE_FORTIFY_LEVEL")

#include <stdio.h>
#include <stdlib.h>

#pragma pop_macro("_LARGEFILE64_SOURCE")
#pragma pop_macro("_XOPEN_SOURCE_EXTENDED")
#pragma pop_macro("_XOPEN_SOURCE")
#pragma pop_macro("_POSIX_SOURCE")
#pragma pop_macro("_POSIX_C_SOURCE")
#pragma pop_macro("_DEFAULT_SOURCE")
#pragma pop_macro("_GNU_SOURCE")

#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reading and writing. May block. */
ssize_t verd_posix_read(int fd, void *buffer, size_t size);
ssize_t verd_posix_readv(int fd, const struct iovec *vector, int count);
ssize_t verd_posix_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t verd_posix_preadv(int fd, const struct iovec *vector, int count, off_t offset);
ssize_t verd_posix_write(int fd, const void *data, size_t size);
ssize_t verd_posix_writev(int fd, const struct iovec *vector, int count);
ssize_t verd_posix_pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t verd_posix_pwritev(int fd, const struct iovec *vector, int count, off_t offset);
ssize_t verd_posix_sendfile(int to, int from, off_t *offset, size_t size);

/* Messages. May block. */
struct mmsghdr;
ssize_t verd_posix_recv(int fd, void *buffer, size_t size, int flags);
ssize_t verd_posix_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                            socklen_t *length);
ssize_t verd_posix_recvmsg(int fd, struct msghdr *message, int flags);
int verd_posix_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                        struct timespec *timeout);
ssize_t verd_posix_send(int fd, const void *data, size_t size, int flags);
ssize_t verd_posix_sendto(int fd, const void *data, size_t size, int flags,
                          const struct sockaddr *address, socklen_t length);
ssize_t verd_posix_sendmsg(int fd, const struct msghdr *message, int flags);
int verd_posix_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

/* Making connections. May block. */
int verd_posix_connect(int fd, const struct sockaddr *address, socklen_t length);
int verd_posix_accept(int fd, struct sockaddr *address, socklen_t *length);
int verd_posix_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

/* Making descriptors, and what changes them. Never block. */
int verd_posix_socket(int domain, int type, int protocol);
int verd_posix_socketpair(int domain, int type, int protocol, int fds[2]);
int verd_posix_listen(int fd, int backlog);
int verd_posix_setsockopt(int fd, int level, int option, const void *value, socklen_t length);
int verd_posix_shutdown(int fd, int how);
int verd_posix_pipe(int fds[2]);
int verd_posix_pipe2(int fds[2], int flags);
int verd_posix_dup(int fd);
int verd_posix_dup2(int fd, int number);
int verd_posix_dup3(int fd, int number, int flags);
int verd_posix_close(int fd);

/* Waiting for descriptors. May block. */
int verd_posix_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int verd_posix_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask);
int verd_posix_select(int count, fd_set *input, fd_set *output, fd_set *urgent,
                      struct timeval *timeout);
int verd_posix_pselect(int count, fd_set *input, fd_set *output, fd_set *urgent,
                       const struct timespec *timeout, const sigset_t *mask);
int verd_posix_epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms);
int verd_posix_epoll_pwait(int fd, struct epoll_event *events, int count, int timeout_ms,
                           const sigset_t *mask);

/* Time. May block. */
unsigned verd_posix_sleep(unsigned seconds);
int verd_posix_usleep(unsigned microseconds);
int verd_posix_nanosleep(const struct timespec *span, struct timespec *left);
int verd_posix_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                               struct timespec *left);

/* Files on disks. May block. */
int verd_posix_open(const char *path, int flags, ...);
int verd_posix_openat(int directory, const char *path, int flags, ...);
int verd_posix_creat(const char *path, mode_t mode);
int verd_posix_fsync(int fd);
int verd_posix_fdatasync(int fd);
int verd_posix_stat(const char *path, struct stat *status);
int verd_posix_lstat(const char *path, struct stat *status);

/* Names. May block. */
int verd_posix_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **result);
struct hostent *verd_posix_gethostbyname(const char *name);
struct hostent *verd_posix_gethostbyname2(const char *name, int family);
int verd_posix_gethostbyname_r(const char *name, struct hostent *entry, char *room, size_t size,
                               struct hostent **result, int *error);
int verd_posix_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *room,
                                size_t size, struct hostent **result, int *error);

/* Child processes. May block, but for popen. */
pid_t verd_posix_wait(int *status);
pid_t verd_posix_waitpid(pid_t pid, int *status, int options);
int verd_posix_system(const char *command);
FILE *verd_posix_popen(const char *command, const char *mode);
int verd_posix_pclose(FILE *file);

/* Locks of files, which are tried time and again, at most 64 ms apart: nobody tells that one is free, and a
 * deadlock (EDEADLK) is not seen. May block. */
int verd_posix_flock(int fd, int operation);
int verd_posix_fcntl(int fd, int command, ...);
int verd_posix_lockf(int fd, int command, off_t length);

/* Waiting for signals. May block. */
int verd_posix_pause(void);
int verd_posix_sigsuspend(const sigset_t *mask);
int verd_posix_sigwait(const sigset_t *set, int *signal);
int verd_posix_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int verd_posix_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);

/* Handlers of signals; System V's kind is glibc's alone. Never block. */
int verd_posix_sigaction(int signal, const struct sigaction *action, struct sigaction *before);
void (*verd_posix_signal(int signal, void (*handler)(int)))(int);
void (*verd_posix_sysv_signal(int signal, void (*handler)(int)))(int);
int verd_posix_siginterrupt(int signal, int interrupt);

#ifdef __cplusplus
}
#endif
#endif
