/* SPDX-License-Identifier: MIT */
/* Reading and writing, as POSIX has it. */
#include "patch/posix.h"

#include <errno.h>
#include <limits.h>

#include <verd/net.h>
#include <verd/os.h>

#include "io/io.h"
#include "io/vector.h"
#include "net/message.h"
#include "patch/span.h"

/* ---- reading ---- */

VERD__POINT(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size))
{
    return verd__is_green() ? verd__read_posix(fd, buffer, size) : read(fd, buffer, size);
}

VERD__POINT(ssize_t, readv, (int fd, const struct iovec *vector, int count), (fd, vector, count))
{
    return verd__is_green() ? verd__readv_posix(fd, vector, count) : readv(fd, vector, count);
}

VERD__POINT(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset),
            (fd, buffer, size, offset))
{
    return verd__is_green() ? verd_pread(fd, buffer, size, offset)
                            : pread(fd, buffer, size, offset);
}

ssize_t verd_posix_recv(int fd, void *buffer, size_t size, int flags)
{
    return verd_posix_recvfrom(fd, buffer, size, flags, NULL, NULL);
}

VERD__POINT(ssize_t, recvfrom,
            (int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
             socklen_t *length),
            (fd, buffer, size, flags, address, length))
{
    return verd__is_green() ? verd__recvfrom_posix(fd, buffer, size, flags, address, length)
                            : recvfrom(fd, buffer, size, flags, address, length);
}

VERD__POINT(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
{
    return verd__is_green() ? verd__recvmsg_posix(fd, message, flags) : recvmsg(fd, message, flags);
}

/* ---- writing ---- */

/* What the kernel does with a write to what nobody will read; and the library does not. */
static ssize_t tell_pipe(int fd, ssize_t done, int flags)
{
    int type = SOCK_STREAM;
    socklen_t length = sizeof type;
    if (done >= 0 || errno != EPIPE || (flags & MSG_NOSIGNAL))
        return done;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
    if (type == SOCK_STREAM)
        raise(SIGPIPE);
    errno = EPIPE;
    return -1;
}

VERD__POINT(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
{
    return verd__is_green() ? tell_pipe(fd, verd__write_posix(fd, data, size), 0)
                            : write(fd, data, size);
}

VERD__POINT(ssize_t, writev, (int fd, const struct iovec *vector, int count), (fd, vector, count))
{
    return verd__is_green() ? tell_pipe(fd, verd__writev_posix(fd, vector, count), 0)
                            : writev(fd, vector, count);
}

VERD__POINT(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset),
            (fd, data, size, offset))
{
    return verd__is_green() ? verd_pwrite(fd, data, size, offset) : pwrite(fd, data, size, offset);
}

ssize_t verd_posix_send(int fd, const void *data, size_t size, int flags)
{
    return verd_posix_sendto(fd, data, size, flags, NULL, 0);
}

VERD__POINT(ssize_t, sendto,
            (int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
             socklen_t length),
            (fd, data, size, flags, address, length))
{
    if (!verd__is_green())
        return sendto(fd, data, size, flags, address, length);
    return tell_pipe(fd, verd__sendto_posix(fd, data, size, flags, address, length), flags);
}

VERD__POINT(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
            (fd, message, flags))
{
    return verd__is_green() ? tell_pipe(fd, verd__sendmsg_posix(fd, message, flags), flags)
                            : sendmsg(fd, message, flags);
}

VERD__POINT(ssize_t, sendfile, (int to, int from, off_t *offset, size_t size),
            (to, from, offset, size))
{
    return verd__is_green() ? tell_pipe(to, verd__sendfile_posix(to, from, offset, size), 0)
                            : sendfile(to, from, offset, size);
}

/* ---- vectors at an offset ---- */

/* One element after the other, as far as they are filled. Returns the bytes in all, or -1 and errno if the first has
 * failed. */
static ssize_t each_element(const struct iovec *vector, int count, off_t offset,
                            ssize_t (*transfer)(int fd, const struct iovec *element, off_t offset),
                            int fd)
{
    size_t size, total = 0;
    if (verd__vector_size(vector, count, &size) != 0)
        return -1;
    for (int i = 0; i < count; i++) {
        ssize_t done = transfer(fd, &vector[i], offset + (off_t)total);
        if (done < 0)
            return total > 0 ? (ssize_t)total : -1;
        total += (size_t)done;
        if ((size_t)done < vector[i].iov_len)
            break;
    }
    return (ssize_t)total;
}

static ssize_t pread_element(int fd, const struct iovec *element, off_t offset)
{
    return verd_pread(fd, element->iov_base, element->iov_len, offset);
}

static ssize_t pwrite_element(int fd, const struct iovec *element, off_t offset)
{
    return verd_pwrite(fd, element->iov_base, element->iov_len, offset);
}

VERD__POINT(ssize_t, preadv, (int fd, const struct iovec *vector, int count, off_t offset),
            (fd, vector, count, offset))
{
    return verd__is_green() ? each_element(vector, count, offset, pread_element, fd)
                            : preadv(fd, vector, count, offset);
}

VERD__POINT(ssize_t, pwritev, (int fd, const struct iovec *vector, int count, off_t offset),
            (fd, vector, count, offset))
{
    return verd__is_green() ? each_element(vector, count, offset, pwrite_element, fd)
                            : pwritev(fd, vector, count, offset);
}

/* ---- several messages ---- */

/* Of the span since a point on the clock, which *left then tells. */
static bool has_time_left(struct timespec *left, verd_duration span, verd_duration begun)
{
    if (span == VERD_FOREVER)
        return true;
    verd_duration rest = span - (verd_now() - begun);
    if (rest < 0)
        rest = 0;
    *left = (struct timespec){rest / VERD_SEC, rest % VERD_SEC};
    return rest > 0;
}

/* The timeout is looked at between two messages, as recvmmsg(2) confesses. */
VERD__POINT(int, recvmmsg,
            (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
            (fd, messages, count, flags, timeout))
{
    if (!verd__is_green() || count == 0)
        return recvmmsg(fd, messages, count, flags, timeout);
    verd_duration span = VERD_FOREVER;
    if (timeout != NULL && verd__span(timeout, &span) != 0)
        return -1;
    verd_duration begun = timeout != NULL ? verd_now() : 0;
    unsigned got = 0;
    while (got < count) {
        int more = flags & ~MSG_WAITFORONE;
        if (got > 0 && (flags & MSG_WAITFORONE))
            more |= MSG_DONTWAIT;
        ssize_t done = verd__recvmsg_posix(fd, &messages[got].msg_hdr, more);
        if (done < 0)
            break;
        messages[got++].msg_len = (unsigned)done;
        if (timeout != NULL && !has_time_left(timeout, span, begun))
            break;
    }
    return got > 0 ? (int)got : -1;
}

VERD__POINT(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),
            (fd, messages, count, flags))
{
    if (!verd__is_green() || count == 0)
        return sendmmsg(fd, messages, count, flags);
    unsigned sent = 0;
    for (; sent < count; sent++) {
        ssize_t done = verd__inner_sendmsg(fd, &messages[sent].msg_hdr, flags);
        if (done < 0)
            break;
        messages[sent].msg_len = (unsigned)done;
    }
    return sent > 0 ? (int)sent : -1;
}
