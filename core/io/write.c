/* SPDX-License-Identifier: MIT */
#include <verd/net.h>

#include <unistd.h>

#include "io/io.h"
#include "io/vector.h"

static ssize_t write_socket(int fd, const struct verd__request *request, int flags)
{
    return send(fd, request->data, request->size, flags);
}

static ssize_t write_file(int fd, const struct verd__request *request)
{
    return write(fd, request->data, request->size);
}

static inline struct verd__request request_for(const void *data, size_t size, bool posix)
{
    return (struct verd__request){
        .data = data,
        .size = size,
        .posix = posix,
        .socket = write_socket,
        .file = write_file,
    };
}

ssize_t verd_write(int fd, const void *buffer, size_t size)
{
    struct verd__request request = request_for(buffer, size, false);
    return verd__output(fd, &request);
}

ssize_t verd__write_posix(int fd, const void *buffer, size_t size)
{
    struct verd__request request = request_for(buffer, size, true);
    size_t count;
    int result = verd__output_all(fd, &request, &count);
    return result == 0 || count > 0 ? (ssize_t)count : -1;
}

ssize_t verd__write_rest(int fd, const struct iovec *vector, size_t count, size_t done)
{
    size_t before = 0;
    for (size_t i = 0; i < count; i++) {
        const struct iovec *element = &vector[i];
        size_t behind = before + element->iov_len;
        if (done < behind) {
            ssize_t put = verd__write_posix(fd, (const char *)element->iov_base + (done - before),
                                            behind - done);
            if (put > 0)
                done += (size_t)put;
            if (done < behind)
                break;
        }
        before = behind;
    }
    return (ssize_t)done;
}

/* Of one part it costs the kernel a sixth more to take a message than bytes. */
static ssize_t writev_socket(int fd, const struct verd__request *request, int flags)
{
    if (request->count == 1)
        return send(fd, request->vector->iov_base, request->vector->iov_len, flags);
    struct msghdr message = verd__vector_message(request->vector, request->count);
    return sendmsg(fd, &message, flags);
}

static ssize_t writev_file(int fd, const struct verd__request *request)
{
    return writev(fd, request->vector, request->count);
}

static inline struct verd__request request_for_vector(const struct iovec *vector, int count,
                                                      size_t size, bool posix)
{
    return (struct verd__request){
        .vector = vector,
        .size = size,
        .count = count,
        .posix = posix,
        .socket = writev_socket,
        .file = writev_file,
    };
}

ssize_t verd_writev(int fd, const struct iovec *vector, int count)
{
    size_t size;
    if (verd__vector_size(vector, count, &size) != 0)
        return -1;
    struct verd__request request = request_for_vector(vector, count, size, false);
    return verd__output(fd, &request);
}

ssize_t verd__writev_posix(int fd, const struct iovec *vector, int count)
{
    size_t size;
    if (verd__vector_size(vector, count, &size) != 0)
        return -1;
    struct verd__request request = request_for_vector(vector, count, size, true);
    ssize_t done = verd__output(fd, &request);
    if (done <= 0 || (size_t)done == size)
        return done;
    return verd__write_rest(fd, vector, (size_t)count, (size_t)done);
}

/* All of the request, of which *done (unless NULL) is told. Returns as verd_write_full. */
static ssize_t output_full(int fd, struct verd__request *request, size_t *done)
{
    size_t count = 0;
    int result = request->size > 0 ? verd__output_all(fd, request, &count) : 0;
    if (done != NULL)
        *done = count;
    return result == 0 ? (ssize_t)count : -1;
}

ssize_t verd_write_full(int fd, const void *buffer, size_t size, size_t *done)
{
    struct verd__request request = request_for(buffer, size, false);
    return output_full(fd, &request, done);
}

ssize_t verd_writev_full(int fd, struct iovec *vector, int count, size_t *done)
{
    size_t size;
    if (verd__vector_size(vector, count, &size) != 0) {
        if (done != NULL)
            *done = 0;
        return -1;
    }
    struct verd__request request = request_for_vector(vector, count, size, false);
    return output_full(fd, &request, done);
}
