/* SPDX-License-Identifier: MIT */
/* Opening as POSIX has it. */
#ifndef VERD_OS_FILE_H
#define VERD_OS_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

/* As openat(2), by another OS thread. */
int verd__openat(int directory, const char *path, int flags, mode_t mode);

/* Whether open(2) with these flags has a third argument. */
static inline bool verd__open_has_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#endif
