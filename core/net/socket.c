/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <verd/net.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "hub/hub.h"
#include "io/descriptor.h"

int verd__socket_stream(int family, unsigned bits)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return verd__descriptor_new(fd, bits | VERD__FD_SOCKET);
}

int verd__socket_tcp(int family)
{
    static const int on = 1;
    int fd = verd__socket_stream(family, VERD__FD_STREAM);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

/* A full Unix socket does not report that its own side was shut down. */
int verd_shutdown(int fd, int how)
{
    struct verd__scheduler *scheduler = verd__current;
    int result = shutdown(fd, how);
    if (result == 0 && scheduler != NULL && scheduler->poller != NULL)
        verd__loop_retry(verd__loop(scheduler), fd);
    return result;
}

int verd_socketpair(int domain, int type, int protocol, int fds[2])
{
    int made[2];
    type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (socketpair(domain, type, protocol, made) != 0)
        return -1;
    bool stream = domain == AF_UNIX && type == (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    return verd__descriptor_pair(fds, made, VERD__FD_SOCKET | (stream ? VERD__FD_UNIX : 0));
}
