/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "hub/limit.h"
#include "net/address.h"
#include "io/descriptor.h"
#include "io/ways.h"
#include "net/connect.h"
#include "net/race.h"
#include "net/socket.h"
#include "net/start.h"
#include "offload/handler.h"
#include "sched/wait.h"

/* A Unix listener with a full backlog tells nobody when there is room again. */
#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (50 * VERD_MS)

/* So long has another OS thread at first to connect a socket that blocks, and twice as long each time. */
#define SLICE_MIN VERD__SLICE
#define SLICE_MAX (10 * VERD_SEC)

static verd_duration twice(verd_duration span, verd_duration max)
{
    return span * 2 < max ? span * 2 : max;
}

/* Waits for news of an attempt that goes on. -1 and errno if it has failed */
static int wait_for_news(struct verd__loop *loop, int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    struct verd__fd *record = verd__loop_fd(loop, fd);
    if (record == NULL || verd__loop_wait(loop, fd, record, VERD__OUTPUT, true) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        if (errno == EAGAIN) /* SO_SNDTIMEO */
            errno = EINPROGRESS;
        return -1;
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

/* connect(2) once more. An interruption is no news; where it has ended the attempt (AF_VSOCK), the next one has
 * more time. */
static int ask(struct verd__loop *loop, int fd, const struct sockaddr *address, socklen_t length)
{
    verd_duration slice = SLICE_MIN;
    int result;
    do {
        result = verd__start_connect(fd, address, length, slice);
        slice = twice(slice, SLICE_MAX);
    } while (result != 0 && errno == EINTR && !verd__was_interrupted(loop->scheduler) &&
             verd__may_wait(loop->scheduler));
    return result;
}

/* Waits until the attempt has ended, and lets the socket know of it: the system takes the
 * connection as made once it has told so. */
static int finish(struct verd__loop *loop, int fd, const struct sockaddr *address, socklen_t length)
{
    struct verd__fd *record = verd__loop_known(loop, fd);
    if (record != NULL)
        verd__loop_renew(loop, fd, record);
    do {
        if (wait_for_news(loop, fd) != 0)
            return -1;
        if (ask(loop, fd, address, length) == 0 || errno == EISCONN)
            return 0;
    } while (errno == EALREADY || errno == EINPROGRESS);
    return -1;
}

/* Whether a Unix listener has had no room. */
static bool is_backlog_full(const struct sockaddr *address, int error)
{
    return (error == EAGAIN || error == EINTR) && address->sa_family == AF_UNIX;
}

/* Sleeps for a while, and longer the next time. *until is how long SO_SNDTIMEO lets it, once that is known; it is 0
 * before. -1 and errno: EAGAIN if that is over */
static int pause_for_room(struct verd__loop *loop, int fd, verd_duration *pause,
                          verd_duration *until)
{
    verd_duration now = verd_now();
    if (*until == 0) {
        verd_duration limit = verd__limit_own(loop, fd, VERD__OUTPUT);
        *until = limit != 0 ? verd__time_after(now, limit) : VERD_FOREVER;
    }
    if (now >= *until) {
        errno = EAGAIN;
        return -1;
    }
    if (*pause > *until - now)
        *pause = *until - now;
    return verd__pause(pause, PAUSE_MAX);
}

static int connect_peer(struct verd__loop *loop, int fd, const struct sockaddr *address,
                        socklen_t length)
{
    verd_duration pause = PAUSE_MIN, until = 0;
    bool interrupted = false; /* the call before, which may have been as good as done */
    for (;;) {
        if (verd__start_connect(fd, address, length, SLICE_MIN) == 0 ||
            (interrupted && errno == EISCONN))
            return 0;
        interrupted = errno == EINTR;
        if (interrupted && verd__was_interrupted(loop->scheduler))
            return -1;
        if (!is_backlog_full(address, errno))
            break;
        if (pause_for_room(loop, fd, &pause, &until) != 0)
            return -1;
    }
    return interrupted || errno == EINPROGRESS ? finish(loop, fd, address, length) : -1;
}

static int connect_socket(struct verd__loop *loop, int fd, const struct sockaddr *address,
                          socklen_t length)
{
    if (connect_peer(loop, fd, address, length) != 0)
        return -1;
    return verd__socket_met_itself(fd, address, length) ? -1 : 0;
}

/* Connects a new socket, or closes it. */
static int connect_new(struct verd__loop *loop, int fd, const struct sockaddr *address,
                       socklen_t length)
{
    struct verd__held held;
    if (fd < 0)
        return -1;
    verd__descriptor_hold(&held, fd);
    int result = connect_socket(loop, fd, address, length);
    verd__descriptor_let_go(&held);
    if (result == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}

static int connect_any(struct verd__loop *loop, const struct addrinfo *addresses)
{
    if (addresses->ai_next != NULL)
        return verd__race(loop, addresses);
    int fd = verd__socket_tcp(addresses->ai_family);
    return connect_new(loop, fd, addresses->ai_addr, addresses->ai_addrlen);
}

/* A host's addresses, which outlive neither the call nor its thread. */
struct found {
    struct verd__obligation obligation;
    struct addrinfo *addresses;
};

static void free_found(struct verd__obligation *obligation)
{
    struct found *found = VERD__CONTAINER_OF(obligation, struct found, obligation);
    if (found->addresses != NULL) /* musl's takes no NULL */
        freeaddrinfo(found->addresses);
}

/* Takes out what does not pass. -1 and errno: nothing did */
static int sift(struct found *found, verd__vet *vet, void *ctx)
{
    struct addrinfo **link = &found->addresses;
    int error = 0;
    while (*link != NULL) {
        struct addrinfo *address = *link;
        errno = 0;
        if (vet(ctx, address->ai_addr, address->ai_addrlen) == 0) {
            link = &address->ai_next;
            continue;
        }
        error = errno != 0 ? errno : EACCES;
        *link = address->ai_next;
        address->ai_next = NULL;
        freeaddrinfo(address);
    }
    errno = error;
    return found->addresses != NULL ? 0 : -1;
}

static int connect_host(const char *host, int port, verd__vet *vet, void *ctx)
{
    if (host == NULL || port < 1 || port > 65535) {
        errno = EINVAL;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    struct found found;
    found.addresses = loop != NULL ? verd__address_resolve(host, port) : NULL;
    if (found.addresses == NULL)
        return -1;
    verd__obligation_begin(scheduler, &found.obligation, free_found);
    int fd = -1;
    if (vet == NULL || sift(&found, vet, ctx) == 0)
        fd = connect_any(loop, found.addresses);
    int error = errno;
    verd__obligation_settle(scheduler, &found.obligation);
    errno = error;
    return fd;
}

int verd_connect(const char *host, int port)
{
    return verd__connect_vetted(host, port, NULL, NULL);
}

int verd__connect_vetted(const char *host, int port, verd__vet *vet, void *ctx)
{
    int result = connect_host(host, port, vet, ctx);
    verd__spend();
    return result;
}

static int connect_path(const char *path)
{
    struct sockaddr_un address;
    socklen_t length = verd__address_unix(path, &address);
    if (length == 0)
        return -1;
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop == NULL)
        return -1;
    int fd = verd__socket_stream(AF_UNIX, VERD__FD_UNIX);
    return connect_new(loop, fd, (struct sockaddr *)&address, length);
}

int verd_connect_unix(const char *path)
{
    int result = connect_path(path);
    verd__spend();
    return result;
}

/* A socket that can be treated like those that libverd makes: then it is. */
static void adopt_if_alike(struct verd__loop *loop, int fd)
{
    int protocol = 0;
    socklen_t length = sizeof protocol;
    const struct verd__fd *record = verd__loop_fd(loop, fd);
    int flags = fcntl(fd, F_GETFL);
    if (record == NULL || (record->bits & VERD__FD_OURS) || record->waiting[VERD__INPUT] != NULL ||
        record->waiting[VERD__OUTPUT] != NULL || flags < 0 || !(flags & O_NONBLOCK) ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 || protocol != IPPROTO_TCP)
        return;
    verd__loop_adopt(loop, fd, VERD__FD_SOCKET | VERD__FD_STREAM);
}

static int connect_to(int fd, const struct sockaddr *address, socklen_t length)
{
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop == NULL || connect_socket(loop, fd, address, length) != 0)
        return -1;
    adopt_if_alike(loop, fd);
    return 0;
}

int verd_connect_to(int fd, const struct sockaddr *address, socklen_t length)
{
    int result = connect_to(fd, address, length);
    verd__spend();
    return result;
}

/* Whether an attempt goes on that was begun before. */
static bool is_connecting(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           info.tcpi_state == TCP_SYN_SENT;
}

int verd__connect_posix(int fd, const struct sockaddr *address, socklen_t length)
{
    if (!verd__is_blocking(fd))
        return connect(fd, address, length);
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop == NULL)
        return verd__refuse(0);
    bool again = is_connecting(fd);
    bool begun = verd__interruptible_begin(scheduler, VERD__UNLESS_RESTARTED);
    int result = connect_peer(loop, fd, address, length);
    if (result != 0 && errno == EINPROGRESS && again)
        errno = EALREADY;
    verd__interruptible_end(scheduler, begun);
    return verd__done(scheduler, result);
}
