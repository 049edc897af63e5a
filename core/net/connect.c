/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "hub/hub.h"
#include "net/address.h"
#include "net/descriptor.h"

/* A Unix listener with a full backlog tells nobody when there is room again. */
#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (50 * VERD_MS)

/* connect(2) that does not wait, whether the descriptor is non-blocking or not. */
static int start(int fd, const struct sockaddr *address, socklen_t length)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    if (flags & O_NONBLOCK)
        return connect(fd, address, length);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return -1;
    int result = connect(fd, address, length);
    int error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return result;
}

/* Waits for news of an attempt that goes on. -1 and errno if it has failed */
static int wait_for_news(struct verd__hub *hub, int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    struct verd__fd *record = verd__hub_fd(hub, fd);
    if (record == NULL || verd__hub_wait(hub, fd, record, VERD__OUTPUT, true) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

/* Waits until the attempt has ended, and lets the socket know of it: the system takes the
 * connection as made once it has told so. */
static int finish(struct verd__hub *hub, int fd, const struct sockaddr *address, socklen_t length)
{
    do {
        if (wait_for_news(hub, fd) != 0)
            return -1;
        if (start(fd, address, length) == 0 || errno == EISCONN)
            return 0;
    } while (errno == EALREADY || errno == EINPROGRESS || errno == EINTR);
    return -1;
}

static int connect_socket(struct verd__hub *hub, int fd, const struct sockaddr *address,
                          socklen_t length)
{
    verd_duration pause = PAUSE_MIN;
    for (;;) {
        int result = start(fd, address, length);
        if (result == 0)
            return 0;
        if (errno == EINPROGRESS || errno == EINTR)
            return finish(hub, fd, address, length);
        if (errno != EAGAIN || address->sa_family != AF_UNIX || verd_sleep(pause) != 0)
            return -1;
        pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
    }
}

static int connect_new(struct verd__hub *hub, const struct sockaddr *address, socklen_t length)
{
    static const int on = 1;
    bool tcp = address->sa_family != AF_UNIX;
    int fd = verd__descriptor_socket(address->sa_family, tcp ? VERD__FD_STREAM : VERD__FD_UNIX);
    if (fd < 0)
        return -1;
    if ((!tcp || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) &&
        connect_socket(hub, fd, address, length) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

int verd_connect(const char *host, int port)
{
    if (host == NULL || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__enter();
    struct verd__hub *hub = scheduler != NULL ? verd__hub(scheduler) : NULL;
    struct addrinfo *addresses = hub != NULL ? verd__address_resolve(host, port) : NULL;
    int fd = -1;
    for (const struct addrinfo *a = addresses; fd < 0 && a != NULL; a = a->ai_next) {
        fd = connect_new(hub, a->ai_addr, a->ai_addrlen);
        if (fd < 0 && !verd__may_wait(scheduler))
            break;
    }
    if (addresses != NULL)
        freeaddrinfo(addresses);
    return fd;
}

int verd_connect_unix(const char *path)
{
    struct sockaddr_un address;
    socklen_t length = verd__address_unix(path, &address);
    if (length == 0)
        return -1;
    struct verd__scheduler *scheduler = verd__enter();
    struct verd__hub *hub = scheduler != NULL ? verd__hub(scheduler) : NULL;
    return hub != NULL ? connect_new(hub, (struct sockaddr *)&address, length) : -1;
}

/* A socket that can be treated like those that libverd makes: then it is. */
static void adopt_if_alike(struct verd__hub *hub, int fd)
{
    int protocol = 0;
    socklen_t length = sizeof protocol;
    const struct verd__fd *record = verd__hub_fd(hub, fd);
    int flags = fcntl(fd, F_GETFL);
    if (record == NULL || (record->bits & VERD__FD_OURS) || record->waiting[VERD__INPUT] != NULL ||
        record->waiting[VERD__OUTPUT] != NULL || flags < 0 || !(flags & O_NONBLOCK) ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 || protocol != IPPROTO_TCP)
        return;
    verd__hub_adopt(hub, fd, VERD__FD_SOCKET | VERD__FD_STREAM);
}

int verd_connect_to(int fd, const struct sockaddr *address, socklen_t length)
{
    struct verd__scheduler *scheduler = verd__enter();
    struct verd__hub *hub = scheduler != NULL ? verd__hub(scheduler) : NULL;
    if (hub == NULL || connect_socket(hub, fd, address, length) != 0)
        return -1;
    adopt_if_alike(hub, fd);
    return 0;
}
