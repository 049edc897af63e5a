/* SPDX-License-Identifier: MIT */
#include "net/descriptor.h"

#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "hub/hub.h"
#include "net/shortage.h"

int verd__descriptor_new(int fd, unsigned bits)
{
    if (fd < 0)
        return -1;
    struct verd__scheduler *scheduler = verd__scheduler();
    struct verd__hub *hub = scheduler != NULL ? verd__hub(scheduler) : NULL;
    if (hub != NULL && verd__hub_adopt(hub, fd, bits) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int verd__descriptor_socket(int family, unsigned bits)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return verd__descriptor_new(fd, bits | VERD__FD_SOCKET);
}

int verd__descriptor_tcp(int family)
{
    static const int on = 1;
    int fd = verd__descriptor_socket(family, VERD__FD_STREAM);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

void verd__descriptor_drop(int fd)
{
    int error = errno;
    if (fd >= 0)
        verd_close(fd);
    errno = error;
}

int verd__descriptor_renumber(int fd, int number)
{
    if (fd < 0 || fd == number)
        return fd < 0 ? -1 : 0;
    int result = dup3(fd, number, O_CLOEXEC);
    int error = errno;
    close(fd);
    errno = error;
    return result < 0 ? -1 : 0;
}

int verd_close(int fd)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL && scheduler->outside != NULL) {
        struct verd__hub *hub = verd__hub(scheduler);
        verd__hub_forget(hub, fd);
        verd__shortage_eased(hub); /* who is woken runs after this */
    }
    int result = close(fd);
    return result != 0 && errno == EINTR ? 0 : result;
}

/* A full Unix socket does not report that its own side was shut down. */
int verd_shutdown(int fd, int how)
{
    struct verd__scheduler *scheduler = verd__current;
    int result = shutdown(fd, how);
    if (result == 0 && scheduler != NULL && scheduler->outside != NULL)
        verd__hub_retry(verd__hub(scheduler), fd);
    return result;
}

/* Makes both descriptors known, or none. */
static int adopt_pair(int fds[2], const int made[2], unsigned bits)
{
    int first = verd__descriptor_new(made[0], bits);
    int second = first >= 0 ? verd__descriptor_new(made[1], bits) : -1;
    if (second >= 0) {
        fds[0] = first;
        fds[1] = second;
        return 0;
    }
    if (first < 0) {
        int error = errno;
        close(made[1]);
        errno = error;
    }
    verd__descriptor_drop(first);
    return -1;
}

int verd_pipe(int fds[2])
{
    int made[2];
    if (pipe2(made, O_NONBLOCK | O_CLOEXEC) != 0)
        return -1;
    return adopt_pair(fds, made, VERD__FD_STREAM);
}

int verd_socketpair(int domain, int type, int protocol, int fds[2])
{
    int made[2];
    type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (socketpair(domain, type, protocol, made) != 0)
        return -1;
    bool stream = domain == AF_UNIX && type == (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    return adopt_pair(fds, made, VERD__FD_SOCKET | (stream ? VERD__FD_UNIX : 0));
}
