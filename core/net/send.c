/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include "io/io.h"

static ssize_t send_data(int fd, const struct verd__request *request, int flags)
{
    return send(fd, request->data, request->size, flags);
}

ssize_t verd_send(int fd, const void *buffer, size_t size, int flags)
{
    struct verd__request request = {
        .data = buffer,
        .size = size,
        .flags = flags,
        .socket = send_data,
    };
    return verd__output(fd, &request);
}

static ssize_t send_to(int fd, const struct verd__request *request, int flags)
{
    return sendto(fd, request->data, request->size, flags, request->to, request->to_length);
}

ssize_t verd_sendto(int fd, const void *buffer, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length)
{
    struct verd__request request = {
        .data = buffer,
        .size = size,
        .flags = flags,
        .to = address,
        .to_length = address != NULL ? length : 0,
        .socket = send_to,
    };
    return verd__output(fd, &request);
}

static ssize_t send_message(int fd, const struct verd__request *request, int flags)
{
    return sendmsg(fd, request->sent, flags);
}

ssize_t verd_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct verd__request request = {
        .sent = message,
        .flags = flags,
        .socket = send_message,
    };
    return verd__output(fd, &request);
}
