/* SPDX-License-Identifier: MIT */
#include "io/ways.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/stat.h>

#include "hub/identity.h"
#include "io/disk.h"
#include "io/transfer.h"
#include "io/vector.h"
#include "stack/quiet.h"

/*
 * Nobody's flags are changed, as other processes may share the file, and nothing is remembered: a number that is not
 * ours may be another file at each call.
 *
 *   kind of file           way     read                                written
 *   regular, block device  DISK    what is cached here, else by        by another OS thread
 *                                  another OS thread (disk.h)
 *   pipe, FIFO             NOW     \ O_NONBLOCK set: as it is; not set: RWF_NOWAIT where the file
 *   terminal, device       DEVICE   > has it; else, when poll(2) says that it is ready, by another OS
 *   without a type: eventfd,       /  thread, which is interrupted when it turns out not to be: another
 *   timerfd, signalfd,     NOW        process was faster, or not all that is to be written has room
 *   inotify, ...
 *   directory              PLAIN   the error at once
 *
 * Of a device much at a time is left to another OS thread in any case: it may be made byte by byte (/dev/urandom).
 */
enum way { NOW, DEVICE, DISK, PLAIN };

static const struct kind {
    mode_t type;
    enum way way;
} kinds[] = {
    {S_IFREG, DISK}, {S_IFBLK, DISK}, {S_IFIFO, NOW}, {S_IFCHR, DEVICE}, {S_IFDIR, PLAIN},
};

/* Of a device no more is read or written at once here; of what takes any part, by another OS thread. */
#define SMALL ((size_t)64 * 1024)

/* A device that says that it is ready all the time has twice as long after each slice in vain. */
#define DOUBLINGS_MAX 10

static enum way way_of(int fd, mode_t *type)
{
    *type = verd__type_of(fd);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].type == *type)
            return kinds[i].way;
    }
    return NOW;
}

bool verd__is_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

bool verd__is_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = VERD__READ_EVENTS};
    return poll(&poller, 1, 0) != 0;
}

static struct iovec whole_of(const struct verd__request *request)
{
    return (struct iovec){request->buffer, request->size};
}

ssize_t verd__read_now(int fd, const struct verd__request *request)
{
    struct iovec whole = whole_of(request);
    bool vector = request->count > 0;
    return preadv2(fd, vector ? request->vector : &whole, vector ? request->count : 1,
                   VERD__OWN_OFFSET, RWF_NOWAIT);
}

ssize_t verd__write_now(int fd, const struct verd__request *request, int flags)
{
    struct iovec whole = whole_of(request);
    bool vector = request->count > 0;
    return pwritev2(fd, vector ? request->vector : &whole, vector ? request->count : 1,
                    VERD__OWN_OFFSET, RWF_NOWAIT | flags);
}

static ssize_t write_now(int fd, const struct verd__request *request)
{
    return verd__write_now(fd, request, 0);
}

ssize_t verd__write_quietly(int fd, const struct verd__request *request,
                            ssize_t (*write)(int fd, const struct verd__request *request))
{
    struct verd__quiet quiet;
    verd__quiet_begin(&quiet);
    ssize_t done = write(fd, request);
    verd__quiet_end(&quiet, done < 0 ? errno : 0);
    return done;
}

static ssize_t attempt_plainly(const struct verd__call *call)
{
    if (call->direction == VERD__INPUT)
        return call->request->file(call->fd, call->request);
    return verd__write_quietly(call->fd, call->request, call->request->file);
}

/* The others wait: who came first writes first, though OS threads take turns as they like. */
static void hold(const struct verd__call *call)
{
    if (call->direction == VERD__OUTPUT && !call->lock->holds)
        verd__output_lock_take(call->loop, call->lock, call->record);
}

static ssize_t attempt_disk(const struct verd__call *call)
{
    if (call->direction == VERD__INPUT)
        return verd__disk_read(call->fd, call->request);
    hold(call);
    return verd__disk_write(call->fd, call->request);
}

/* By another OS thread. A stream takes any part of what is written, and a device perhaps all or nothing. */
static ssize_t attempt_elsewhere(const struct verd__call *call, mode_t type)
{
    struct verd__transfer transfer = {
        .request = call->request,
        .size = call->request->size,
        .offset = VERD__OWN_OFFSET,
        .fd = call->fd,
        .writes = call->direction == VERD__OUTPUT,
    };
    int error = errno;
    bool stream = type == S_IFIFO || (type == S_IFCHR && isatty(call->fd));
    unsigned doublings = stream ? 0 : call->vain;
    errno = error;
    if (stream && transfer.size > SMALL)
        transfer.size = SMALL;
    if (doublings > DOUBLINGS_MAX)
        doublings = DOUBLINGS_MAX;
    hold(call);
    return verd__transfer(&transfer, VERD_OFFLOAD_DEVICES, VERD__SLICE << doublings);
}

/* Without waiting, whatever the flags. EOPNOTSUPP: there is no such way. */
static ssize_t attempt_now(const struct verd__call *call)
{
    ssize_t done = call->direction == VERD__INPUT
                       ? verd__read_now(call->fd, call->request)
                       : verd__write_quietly(call->fd, call->request, write_now);
    if (done < 0 && errno == ENOSYS)
        errno = EOPNOTSUPP;
    return done;
}

/* Whether the file was opened for it. Of the other end of a pipe poll(2) says nothing, ever. */
static bool is_open_for(int fd, enum verd__direction direction)
{
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    return mode != (direction == VERD__INPUT ? O_WRONLY : O_RDONLY);
}

static ssize_t attempt_by_flags(const struct verd__call *call, enum way way, mode_t type)
{
    if (way == NOW || call->request->size <= SMALL) {
        if (call->request->size == 0 || !verd__is_blocking(call->fd))
            return attempt_plainly(call);
        ssize_t done = attempt_now(call);
        if (done >= 0 || errno != EOPNOTSUPP)
            return done;
    }
    if (!is_open_for(call->fd, call->direction)) {
        errno = EBADF;
        return -1;
    }
    if (verd__look(call) != 0)
        return attempt_elsewhere(call, type);
    errno = EAGAIN;
    return -1;
}

ssize_t verd__attempt_file(const struct verd__call *call)
{
    mode_t type;
    enum way way = way_of(call->fd, &type);
    if (way == DISK)
        return attempt_disk(call);
    return way == PLAIN ? attempt_plainly(call) : attempt_by_flags(call, way, type);
}
