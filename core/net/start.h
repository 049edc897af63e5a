/* SPDX-License-Identifier: MIT */
/* One connect(2), which never blocks the OS thread. */
#ifndef VERD_NET_START_H
#define VERD_NET_START_H

#include <sys/socket.h>

#include <verd/time.h>

/*
 * Calls connect(2). Nobody's flags are changed, as other processes may share the socket: of one that blocks another
 * OS thread makes the call, which is interrupted after a slice.
 *
 * Returns 0, or -1 and errno: of the system call, where EINTR is an attempt that goes on, or of a Unix socket one
 * that has not begun; ECANCELED, ETIMEDOUT; of offloading, ENOMEM, EMFILE, ENFILE, EAGAIN, EBUSY.
 */
int verd__start_connect(int fd, const struct sockaddr *address, socklen_t length,
                        verd_duration slice);

#endif
