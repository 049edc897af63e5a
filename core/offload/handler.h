/* SPDX-License-Identifier: MIT */
/*
 * Handlers of signals, which end a wait of POSIX's with EINTR: main's, for it is main to whom the kernel gives a
 * signal of the process's, and those of one thread alone. A handler runs on an OS thread wherever that is at the moment,
 * so the wait is ended by a post to its hub.
 */
#ifndef VERD_OFFLOAD_HANDLER_H
#define VERD_OFFLOAD_HANDLER_H

#include "sched/area.h"

/* There are handlers that will tell, from now on. From any OS thread. */
void verd__handlers_expect(void);

/* The running thread's waits may be ended so, once, by handlers that run from now on. Returns whether there is to be an
 * end of it: not within another, and where no handler will tell; no memory to be told is like no handler. errno
 * stays. */
bool verd__interruptible_begin(struct verd__scheduler *scheduler, enum verd__interruptible how);
void verd__interruptible_end(struct verd__scheduler *scheduler, bool begun);

/* Of a call that waits several times, the handlers that had run before its first wait. Zeroed before that. */
struct verd__since {
    struct verd__handled seen;
    bool is_known;
};

/* After a begin: handlers count that have run since the call's first wait. false and errno EINTR: one has, so there is
 * no wait any more. */
bool verd__interruptible_go_on(struct verd__scheduler *scheduler, struct verd__since *since);

/* Whether one has run since the begin that ends the wait: for calls that are interrupted for other reasons, too. */
bool verd__was_interrupted(const struct verd__scheduler *scheduler);

/* Signals that come from now on, sent by this thread and not blocked, so that they come at once, are for that thread;
 * NULL: for main, as all others. Returns for whom they were. */
struct verd__thread *verd__handler_address(struct verd__thread *thread);

/* A handler has run, on this OS thread; `restarts`: its signal has SA_RESTART. From signal handlers; errno stays. */
void verd__handler_has_run(bool restarts);

#endif
