/* SPDX-License-Identifier: MIT */
/* One attempt to do what a request says (io.h), which never blocks the OS thread. */
#ifndef VERD_IO_ATTEMPT_H
#define VERD_IO_ATTEMPT_H

#include "io/io.h"
#include "offload/handler.h"

/* A call in progress. */
struct verd__call {
    struct verd__loop *loop;
    struct verd__fd *record;
    const struct verd__request *request;
    struct verd__output_lock *lock; /* OUTPUT */
    int fd;
    enum verd__direction direction;
    bool tried;    /* the last attempt has found nothing */
    bool shut;     /* and it was made after an end had been seen */
    bool known;    /* posix: the hub watches the file that had the number before the call waited */
    bool cut;      /* a read that ended where it must not: there may be more behind it */
    unsigned vain; /* attempts that found nothing */
    struct verd__since since; /* posix */
    verd_duration pause;      /* the next one's length */
};

/* Returns what the system call returned, or -1 and errno; EAGAIN: there is nothing to be had. */
ssize_t verd__attempt(struct verd__call *call);

/* What poll(2) says now of the call's direction. */
unsigned verd__look(const struct verd__call *call);

#endif
