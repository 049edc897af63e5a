/* SPDX-License-Identifier: MIT */
/*
 * Disk files. A read at an offset can be given up at any time, as it goes into memory of its own. What moves the
 * file's own offset, or writes, is taken back or finished when it is given up; only a disk that does not
 * answer at all, as of a network, is left alone after a while.
 */
#include "io/disk.h"

#include <verd/os.h>

#include <errno.h>

#include "io/transfer.h"
#include "io/vector.h"
#include "io/ways.h"
#include "sched/wait.h"

#define PIECE ((size_t)1024 * 1024) /* transferred at once */

static size_t piece_of(size_t size)
{
    return size < PIECE ? size : PIECE;
}

/* Reads what the page cache has, without waiting for the disk; at most as far as the first page that it
 * has not. Returns the count, 0 at the end of the file, or -1: it is to be read elsewhere. */
static ssize_t read_cached(int fd, void *buffer, size_t size, off_t offset)
{
    struct iovec vector = {buffer, size};
    return preadv2(fd, &vector, 1, offset, RWF_NOWAIT);
}

/* Piece by piece, from the file's own offset. What comes after `done` bytes of it is a success, as these have moved
 * the file. */
static ssize_t transfer(int fd, const struct verd__request *request, size_t done, bool writes)
{
    struct verd__transfer piece = {
        .request = request,
        .offset = VERD__OWN_OFFSET,
        .fd = fd,
        .writes = writes,
        .looks = !writes,
    };
    ssize_t result;
    do {
        piece.skip = done;
        piece.size = piece_of(request->size - done);
        result = verd__transfer(&piece, VERD_OFFLOAD_FILES, 0);
        done += result > 0 ? (size_t)result : 0;
    } while (result == (ssize_t)piece.size && done < request->size);
    return done > 0 ? (ssize_t)done : result;
}

ssize_t verd__disk_write(int fd, const struct verd__request *request)
{
    return transfer(fd, request, 0, true);
}

ssize_t verd__disk_read(int fd, const struct verd__request *request)
{
    size_t total = 0;
    ssize_t done = -1;
    while (request->count == 0 && total < request->size) {
        done = read_cached(fd, (char *)request->buffer + total, request->size - total,
                           VERD__OWN_OFFSET);
        if (done <= 0)
            break;
        total += (size_t)done;
    }
    if (done >= 0)
        return (ssize_t)total;
    return transfer(fd, request, total, false);
}

/* ---- at an offset ---- */

static ssize_t read_piece(int fd, void *buffer, size_t size, off_t offset)
{
    if (verd__begin() == NULL)
        return verd__refuse(0);
    const struct verd__request request = {.buffer = buffer, .size = size};
    const struct verd__transfer piece = {
        .request = &request, .size = size, .offset = offset, .fd = fd};
    ssize_t done = -1;
    if (offset < 0) /* which is the file's own to preadv2 */
        errno = EINVAL;
    else if ((done = read_cached(fd, buffer, size, offset)) < 0)
        done = verd__transfer_read_at(&piece);
    verd__spend();
    return done;
}

static ssize_t write_piece(int fd, const void *data, size_t size, off_t offset)
{
    if (verd__begin() == NULL)
        return verd__refuse(0);
    const struct verd__request request = {.data = data, .size = size};
    const struct verd__transfer piece = {
        .request = &request, .size = size, .offset = offset, .fd = fd, .writes = true};
    ssize_t done = -1;
    if (offset < 0)
        errno = EINVAL;
    else
        done = verd__transfer(&piece, VERD_OFFLOAD_FILES, 0);
    verd__spend();
    return done;
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
