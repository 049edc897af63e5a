/* SPDX-License-Identifier: MIT */
#include "io/descriptor.h"

#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/hub.h"

int verd__descriptor_new(int fd, unsigned bits)
{
    if (fd < 0)
        return -1;
    struct verd__scheduler *scheduler = verd__scheduler();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop != NULL && verd__loop_adopt(loop, fd, bits) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void close_held(struct verd__obligation *obligation)
{
    verd__descriptor_drop(VERD__CONTAINER_OF(obligation, struct verd__held, obligation)->fd);
}

void verd__descriptor_hold(struct verd__held *held, int fd)
{
    held->fd = fd;
    verd__obligation_begin(verd__current, &held->obligation, close_held);
}

void verd__descriptor_let_go(struct verd__held *held)
{
    verd__obligation_end(verd__current, &held->obligation);
}

/* A full Unix socket does not report that its own side was shut down. */
int verd_shutdown(int fd, int how)
{
    struct verd__loop *loop = verd__loop_here();
    int result = shutdown(fd, how);
    if (result == 0 && loop != NULL)
        verd__loop_retry(loop, fd);
    return result;
}

int verd__descriptor_pair(int fds[2], const int made[2], unsigned bits)
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
    return verd__descriptor_pair(fds, made, 0);
}
