/* SPDX-License-Identifier: MIT */
/* What the library calls in place of libc's names: what lies below the hooks. In the place of kernel/kernel.c. */
#include "patch/hooks/next.h"

#include <stdarg.h>

#define PASS(returned, name, parameters, arguments) \
    returned verd__kernel_##name parameters;        \
    returned verd__kernel_##name parameters         \
    {                                               \
        return verd__next.name arguments;           \
    }

VERD__SYSTEM_CALLS(PASS)

int verd__kernel_open(const char *path, int flags, ...);
int verd__kernel_openat(int directory, const char *path, int flags, ...);
int verd__kernel_fcntl(int fd, int command, ...);

int verd__kernel_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return verd__next.open(path, flags, mode);
}

int verd__kernel_openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return verd__next.openat(directory, path, flags, mode);
}

int verd__kernel_fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return verd__next.fcntl(fd, command, argument);
}
