/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing pipes of ours. One system call, which neither waits nor brings SIGPIPE even
 * if the number has become a blocking pipe behind the library's back (RWF_NOWAIT on pipes: Linux
 * 6.4; RWF_NOSIGNAL: 6.18).
 */
#ifndef VERD_IO_PIPE_H
#define VERD_IO_PIPE_H

#include "io/io.h"

/* Do what a request of read, readv, write or writev says, with EAGAIN instead of waiting. -1 with
 * errno EOPNOTSUPP: there is no such system call here, or no longer a pipe. */
ssize_t verd__pipe_read(int fd, const struct verd__request *request);
ssize_t verd__pipe_write(int fd, const struct verd__request *request);

#endif
