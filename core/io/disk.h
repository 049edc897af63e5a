/* SPDX-License-Identifier: MIT */
/* Disk files: always ready for those who ask, but reading and writing them blocks the OS thread all the
 * same. So it is done on another one. */
#ifndef VERD_IO_DISK_H
#define VERD_IO_DISK_H

#include <stdbool.h>

#include "io/io.h"

/* Whether the descriptor is one: a regular file or a block device. */
bool verd__disk_is(int fd);

/* Does request->file(fd, request) on another OS thread, taken back or finished if the caller gives up.
 * Errors of the system call, ECANCELED or ETIMEDOUT (then nothing was done), or ENOMEM. */
ssize_t verd__disk_do(int fd, const struct verd__request *request);

/* The same for a read or readv, but what the system's page cache has is read here. */
ssize_t verd__disk_read(int fd, const struct verd__request *request);

#endif
