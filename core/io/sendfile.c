/* SPDX-License-Identifier: MIT */
/* sendfile(2): what of the file is cached goes out at once; for the rest, and where the other side may
 * block, another OS thread does it. */
#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "hub/identity.h"
#include "io/transfer.h"
#include "io/vector.h"
#include "io/ways.h"
#include "offload/interrupt.h"
#include "offload/offload.h"
#include "stack/valgrind.h"

/* Sent at once. */
#define PIECE ((size_t)256 * 1024)

/* One that is under way on another OS thread. */
struct sending {
    off_t offset; /* VERD__OWN_OFFSET: the file's */
    size_t size;
    ssize_t done;
    int from, to;
};

static void *run(void *arg)
{
    struct sending *sending = arg;
    off_t *offset = sending->offset != VERD__OWN_OFFSET ? &sending->offset : NULL;
    do {
        sending->done = sendfile(sending->to, sending->from, offset, sending->size);
    } while (sending->done < 0 && verd__interrupt_again());
    return NULL;
}

static ssize_t send_elsewhere(int to, const struct verd__request *request, verd_duration slice)
{
    struct sending *sending = malloc(sizeof *sending);
    if (sending == NULL)
        return -1;
    *sending = (struct sending){
        .offset = request->offset != NULL ? *request->offset : VERD__OWN_OFFSET,
        .size = request->size,
        .from = request->from_file,
        .to = to,
    };
    const struct verd__offload offload = {
        .kind = slice > 0 ? VERD_OFFLOAD_DEVICES : VERD_OFFLOAD_FILES,
        .fn = run,
        .arg = sending,
        .release = verd__offload_free,
        .slice = slice,
    };
    if (verd__offload_finish(verd__current, &offload) != 0)
        return verd__offload_failed(&offload);
    ssize_t done = sending->done;
    if (done > 0 && request->offset != NULL)
        *request->offset = sending->offset;
    verd__offload_free(sending, NULL);
    return done;
}

/* ---- what is cached ---- */

#ifndef SYS_cachestat /* Linux 6.5 */
#define SYS_cachestat 451
#endif

/* cachestat(2)'s own, which not all libcs have. */
struct cache_range {
    uint64_t offset;
    uint64_t length;
};
struct cache_state {
    uint64_t cached, dirty, writeback, evicted, recently_evicted; /* pages */
};

/* How much there is of the byte, 0: it is beyond the end; -1: it is not in memory. */
static ssize_t read_byte(int fd, off_t at)
{
    char byte;
    struct iovec vector = {&byte, 1};
    return preadv2(fd, &vector, 1, at, RWF_NOWAIT);
}

static bool has_cached(int fd, off_t at)
{
    return read_byte(fd, at) >= 0;
}

static uint64_t pages_of(off_t start, off_t end)
{
    off_t page = sysconf(_SC_PAGESIZE);
    return end > start ? (uint64_t)((end - 1) / page - start / page + 1) : 0;
}

/* The end of what there is to be sent of a piece. */
static off_t end_of(int fd, off_t start, size_t size)
{
    struct verd__identity file;
    off_t end = start + (off_t)size;
    bool is_short = verd__identify(fd, &file) == 0 && S_ISREG(file.type) && file.size < end;
    return is_short ? file.size : end;
}

/* Reads the piece, to see how far that goes: where it ends at a page that was not in memory, that may be there by now.
 * Nobody looks at what is read. */
static bool can_read(int fd, off_t start, size_t size)
{
    static char scratch[64 * 1024];
    struct iovec parts[PIECE / sizeof scratch];
    int count = 0;
    for (size_t rest = size; rest > 0; count++) {
        parts[count] = (struct iovec){scratch, rest < sizeof scratch ? rest : sizeof scratch};
        rest -= parts[count].iov_len;
    }
    ssize_t done = preadv2(fd, parts, count, start, RWF_NOWAIT);
    return done == (ssize_t)size || (done >= 0 && read_byte(fd, start + done) == 0);
}

/* One that is cached at both ends may be cold between them: the kernel knows how many pages it has. Of others'
 * files, or before Linux 6.5, it does not tell. */
static bool is_cached_between(int fd, off_t start, size_t size)
{
    struct cache_range range = {(uint64_t)start, size};
    struct cache_state state = {0};
    if (verd__on_valgrind() || syscall(SYS_cachestat, (long)fd, &range, &state, 0L) != 0)
        return can_read(fd, start, size);
    return state.cached >= pages_of(start, start + (off_t)size) ||
           state.cached >= pages_of(start, end_of(fd, start, size));
}

static bool is_cached(const struct verd__request *request)
{
    int from = request->from_file;
    off_t start = request->offset != NULL ? *request->offset : lseek(from, 0, SEEK_CUR);
    return start >= 0 && has_cached(from, start) &&
           has_cached(from, start + (off_t)request->size - 1) &&
           is_cached_between(from, start, request->size);
}

static bool is_disk(int fd)
{
    mode_t type = verd__type_of(fd);
    return S_ISREG(type) || S_ISBLK(type);
}

ssize_t verd__attempt_sendfile(const struct verd__call *call)
{
    struct verd__request piece = *call->request;
    int flags = fcntl(call->fd, F_GETFL);
    if (flags < 0)
        return -1;
    if (piece.size > PIECE)
        piece.size = PIECE;
    if (piece.size == 0 || (piece.offset != NULL && *piece.offset < 0))
        return piece.file(call->fd, &piece);
    if (is_disk(call->fd))
        return send_elsewhere(call->fd, &piece, 0);
    if (flags & O_NONBLOCK)
        return is_cached(&piece) ? verd__write_quietly(call->fd, &piece, piece.file)
                                 : send_elsewhere(call->fd, &piece, 0);
    if (verd__look(call) != 0)
        return send_elsewhere(call->fd, &piece, VERD__SLICE);
    errno = EAGAIN;
    return -1;
}

static ssize_t send_file(int fd, const struct verd__request *request)
{
    return sendfile(fd, request->from_file, request->offset, request->size);
}

static ssize_t sendfile_as(int to, int from, off_t *offset, size_t count, bool posix)
{
    struct verd__request request = {
        .offset = offset,
        .size = count,
        .posix = posix,
        .from_file = from,
        .file = send_file,
    };
    return verd__output(to, &request);
}

ssize_t verd_sendfile(int to, int from, off_t *offset, size_t count)
{
    return sendfile_as(to, from, offset, count, false);
}

ssize_t verd__sendfile_posix(int to, int from, off_t *offset, size_t count)
{
    size_t total = 0;
    ssize_t done;
    do {
        done = sendfile_as(to, from, offset, count - total, true);
        total += done > 0 ? (size_t)done : 0;
    } while (done > 0 && total < count);
    return done < 0 && total == 0 ? -1 : (ssize_t)total;
}
