/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include "io/io.h"
#include "net/message.h"

static ssize_t send_data(int fd, const struct verd__request *request, int flags)
{
    return sendto(fd, request->data, request->size, flags, request->to, request->to_length);
}

static inline struct verd__request request_for(const void *data, size_t size, int flags,
                                               const struct sockaddr *address, socklen_t length)
{
    return (struct verd__request){
        .data = data,
        .size = size,
        .flags = flags,
        .to = address,
        .to_length = address != NULL ? length : 0,
        .socket = send_data,
    };
}

ssize_t verd_send(int fd, const void *buffer, size_t size, int flags)
{
    return verd_sendto(fd, buffer, size, flags, NULL, 0);
}

ssize_t verd_sendto(int fd, const void *buffer, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length)
{
    struct verd__request request = request_for(buffer, size, flags, address, length);
    return verd__output(fd, &request);
}

ssize_t verd__sendto_posix(int fd, const void *buffer, size_t size, int flags,
                           const struct sockaddr *address, socklen_t length)
{
    size_t count;
    struct verd__request request = request_for(buffer, size, flags, address, length);
    request.posix = true;
    int result = verd__output_all(fd, &request, &count);
    return result == 0 || count > 0 ? (ssize_t)count : -1;
}

static ssize_t send_message(int fd, const struct verd__request *request, int flags)
{
    return sendmsg(fd, request->sent, flags);
}

static ssize_t sendmsg_as(int fd, const struct msghdr *message, int flags, bool posix)
{
    struct verd__request request = {
        .sent = message,
        .flags = flags,
        .posix = posix,
        .socket = send_message,
    };
    return verd__output(fd, &request);
}

ssize_t verd_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return sendmsg_as(fd, message, flags, false);
}

ssize_t verd__sendmsg_posix(int fd, const struct msghdr *message, int flags)
{
    ssize_t done = sendmsg_as(fd, message, flags, true);
    if (done <= 0 || (flags & MSG_DONTWAIT))
        return done;
    return verd__write_rest(fd, message->msg_iov, (size_t)message->msg_iovlen, (size_t)done);
}
