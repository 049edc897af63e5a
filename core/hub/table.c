/* SPDX-License-Identifier: MIT */
#include "hub/table.h"

#include <fcntl.h>
#include <stdlib.h>

#include <sys/mman.h>

#define CHUNK_BYTES (VERD__FDS_PER_CHUNK * sizeof(struct verd__fd))

static bool grow_chunks(struct verd__loop *loop, size_t count)
{
    if (count <= loop->chunk_count)
        return true;
    struct verd__fd **chunks = realloc(loop->chunks, count * sizeof(struct verd__fd *));
    if (chunks == NULL)
        return false;
    for (size_t i = loop->chunk_count; i < count; i++)
        chunks[i] = NULL;
    loop->chunks = chunks;
    loop->chunk_count = count;
    return true;
}

struct verd__fd *verd__loop_fd_new(struct verd__loop *loop, int fd)
{
    if (fcntl(fd, F_GETFD) < 0) /* also: no table for numbers that nobody can have */
        return NULL;
    size_t chunk = (size_t)(unsigned)fd / VERD__FDS_PER_CHUNK;
    if (!grow_chunks(loop, chunk + 1))
        return NULL;
    if (loop->chunks[chunk] == NULL) {
        void *pages =
            mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            return NULL;
        loop->chunks[chunk] = pages;
    }
    return &loop->chunks[chunk][(unsigned)fd % VERD__FDS_PER_CHUNK];
}

void verd__table_free(struct verd__loop *loop)
{
    for (size_t i = 0; i < loop->chunk_count; i++) {
        if (loop->chunks[i] != NULL)
            munmap(loop->chunks[i], CHUNK_BYTES);
    }
    free(loop->chunks);
}

/* Whether a number is open whose record says something of its file. poll(2) would tell it of many at once, but asks a file's
 * server, if it has one. */
static bool is_open(const struct verd__fd *record, int fd)
{
    return (record->generation != 0 || record->bits != 0) && fcntl(fd, F_GETFD) >= 0;
}

bool verd__table_release(struct verd__loop *loop, size_t chunk)
{
    struct verd__fd *records = loop->chunks[chunk];
    if (records == NULL)
        return false;
    for (int i = 0; i < VERD__FDS_PER_CHUNK; i++) {
        if (verd__fd_is_waited_for(&records[i]) || records[i].bits & VERD__FD_HELD)
            return false;
    }
    for (int i = 0; i < VERD__FDS_PER_CHUNK; i++) {
        if (is_open(&records[i], (int)chunk * VERD__FDS_PER_CHUNK + i))
            return true;
    }
    (void)madvise(records, CHUNK_BYTES, MADV_DONTNEED); /* without, they stay as they are */
    return true;
}
