/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "io/io.h"
#include "io/vector.h"

static ssize_t read_socket(int fd, const struct verd__request *request, int flags)
{
    return recv(fd, request->buffer, request->size, flags);
}

static ssize_t read_file(int fd, const struct verd__request *request)
{
    return read(fd, request->buffer, request->size);
}

static inline ssize_t read_as(int fd, void *buffer, size_t size, bool posix)
{
    struct verd__request request = {
        .buffer = buffer,
        .size = size,
        .plain = true,
        .posix = posix,
        .socket = read_socket,
        .file = read_file,
    };
    return verd__input(fd, &request);
}

ssize_t verd_read(int fd, void *buffer, size_t size)
{
    return read_as(fd, buffer, size, false);
}

ssize_t verd__read_posix(int fd, void *buffer, size_t size)
{
    return read_as(fd, buffer, size, true);
}

static ssize_t readv_socket(int fd, const struct verd__request *request, int flags)
{
    struct msghdr message = verd__vector_message(request->vector, request->count);
    return recvmsg(fd, &message, flags);
}

static ssize_t readv_file(int fd, const struct verd__request *request)
{
    return readv(fd, request->vector, request->count);
}

static inline ssize_t readv_as(int fd, const struct iovec *vector, int count, bool posix)
{
    struct verd__request request = {
        .vector = vector,
        .count = count,
        .plain = true,
        .posix = posix,
        .socket = readv_socket,
        .file = readv_file,
    };
    if (verd__vector_size(vector, count, &request.size) != 0)
        return -1;
    return verd__input(fd, &request);
}

ssize_t verd_readv(int fd, const struct iovec *vector, int count)
{
    return readv_as(fd, vector, count, false);
}

ssize_t verd__readv_posix(int fd, const struct iovec *vector, int count)
{
    return readv_as(fd, vector, count, true);
}

ssize_t verd_read_full(int fd, void *buffer, size_t size, size_t *done)
{
    size_t count = 0;
    ssize_t got = 0;
    while (count < size) {
        got = verd_read(fd, (char *)buffer + count, size - count);
        if (got <= 0)
            break;
        count += (size_t)got;
    }
    if (done != NULL)
        *done = count;
    return got < 0 ? -1 : (ssize_t)count;
}
