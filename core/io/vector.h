/* SPDX-License-Identifier: MIT */
/* Vectors of buffers, as readv(2) and sendmsg(2) take them. */
#ifndef VERD_IO_VECTOR_H
#define VERD_IO_VECTOR_H

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* musl before 1.2.4 has neither the flags nor the functions. */
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
static inline ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset,
                              int flags)
{
    return syscall(SYS_preadv2, fd, vector, (long)count, offset, 0L, (long)flags);
}
static inline ssize_t pwritev2(int fd, const struct iovec *vector, int count, off_t offset,
                               int flags)
{
    return syscall(SYS_pwritev2, fd, vector, (long)count, offset, 0L, (long)flags);
}
#endif

/* Adds up the sizes. 0, or -1 with errno EINVAL, as the system calls say it. */
static inline int verd__vector_size(const struct iovec *vector, int count, size_t *size)
{
    size_t sum = 0;
    if (count < 0 || count > IOV_MAX)
        goto invalid;
    for (int i = 0; i < count; i++) {
        if (__builtin_add_overflow(sum, vector[i].iov_len, &sum) || sum > SSIZE_MAX)
            goto invalid;
    }
    *size = sum;
    return 0;
invalid:
    errno = EINVAL;
    return -1;
}

/* So many bytes of the vector are done: it begins behind them, and with a part that is not empty; *count is 0 if there
 * is none. */
static inline void verd__vector_advance(struct iovec **vector, int *count, size_t done)
{
    for (; *count > 0 && done >= (*vector)->iov_len; --*count)
        done -= (*vector)++->iov_len;
    if (*count > 0) {
        (*vector)->iov_base = (char *)(*vector)->iov_base + done;
        (*vector)->iov_len -= done;
    }
}

/* A message of nothing but the vector, which stays as it is: msg_iov is not const for no reason. */
static inline struct msghdr verd__vector_message(const struct iovec *vector, int count)
{
    union {
        const struct iovec *given;
        struct iovec *taken;
    } start = {vector};
    return (struct msghdr){.msg_iov = start.taken, .msg_iovlen = (size_t)count};
}

#endif
