/* SPDX-License-Identifier: MIT */
/*
 * Disk files. A read at an offset can be given up at any time, as it goes into memory of its own; a write
 * that is given up is taken back or finished, for a late one could find another file under its number.
 */
#include "io/disk.h"

#include <verd/os.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/vector.h"
#include "offload/offload.h"
#include "sched/wait.h"

#define OWN_OFFSET ((off_t) - 1) /* the file's */

bool verd__disk_is(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

/* Reads what the page cache has, without waiting for the disk; at most as far as the first page that it
 * has not. Returns the count, 0 at the end of the file, or -1: it is to be read elsewhere. */
static ssize_t read_cached(int fd, void *buffer, size_t size, off_t offset)
{
    struct iovec vector = {buffer, size};
    return preadv2(fd, &vector, 1, offset, RWF_NOWAIT);
}

struct transfer {
    struct verd__request request;
    int fd;
    ssize_t done;
};

static void *run(void *arg)
{
    struct transfer *transfer = arg;
    transfer->done = transfer->request.file(transfer->fd, &transfer->request);
    return NULL;
}

/* Where there is no other OS thread to be had, this one has to do. */
ssize_t verd__disk_do(int fd, const struct verd__request *request)
{
    struct transfer transfer = {.request = *request, .fd = fd};
    if (verd__offload_whole(verd__current, run, &transfer, sizeof transfer) == 0)
        return transfer.done;
    return errno == EAGAIN ? request->file(fd, request) : -1;
}

/* What was read from the cache has advanced the file, so whatever comes then is a success. */
static ssize_t read_rest(int fd, const struct verd__request *request, size_t cached)
{
    struct verd__request rest = *request;
    rest.buffer = (char *)request->buffer + cached;
    rest.size = request->size - cached;
    ssize_t done = verd__disk_do(fd, &rest);
    return (ssize_t)cached + (done > 0 ? done : 0);
}

ssize_t verd__disk_read(int fd, const struct verd__request *request)
{
    size_t total = 0;
    ssize_t done;
    if (request->count > 0)
        return verd__disk_do(fd, request);
    do {
        done = read_cached(fd, (char *)request->buffer + total, request->size - total, OWN_OFFSET);
        total += done > 0 ? (size_t)done : 0;
    } while (done > 0 && total < request->size);
    if (done >= 0)
        return (ssize_t)total;
    return total > 0 ? read_rest(fd, request, total) : verd__disk_do(fd, request);
}

/* ---- at an offset ---- */

#define PIECE ((size_t)1024 * 1024) /* transferred at once */
#define ALIGNMENT 4096              /* that O_DIRECT may want */

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
    ssize_t done = -1;
    if (offset < 0) /* which is the file's own to preadv2 */
        errno = EINVAL;
    else if ((done = read_cached(fd, buffer, size, offset)) < 0)
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
