/* SPDX-License-Identifier: MIT */
/*
 * The hooks: libc's names, as functions of ours that lead to the library's. Each is called verd__hook_..., and has libc's
 * name as another, so that the compiler knows nothing of what it is.
 */
#include "patch/hooks/hook.h"

#include <errno.h>
#include <stdarg.h>

#include "patch/hooks/system.h"
#include "patch/signals.h"

#define HOOK(returned, name, parameters, arguments)                                          \
    returned verd__hook_##name parameters                                                    \
    {                                                                                        \
        return verd__is_patched() ? verd_posix_##name arguments : verd__next.name arguments; \
    }                                                                                        \
    VERD__NAME(name, verd__hook_##name)

VERD__SYSTEM_CALLS(HOOK)

/* ---- with variable arguments, of which the last is in its place, whether there is one or not ---- */

int verd__hook_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return verd__is_patched() ? verd_posix_open(path, flags, mode)
                              : verd__next.open(path, flags, mode);
}

int verd__hook_openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return verd__is_patched() ? verd_posix_openat(directory, path, flags, mode)
                              : verd__next.openat(directory, path, flags, mode);
}

int verd__hook_fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return verd__is_patched() ? verd_posix_fcntl(fd, command, argument)
                              : verd__next.fcntl(fd, command, argument);
}

/* ---- made of others ---- */

int verd__hook_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return verd__hook_accept4(fd, address, length, 0);
}

int verd__hook_pipe(int fds[2])
{
    return verd__hook_pipe2(fds, 0);
}

int verd__hook_creat(const char *path, mode_t mode)
{
    return verd__hook_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

pid_t verd__hook_wait(int *status)
{
    return verd__hook_waitpid(-1, status, 0);
}

void (*verd__hook_signal(int signal, void (*handler)(int)))(int)
{
    return verd__signal_by(verd__hook_sigaction, signal, handler);
}

#ifdef __GLIBC__
void (*verd__hook_sysv_signal(int signal, void (*handler)(int)))(int)
{
    return verd__sysv_signal_by(verd__hook_sigaction, signal, handler);
}

/* Of struct stat there have been two versions, which on these architectures are one. */
static bool is_known(int version)
{
    if (version == 0 || version == 1)
        return true;
    errno = EINVAL;
    return false;
}

int verd__hook_xstat(int version, const char *path, struct stat *status)
{
    return is_known(version) ? verd__hook_stat(path, status) : -1;
}

int verd__hook_lxstat(int version, const char *path, struct stat *status)
{
    return is_known(version) ? verd__hook_lstat(path, status) : -1;
}
#endif

int verd__hook_siginterrupt(int signal, int interrupt)
{
    return verd__siginterrupt_by(verd__hook_sigaction, signal, interrupt);
}

/* A child that shares its parent's memory would close its parent's descriptors. */
pid_t verd__hook_vfork(void)
{
    return fork();
}

VERD__MORE_NAMES(VERD__NAME)
VERD__GLIBC_NAMES(VERD__NAME)

/* ---- musl has four in one file, which brings its own of two of them ---- */

#ifndef __GLIBC__
int verd__hook_epoll_create(int size);
int verd__hook_epoll_create1(int flags);
int verd__hook_epoll_ctl(int poller, int command, int fd, struct epoll_event *event);

int verd__hook_epoll_create1(int flags)
{
    return (int)VERD__SYSTEM(SYS_epoll_create1, flags);
}

int verd__hook_epoll_create(int size)
{
    if (size > 0)
        return verd__hook_epoll_create1(0);
    errno = EINVAL;
    return -1;
}

int verd__hook_epoll_ctl(int poller, int command, int fd, struct epoll_event *event)
{
    return (int)VERD__SYSTEM(SYS_epoll_ctl, poller, command, fd, P(event));
}

VERD__NAME(epoll_create, verd__hook_epoll_create)
VERD__NAME(epoll_create1, verd__hook_epoll_create1)
VERD__NAME(epoll_ctl, verd__hook_epoll_ctl)
#endif
