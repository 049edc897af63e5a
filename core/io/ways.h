/* SPDX-License-Identifier: MIT */
/* How each kind of file is read and written so that the OS thread never waits: the table in ways.c. Of sockets and
 * pipes of ours attempt.c knows without a look. */
#ifndef VERD_IO_WAYS_H
#define VERD_IO_WAYS_H

#include <verd/time.h>

#include "io/attempt.h"

/* One attempt on what is no socket, by what it is now. Returns as verd__attempt. */
ssize_t verd__attempt_file(const struct verd__call *call);

/* The same by a system call that does not wait, whatever the flags of the file: RWF_NOWAIT. EOPNOTSUPP: the file
 * has none. */
ssize_t verd__read_now(int fd, const struct verd__request *request);
ssize_t verd__write_now(int fd, const struct verd__request *request, int flags);

/* Whether its flags have reads and writes wait. */
bool verd__is_blocking(int fd);

/* Whether there is something to read, or to accept; or an error to be told. */
bool verd__is_readable(int fd);

/* sendfile's attempt, of a request of verd_sendfile. (sendfile.c) */
ssize_t verd__attempt_sendfile(const struct verd__call *call);

/* write(fd, request) without SIGPIPE. */
ssize_t verd__write_quietly(int fd, const struct verd__request *request,
                            ssize_t (*write)(int fd, const struct verd__request *request));

/* Another OS thread has so long for a call that was said not to wait. */
#define VERD__SLICE (10 * VERD_MS)

#endif
