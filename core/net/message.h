/* SPDX-License-Identifier: MIT */
/* As recvfrom(2) and the others, which suspend the green thread where they would block the OS thread. */
#ifndef VERD_NET_MESSAGE_H
#define VERD_NET_MESSAGE_H

#include <sys/socket.h>
#include <sys/types.h>

ssize_t verd__recvfrom_posix(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                             socklen_t *length);
ssize_t verd__recvmsg_posix(int fd, struct msghdr *message, int flags);
ssize_t verd__sendto_posix(int fd, const void *buffer, size_t size, int flags,
                           const struct sockaddr *address, socklen_t length);
ssize_t verd__sendmsg_posix(int fd, const struct msghdr *message, int flags);

#endif
