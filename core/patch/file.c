/* SPDX-License-Identifier: MIT */
/* Files on disks, as POSIX has them. */
#include "patch/posix.h"

#include <stdarg.h>

#include <verd/os.h>

#include "os/file.h"

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    verd__point();
    int fd = verd__is_green() ? verd__openat(directory, path, flags, mode)
                              : openat(directory, path, flags, mode);
    if (fd < 0)
        verd__point();
    return fd;
}

/* The third argument of an open, if the flags say that there is one. */
static mode_t mode_of(int flags, va_list list)
{
    return verd__open_has_mode(flags) ? va_arg(list, mode_t) : 0;
}

int verd_posix_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return open_at(AT_FDCWD, path, flags, mode);
}

int verd_posix_openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return open_at(directory, path, flags, mode);
}

int verd_posix_creat(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

VERD__POINT(int, fsync, (int fd), (fd))
{
    return verd__is_green() ? verd_fsync(fd) : fsync(fd);
}

VERD__POINT(int, fdatasync, (int fd), (fd))
{
    return verd__is_green() ? verd_fdatasync(fd) : fdatasync(fd);
}

VERD__POINT(int, stat, (const char *path, struct stat *status), (path, status))
{
    return verd__is_green() ? verd_stat(path, status) : stat(path, status);
}

VERD__POINT(int, lstat, (const char *path, struct stat *status), (path, status))
{
    return verd__is_green() ? verd_lstat(path, status) : lstat(path, status);
}
