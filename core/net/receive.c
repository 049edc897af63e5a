/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <errno.h>
#include <limits.h>

#include "io/io.h"
#include "io/vector.h"
#include "net/message.h"

/* MSG_WAITALL is for streams alone, and gives way to MSG_PEEK, as POSIX allows. */
static bool waits_for_all(int fd, int flags)
{
    int type = 0;
    socklen_t length = sizeof type;
    return (flags & MSG_WAITALL) && !(flags & (MSG_PEEK | MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE)) &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static ssize_t receive(int fd, const struct verd__request *request, int flags)
{
    return recvfrom(fd, request->buffer, request->size, flags, request->from, request->from_length);
}

static ssize_t recv_once(int fd, const struct iovec *room, int flags, struct sockaddr *address,
                         socklen_t *length, bool posix)
{
    struct verd__request request = {
        .buffer = room->iov_base,
        .size = room->iov_len,
        .flags = flags & ~MSG_WAITALL,
        .plain = address == NULL && length == NULL,
        .posix = posix,
        .from = address,
        .from_length = length,
        .socket = receive,
    };
    return verd__input(fd, &request);
}

/* `got` bytes are there: receives the rest. What has come is not lost to an error. */
static ssize_t receive_rest(int fd, const struct iovec *room, int flags, size_t got, bool posix)
{
    while (got < room->iov_len) {
        struct iovec rest = {(char *)room->iov_base + got, room->iov_len - got};
        ssize_t more = recv_once(fd, &rest, flags, NULL, NULL, posix);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

static ssize_t recvfrom_as(int fd, const struct iovec *room, int flags, struct sockaddr *address,
                           socklen_t *length, bool posix)
{
    ssize_t got = recv_once(fd, room, flags, address, length, posix);
    if (got <= 0 || (size_t)got >= room->iov_len || !waits_for_all(fd, flags))
        return got;
    return receive_rest(fd, room, flags, (size_t)got, posix);
}

ssize_t verd_recv(int fd, void *buffer, size_t size, int flags)
{
    return recvfrom_as(fd, &(struct iovec){buffer, size}, flags, NULL, NULL, false);
}

ssize_t verd_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                      socklen_t *length)
{
    return recvfrom_as(fd, &(struct iovec){buffer, size}, flags, address, length, false);
}

ssize_t verd__recvfrom_posix(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                             socklen_t *length)
{
    return recvfrom_as(fd, &(struct iovec){buffer, size}, flags, address, length, true);
}

static ssize_t receive_message(int fd, const struct verd__request *request, int flags)
{
    return recvmsg(fd, request->message, flags);
}

/* `got` bytes of the message's vector are filled: fills the rest, an element at a time. */
static ssize_t fill_vector(int fd, const struct msghdr *message, int flags, size_t got, bool posix)
{
    size_t before = 0;
    for (size_t i = 0; i < (size_t)message->msg_iovlen; i++) { /* an int in musl */
        const struct iovec *element = &message->msg_iov[i];
        if (got < before + element->iov_len) {
            size_t filled = (size_t)receive_rest(fd, element, flags, got - before, posix);
            got = before + filled;
            if (filled < element->iov_len)
                break;
        }
        before += element->iov_len;
    }
    return (ssize_t)got;
}

static ssize_t recvmsg_as(int fd, struct msghdr *message, int flags, bool posix)
{
    struct verd__request request = {
        .message = message,
        .flags = flags & ~MSG_WAITALL,
        .posix = posix,
        .socket = receive_message,
    };
    int count = message->msg_iovlen > IOV_MAX ? -1 : (int)message->msg_iovlen;
    if (verd__vector_size(message->msg_iov, count, &request.size) != 0) {
        if (count < 0)
            errno = EMSGSIZE;
        return -1;
    }
    ssize_t got = verd__input(fd, &request);
    /* Ancillary data belongs to the bytes that came with it: no more are put behind them. */
    if (got <= 0 || (size_t)got >= request.size || message->msg_controllen != 0 ||
        !waits_for_all(fd, flags))
        return got;
    return fill_vector(fd, message, request.flags, (size_t)got, posix);
}

ssize_t verd_recvmsg(int fd, struct msghdr *message, int flags)
{
    return recvmsg_as(fd, message, flags, false);
}

ssize_t verd__recvmsg_posix(int fd, struct msghdr *message, int flags)
{
    return recvmsg_as(fd, message, flags, true);
}
