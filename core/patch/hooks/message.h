/* SPDX-License-Identifier: MIT */
/* Messages by system calls: libc's struct need not be the kernel's. */
#ifndef VERD_PATCH_HOOKS_MESSAGE_H
#define VERD_PATCH_HOOKS_MESSAGE_H

#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct mmsghdr;

ssize_t verd__system_recvmsg(int fd, struct msghdr *message, int flags);
int verd__system_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                          struct timespec *timeout);
ssize_t verd__system_sendmsg(int fd, const struct msghdr *message, int flags);
int verd__system_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

#endif
