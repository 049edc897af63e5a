/* SPDX-License-Identifier: MIT */
/* Accepting in steps, for who has something to do in between. */
#ifndef VERD_NET_ACCEPT_H
#define VERD_NET_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "io/backoff.h"

/* Errors in a row that are not the listener's; zero before the first. */
struct verd__accept_trouble {
    struct verd__backoff backoff;
    unsigned skipped;
};

/* Accepts, or waits for it, and gives no way: to be followed by verd__spend; with MSG_DONTWAIT in `flags`, EAGAIN instead. Returns the descriptor,
 * or -1 with any errno of accept(2), or as blocking calls have it. */
int verd__accept(int fd, struct sockaddr *address, socklen_t *length, int flags);

/* As accept4(2), which suspends the green thread where it would block the OS thread. */
int verd__accept_posix(int fd, struct sockaddr *address, socklen_t *length, int flags);

/* Whether the error is a lack of descriptors or memory for a client that has come. */
bool verd__accept_is_short(int error);

/* After an error: 0 to go on, where it is not the listener's, and if it is a shortage, after a
 * pause; else -1, with that errno or, in a pause, ECANCELED or ETIMEDOUT. */
int verd__accept_recover(int fd, struct verd__accept_trouble *trouble);

#endif
