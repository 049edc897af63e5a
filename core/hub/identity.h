/* SPDX-License-Identifier: MIT */
/*
 * What file a descriptor is, as far as the kernel knows by itself. fstat(2) asks the server of a file that has one (FUSE, a
 * network's), and holds the OS thread until that answers; so may poll(2).
 */
#ifndef VERD_HUB_IDENTITY_H
#define VERD_HUB_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct verd__identity {
    mode_t type; /* S_IF...; 0: without one, as an eventfd */
    off_t size;  /* of a file that has a server: as last heard of */
    uint64_t device, inode;
};

/* Finds it out without waiting. 0, or -1 and errno as fstat(2). Linux before 4.11, and sandboxes that forbid
 * statx(2), have fstat(2) alone: there a server is waited for. */
int verd__identify(int fd, struct verd__identity *file);

/* The type alone. 0 also: it is not told; but what is another user's alone to look at (EACCES) is a FUSE file, S_IFREG. errno
 * stays. */
mode_t verd__type_of(int fd);

/* Whether the file may have a server, that the kernel asks and waits for when it is asked whether the file is ready: it is a
 * regular file, which the library has not made. errno stays. */
bool verd__may_have_server(int fd);

#endif
