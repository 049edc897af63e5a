/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, as POSIX makes them: blocking, and inherited by programs that are executed. Their flags are the
 * kernel's own, so that everybody sees what the program has set. The hub takes note of them like of its own: so
 * they are registered with the poller once.
 */
#include "patch/posix.h"

#include <errno.h>

#include <verd/net.h>

#include "hub/hub.h"
#include "io/descriptor.h"
#include "net/accept.h"
#include "net/connect.h"
#include "net/socket.h"

/* The hub's record of a descriptor that was made here; NULL: it has none. */
static struct verd__fd *record_of(int fd)
{
    struct verd__fd *record = verd__loop_noted(fd);
    return record != NULL && (record->bits & VERD__FD_OURS) ? record : NULL;
}

void verd__posix_forget(int fd)
{
    struct verd__loop *loop = verd__loop_here();
    if (verd__is_green() && loop != NULL)
        verd__loop_forget(loop, fd);
}

/* Before a number becomes another file, if it will. */
static void forget_twin(int fd, int number)
{
    if (number >= 0 && fd != number && fcntl(fd, F_GETFD) >= 0)
        verd__posix_forget(number);
}

int verd_posix_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type, protocol);
    return verd__is_green() && fd >= 0 ? verd__descriptor_new(fd, verd__socket_kind(fd)) : fd;
}

int verd_posix_socketpair(int domain, int type, int protocol, int fds[2])
{
    int made[2];
    if (!verd__is_green())
        return socketpair(domain, type, protocol, fds);
    if (socketpair(domain, type, protocol, made) != 0)
        return -1;
    return verd__descriptor_pair(fds, made, verd__socket_kind(made[0]));
}

int verd_posix_pipe(int fds[2])
{
    return verd_posix_pipe2(fds, 0);
}

int verd_posix_pipe2(int fds[2], int flags)
{
    int made[2];
    if (!verd__is_green())
        return pipe2(fds, flags);
    return pipe2(made, flags) == 0 ? verd__descriptor_pair(fds, made, 0) : -1;
}

int verd_posix_listen(int fd, int backlog)
{
    int result = listen(fd, backlog);
    struct verd__fd *record = result == 0 ? record_of(fd) : NULL;
    if (record != NULL)
        record->bits |= VERD__FD_LISTENER;
    return result;
}

/* What a record has to say of an option of SOL_SOCKET that was set; 0: nothing. A limit that is told of holds for the
 * first wait, too (hub/limit.h). */
static unsigned bit_of(int option)
{
    switch (option) {
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
        return VERD__FD_LIMITED;
    case SO_RCVLOWAT:
        return VERD__FD_LOW_WATER;
    default:
        return 0;
    }
}

int verd_posix_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    int result = setsockopt(fd, level, option, value, length);
    unsigned bit = result == 0 && level == SOL_SOCKET ? bit_of(option) : 0;
    struct verd__fd *record = bit != 0 ? record_of(fd) : NULL;
    if (record != NULL)
        record->bits |= (uint16_t)bit;
    return result;
}

VERD__POINT(int, connect, (int fd, const struct sockaddr *address, socklen_t length),
            (fd, address, length))
{
    return verd__is_green() ? verd__connect_posix(fd, address, length)
                            : connect(fd, address, length);
}

int verd_posix_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return verd_posix_accept4(fd, address, length, 0);
}

VERD__POINT(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
            (fd, address, length, flags))
{
    return verd__is_green() ? verd__accept_posix(fd, address, length, flags)
                            : accept4(fd, address, length, flags);
}

int verd_posix_shutdown(int fd, int how)
{
    return verd__is_green() ? verd_shutdown(fd, how) : shutdown(fd, how);
}

int verd_posix_dup(int fd)
{
    int twin = dup(fd);
    if (twin >= 0)
        verd__posix_forget(twin);
    return twin;
}

int verd_posix_dup2(int fd, int number)
{
    forget_twin(fd, number);
    return dup2(fd, number); /* NOLINT(clang-analyzer-unix.StdCLibraryFunctions): EBADF */
}

int verd_posix_dup3(int fd, int number, int flags)
{
    forget_twin(fd, number);
    return dup3(fd, number, flags);
}

VERD__POINT(int, close, (int fd), (fd))
{
    return verd__is_green() ? verd_close(fd) : close(fd);
}
