/* SPDX-License-Identifier: MIT */
/* System calls, as libc has them. */
#include "kernel/pass.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
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

VERD__SYSTEM_CALLS(VERD__PASS)

/* The last argument of these is in its place, whether the caller has given one or not. */
__attribute__((weak)) int verd__kernel_open(const char *path, int flags, ...);
__attribute__((weak)) int verd__kernel_openat(int directory, const char *path, int flags, ...);
__attribute__((weak)) int verd__kernel_fcntl(int fd, int command, ...);

int verd__kernel_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return open(path, flags, mode);
}

int verd__kernel_openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return openat(directory, path, flags, mode);
}

int verd__kernel_fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return fcntl(fd, command, argument);
}
