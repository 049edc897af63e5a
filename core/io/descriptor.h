/* SPDX-License-Identifier: MIT */
/* Descriptors that libverd makes: non-blocking, close-on-exec, and known to the hub. */
#ifndef VERD_IO_DESCRIPTOR_H
#define VERD_IO_DESCRIPTOR_H

#include "sched/obligation.h"

/* A descriptor that a call has made, and has yet to give its caller. */
struct verd__held {
    struct verd__obligation obligation;
    int fd;
};

/* The hub takes note of a descriptor that was just made, of this kind (VERD__FD_...). Returns it,
 * or -1 and errno (ENOMEM), the descriptor closed; -1 as it is. */
int verd__descriptor_new(int fd, unsigned bits);

/* The hub takes note of both descriptors, and fds gets them; or of none, and they are closed. 0, or -1
 * and errno likewise. */
int verd__descriptor_pair(int fds[2], const int made[2], unsigned bits);

/* The running thread answers for a descriptor, which is closed if it never goes on; until verd__descriptor_let_go. */
void verd__descriptor_hold(struct verd__held *held, int fd);
void verd__descriptor_let_go(struct verd__held *held);

/* Closes a descriptor of the library's own, with which nobody waits for anything (close.c); -1 as it is. Never blocks;
 * errno stays. */
void verd__descriptor_drop(int fd);

#endif
