/* SPDX-License-Identifier: MIT */
#include "net/accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <verd/net.h>

#include "io/descriptor.h"
#include "io/io.h"
#include "io/ways.h"
#include "net/socket.h"
#include "offload/interrupt.h"
#include "offload/offload.h"
#include "sched/wait.h"

/* So many errors in a row that are not the listener's may be skipped at once. */
#define SKIP_MAX 64

static bool listens(int fd)
{
    int listens = 0;
    socklen_t length = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

/* A connection died in the backlog, or the network has news that are none of the listener's. */
static bool is_passing(int fd, int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EPERM: /* a firewall's word */
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return true;
    case EOPNOTSUPP: /* also what accept says of a datagram socket */
        return listens(fd);
    default:
        return false;
    }
}

bool verd__accept_is_short(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == ENOSPC; /* fs.epoll.max_user_watches */
}

/* ---- a listener that blocks ---- */

/* An accept that is made by another OS thread. */
struct accept_job {
    int listener;
    int flags;
    int client; /* -1: none */
    socklen_t length;
    struct sockaddr_storage address;
};

static void *run_job(void *arg)
{
    struct accept_job *job = arg;
    do {
        job->length = sizeof job->address;
        job->client =
            accept4(job->listener, (struct sockaddr *)&job->address, &job->length, job->flags);
    } while (job->client < 0 && verd__interrupt_again());
    return NULL;
}

/* errno stays. */
static void release_job(void *arg, void *result)
{
    struct accept_job *job = arg;
    int error = errno;
    (void)result;
    if (job->client >= 0)
        close(job->client);
    free(job);
    errno = error;
}

/* The client, or -1 and errno. */
static int take_client(struct accept_job *job, const struct verd__request *request)
{
    int client = job->client;
    if (client >= 0 && request->from != NULL && request->from_length != NULL) {
        socklen_t room = *request->from_length;
        memcpy(request->from, &job->address, job->length < room ? job->length : room);
        *request->from_length = job->length;
    }
    job->client = -1;
    release_job(job, NULL);
    return client;
}

/*
 * Other processes may share the listener, and one of them may be faster: then accept waits for the next client. So
 * it is another OS thread that accepts, and is interrupted after a while; nobody's flags are changed.
 */
static int accept_elsewhere(int fd, const struct verd__request *request)
{
    int before = errno;
    struct accept_job *job = malloc(sizeof *job);
    if (job == NULL)
        return -1;
    job->listener = fd;
    job->flags = request->count;
    job->client = -1;
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_DEVICES,
                                          .fn = run_job,
                                          .arg = job,
                                          .release = release_job,
                                          .slice = VERD__SLICE};
    errno = before;
    if (verd__offload_finish(verd__current, &offload) == 0)
        return take_client(job, request);
    verd__offload_failed(&offload);
    if (errno == EBUSY) /* all OS threads for it are stuck: that may pass */
        errno = ENOBUFS;
    return -1;
}

/* ---- one try ---- */

/* The flags are asked for each time: a plain close may have made another file of the number. Being short of
 * something does not matter as long as nobody connects. */
static ssize_t try_accept(int fd, const struct verd__request *request)
{
    int client;
    if (!verd__is_blocking(fd)) {
        client = accept4(fd, request->from, request->from_length, request->count);
    } else if (verd__is_readable(fd) || !listens(fd)) { /* then it says at once what is wrong */
        client = accept_elsewhere(fd, request);
    } else {
        errno = EAGAIN;
        return -1;
    }
    if (client >= 0 || !verd__accept_is_short(errno))
        return client;
    int error = errno;
    errno = verd__is_readable(fd) ? error : EAGAIN;
    return -1;
}

/* The kind of what a listener has accepted. One of ours has its options and its kind from it; else
 * TCP is told by having TCP's option, which POSIX has as it is. */
static unsigned kind_of(int client, const struct verd__fd *listener, bool posix)
{
    static const int on = 1;
    unsigned listens = VERD__FD_OURS | VERD__FD_LISTENER;
    if ((listener->bits & listens) == listens)
        return VERD__FD_SOCKET |
               (listener->bits & (VERD__FD_STREAM | VERD__FD_UNIX | VERD__FD_LOW_WATER));
    if (posix)
        return verd__socket_kind(client);
    if (setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return VERD__FD_SOCKET | VERD__FD_STREAM;
    return VERD__FD_SOCKET;
}

int verd__accept_recover(int fd, struct verd__accept_trouble *trouble)
{
    bool passing = is_passing(fd, errno);
    if (!passing && !verd__accept_is_short(errno))
        return -1;
    if (passing && ++trouble->skipped < SKIP_MAX)
        return 0;
    struct verd__scheduler *scheduler = verd__scheduler();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    const struct verd__fd *record = loop != NULL ? verd__loop_fd(loop, fd) : NULL;
    if (record == NULL)
        return -1;
    uint32_t generation = record->generation;
    if (verd__backoff_wait(&trouble->backoff, scheduler) != 0)
        return -1;
    return verd__loop_is_same(record, generation) ? 0 : -1;
}

/* The connection has been made, and is not to be lost for want of memory: that is waited for. */
static int adopt(int client, unsigned kind)
{
    struct verd__loop *loop = verd__loop(verd__current);
    struct verd__backoff backoff = {0};
    struct verd__held held;
    while (verd__loop_adopt(loop, client, kind) != 0) {
        verd__descriptor_hold(&held, client);
        int waited = verd__backoff_wait(&backoff, loop->scheduler);
        verd__descriptor_let_go(&held);
        if (waited == 0)
            continue;
        int error = errno;
        close(client);
        errno = error;
        return -1;
    }
    return client;
}

/* What is not known to listen is asked to accept, whatever is known of its input: it may have to say that it does not
 * listen. */
static void have_it_tried(int fd)
{
    struct verd__fd *record = verd__loop_noted(fd);
    if (record != NULL && !(record->bits & VERD__FD_LISTENER))
        record->bits |= VERD__FD_READABLE;
}

static int accept_client(int fd, const struct verd__request *request)
{
    have_it_tried(fd);
    ssize_t client = verd__input_keep(fd, request);
    if (client < 0)
        return -1;
    const struct verd__fd *listener = verd__loop_fd(verd__loop(verd__current), fd);
    return adopt((int)client, kind_of((int)client, listener, request->posix));
}

int verd__accept(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    struct verd__request request = {
        .size = 1,
        .count = SOCK_NONBLOCK | SOCK_CLOEXEC,
        .flags = flags,
        .from = address,
        .from_length = length,
        .file = try_accept,
    };
    return accept_client(fd, &request);
}

int verd__accept_posix(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return verd__refuse(EINVAL);
    struct verd__request request = {
        .size = 1,
        .count = flags,
        .posix = true,
        .from = address,
        .from_length = length,
        .file = try_accept,
    };
    int before = errno;
    int client = accept_client(fd, &request);
    if (client >= 0)
        errno = before;
    verd__spend();
    return client;
}

int verd_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    struct verd__accept_trouble trouble = {0};
    int client;
    do {
        client = verd__accept(fd, address, length, 0);
    } while (client < 0 && verd__accept_recover(fd, &trouble) == 0);
    verd__spend();
    return client;
}
