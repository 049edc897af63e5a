/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing at an offset. A read can be given up at any time, as it goes into memory of its own;
 * a write that is given up is taken back or finished, for a late one could find another file under its
 * number.
 */
#include "io/transfer.h"

#include <verd/os.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "offload/offload.h"
#include "sched/wait.h"

#define PIECE ((size_t)1024 * 1024) /* transferred at once */
#define ALIGNMENT 4096              /* that O_DIRECT may want */

ssize_t verd__file_read_cached(int fd, void *buffer, size_t size, off_t offset)
{
#ifdef RWF_NOWAIT
    struct iovec vector = {buffer, size};
    return preadv2(fd, &vector, 1, offset, RWF_NOWAIT);
#else
    (void)fd, (void)buffer, (void)size, (void)offset;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

struct reading {
    void *data;
    size_t size;
    off_t offset;
    ssize_t done;
    int fd;
};

static void *run_read(void *arg)
{
    struct reading *reading = arg;
    reading->done = pread(reading->fd, reading->data, reading->size, reading->offset);
    return NULL;
}

static void release_read(void *arg, void *result)
{
    struct reading *reading = arg;
    (void)result;
    free(reading->data);
    free(reading);
}

static struct reading *reading_new(int fd, size_t size, off_t offset)
{
    struct reading *reading = malloc(sizeof *reading);
    if (reading == NULL)
        return NULL;
    *reading = (struct reading){.size = size, .offset = offset, .done = -1, .fd = fd};
    errno = posix_memalign(&reading->data, ALIGNMENT, size);
    if (errno == 0)
        return reading;
    free(reading);
    return NULL;
}

static ssize_t read_from_disk(int fd, void *buffer, size_t size, off_t offset)
{
    int before = errno;
    struct reading *reading = reading_new(fd, size, offset);
    if (reading == NULL)
        return -1;
    errno = before;
    if (verd_offload_with(run_read, reading, release_read, NULL) != 0) {
        int error = errno;
        if (error != ECANCELED && error != ETIMEDOUT)
            release_read(reading, NULL);
        errno = error;
        return -1;
    }
    int error = errno;
    ssize_t done = reading->done;
    if (done > 0)
        memcpy(buffer, reading->data, (size_t)done);
    release_read(reading, NULL);
    errno = error;
    return done;
}

static ssize_t read_piece(int fd, void *buffer, size_t size, off_t offset)
{
    if (verd__begin() == NULL)
        return verd__refuse(0);
    ssize_t done = verd__file_read_cached(fd, buffer, size, offset);
    if (done < 0)
        done = read_from_disk(fd, buffer, size, offset);
    verd__spend();
    return done;
}

struct writing {
    const void *data;
    size_t size;
    off_t offset;
    ssize_t done;
    int fd;
};

static void *run_write(void *arg)
{
    struct writing *writing = arg;
    writing->done = pwrite(writing->fd, writing->data, writing->size, writing->offset);
    return NULL;
}

static ssize_t write_piece(int fd, const void *data, size_t size, off_t offset)
{
    struct writing writing = {.data = data, .size = size, .offset = offset, .fd = fd};
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL ||
        verd__offload_whole(scheduler, run_write, &writing, sizeof writing) != 0)
        return verd__refuse(0);
    verd__spend();
    return writing.done;
}

static size_t piece_of(size_t size)
{
    return size < PIECE ? size : PIECE;
}

ssize_t verd_pread(int fd, void *buffer, size_t size, off_t offset)
{
    size_t total = 0;
    ssize_t done;
    do {
        done =
            read_piece(fd, (char *)buffer + total, piece_of(size - total), offset + (off_t)total);
        total += done > 0 ? (size_t)done : 0;
    } while (done > 0 && total < size);
    return total > 0 ? (ssize_t)total : done;
}

ssize_t verd_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    size_t total = 0;
    ssize_t done;
    do {
        done = write_piece(fd, (const char *)data + total, piece_of(size - total),
                           offset + (off_t)total);
        total += done > 0 ? (size_t)done : 0;
    } while (done > 0 && total < size);
    return total > 0 ? (ssize_t)total : done;
}
