/* SPDX-License-Identifier: MIT */
#include "io/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/ways.h"
#include "offload/interrupt.h"
#include "offload/offload.h"

#define ALIGNMENT 4096 /* that O_DIRECT may want */

/* One that is under way. */
struct job {
    void *data;
    size_t size;
    off_t offset;
    ssize_t done;
    int fd;
    bool writes;
    bool looks;
};

static ssize_t make_call(const struct job *job)
{
    if (job->looks && !verd__is_readable(job->fd)) {
        errno = EAGAIN;
        return -1;
    }
    if (job->offset == VERD__OWN_OFFSET)
        return job->writes ? write(job->fd, job->data, job->size)
                           : read(job->fd, job->data, job->size);
    return job->writes ? pwrite(job->fd, job->data, job->size, job->offset)
                       : pread(job->fd, job->data, job->size, job->offset);
}

static void *run(void *arg)
{
    struct job *job = arg;
    do {
        job->done = make_call(job);
    } while (job->done < 0 && verd__interrupt_again());
    return NULL;
}

/* errno stays. */
static void release(void *arg, void *result)
{
    struct job *job = arg;
    int error = errno;
    (void)result;
    free(job->data);
    free(job);
    errno = error;
}

/* Copies so many bytes between the memory of the job and that of the request. */
static void copy(const struct verd__transfer *transfer, char *data, size_t size)
{
    union {
        const void *given;
        void *taken;
    } one = {transfer->request->data};
    struct iovec whole = {one.taken, transfer->request->size};
    int count = transfer->request->count;
    const struct iovec *part = count > 0 ? transfer->request->vector : &whole;
    const struct iovec *end = part + (count > 0 ? count : 1);
    size_t skip = transfer->skip;
    for (; part < end && size > 0; part++) {
        size_t piece = part->iov_len > skip ? part->iov_len - skip : 0;
        char *at = (char *)part->iov_base + skip;
        skip -= part->iov_len - piece < skip ? part->iov_len - piece : skip;
        piece = piece < size ? piece : size;
        if (piece > 0)
            memcpy(transfer->writes ? data : at, transfer->writes ? at : data, piece);
        data += piece;
        size -= piece;
    }
}

static struct job *job_new(const struct verd__transfer *transfer)
{
    struct job *job = malloc(sizeof *job);
    if (job == NULL)
        return NULL;
    *job = (struct job){
        .size = transfer->size,
        .offset = transfer->offset,
        .done = -1,
        .fd = transfer->fd,
        .writes = transfer->writes,
        .looks = transfer->looks,
    };
    int error = posix_memalign(&job->data, ALIGNMENT, job->size);
    if (error != 0) {
        free(job);
        errno = error;
        return NULL;
    }
    if (job->writes)
        copy(transfer, job->data, job->size);
    return job;
}

/* The job is done: its outcome, with its errno. */
static ssize_t settle(const struct verd__transfer *transfer, struct job *job)
{
    ssize_t done = job->done;
    if (done > 0 && !job->writes)
        copy(transfer, job->data, (size_t)done);
    release(job, NULL);
    return done;
}

/* Where there is no other OS thread to be had to read or write a disk file, this one has to do. */
static bool is_for_here(const struct job *job, enum verd_offload_kind kind)
{
    return errno == EAGAIN && kind == VERD_OFFLOAD_FILES && job->offset == VERD__OWN_OFFSET;
}

ssize_t verd__transfer(const struct verd__transfer *transfer, enum verd_offload_kind kind,
                       verd_duration slice)
{
    int before = errno;
    struct job *job = job_new(transfer);
    if (job == NULL)
        return -1;
    const struct verd__offload offload = {
        .kind = kind, .fn = run, .arg = job, .release = release, .slice = slice};
    errno = before;
    if (verd__offload_finish(verd__current, &offload) != 0) {
        if (!is_for_here(job, kind))
            return verd__offload_failed(&offload);
        job->done = make_call(job);
    }
    return settle(transfer, job);
}

ssize_t verd__transfer_read_at(const struct verd__transfer *transfer)
{
    int before = errno;
    struct job *job = job_new(transfer);
    if (job == NULL)
        return -1;
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_FILES, .fn = run, .arg = job, .release = release};
    errno = before;
    if (verd__offload(&offload, NULL) != 0)
        return verd__offload_failed(&offload);
    return settle(transfer, job);
}
