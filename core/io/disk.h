/* SPDX-License-Identifier: MIT */
/* Disk files: always ready for those who ask, but reading and writing them blocks the OS thread all the
 * same. So it is done on another one. */
#ifndef VERD_IO_DISK_H
#define VERD_IO_DISK_H

#include "io/io.h"

/* A read or readv: what the system's page cache has is read here. Of some, as /proc/kmsg, poll(2) says that they
 * are not ready, and then there is EAGAIN. Errors of the system call, ECANCELED or ETIMEDOUT (then nothing
 * was done), or of offloading. */
ssize_t verd__disk_read(int fd, const struct verd__request *request);

/* A write or writev, with the same errors. */
ssize_t verd__disk_write(int fd, const struct verd__request *request);

#endif
