/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing on another OS thread, in memory that belongs to the transfer: so a caller that gives up may
 * leave, if need be.
 */
#ifndef VERD_IO_TRANSFER_H
#define VERD_IO_TRANSFER_H

#include <verd/os.h>

#include "io/io.h"

/* What is to be transferred. */
struct verd__transfer {
    const struct verd__request *request; /* its buffer, data or vector */
    size_t skip;                         /* of the request's bytes: those that come before */
    size_t size;                         /* and those that are meant */
    off_t offset; /* in the file; VERD__OWN_OFFSET: the file's own, which moves */
    int fd;
    bool writes;
    bool
        looks; /* EAGAIN of a file that poll(2), which may ask a server, does not say is ready to be read */
};

#define VERD__OWN_OFFSET ((off_t) - 1)

/*
 * Does it. Taken back, or interrupted and finished, if the caller gives up; likewise if it has run for a slice (0:
 * as long as it takes), when it gives EAGAIN unless some bytes were transferred. Returns the count, or -1 and errno:
 * of the system call; ECANCELED or ETIMEDOUT (then nothing was done, as far as the file heeds an interruption),
 * ENOMEM, EMFILE, ENFILE, EAGAIN, EBUSY.
 */
ssize_t verd__transfer(const struct verd__transfer *transfer, enum verd_offload_kind kind,
                       verd_duration slice);

/* A read at an offset, which a caller that gives up leaves alone at once. */
ssize_t verd__transfer_read_at(const struct verd__transfer *transfer);

#endif
