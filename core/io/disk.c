/* SPDX-License-Identifier: MIT */
#include "io/disk.h"

#include <errno.h>

#include <sys/stat.h>

#include "offload/offload.h"
#include "io/transfer.h"

bool verd__disk_is(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
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
        done = verd__file_read_cached(fd, (char *)request->buffer + total, request->size - total,
                                      VERD__FILE_OFFSET);
        total += done > 0 ? (size_t)done : 0;
    } while (done > 0 && total < request->size);
    if (done >= 0)
        return (ssize_t)total;
    return total > 0 ? read_rest(fd, request, total) : verd__disk_do(fd, request);
}
