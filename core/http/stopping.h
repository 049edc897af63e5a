/* SPDX-License-Identifier: MIT */
/*
 * Waits that a stop of the server ends: those of handlers whose reply has no end of its own. Else they would use up
 * the grace of verd_http_stop.
 */
#ifndef VERD_HTTP_STOPPING_H
#define VERD_HTTP_STOPPING_H

#include <verd/time.h>

#include "sched/obligation.h"

struct verd_http_server;

/* In the frame of the call that waits. */
struct verd__stoppable {
    struct verd__link link; /* in server->stoppable */
    struct verd__obligation leaves;
    struct verd_http_server *server;
    struct verd__thread *thread;
    verd_timeout scope; /* runs out when the server is stopped */
};

/* Begins a scope of the running thread that runs out when the server is stopped; where it has been, with the next
 * look at what has come, so that this is told first. */
void verd__stoppable_begin(struct verd__stoppable *wait, struct verd_http_server *server);

/* Ends it. Returns whether `result` is that of a call which has failed because it has run out. errno stays. */
bool verd__stoppable_end(struct verd__stoppable *wait, ssize_t result);

/* The server is being stopped: has all that have begun run out. */
void verd__stoppable_expire(const struct verd_http_server *server);

/* Reads by `read` within such a scope. What has come is read first; then -1 with errno ESHUTDOWN. */
ssize_t verd__read_unless_stopped(struct verd_http_server *server,
                                  ssize_t (*read)(void *from, void *to, size_t size), void *from,
                                  void *to, size_t size);

#endif
