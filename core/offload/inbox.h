/* SPDX-License-Identifier: MIT */
/*
 * The inbox of an OS thread's hub: the one way in from other OS threads. The public handle is the inbox.
 *
 * There are two lines in it. Posts come from anyone, signal handlers too: a ring of VERD_POSTS_MAX
 * slots in which nothing is allocated, and which can be full. Messages bring their own memory and are
 * never refused while the hub lives: a list to which anyone adds with one compare-and-swap, and of which
 * the hub takes all at once.
 *
 * A green thread of the hub, the receiver, empties both. Who has put something in sets `signalled`;
 * who finds it clear writes to the eventfd on which the receiver waits. The receiver clears it before it
 * looks, so that whatever it does not see has an eventfd written after it; and a busy hub is
 * woken once for all that came meanwhile.
 *
 * The receiver waits for the eventfd only while somebody is expected to write: while there are handles,
 * or callers whose message is to come. Else it idles, and does not keep a deadlock from being seen. Nor does it where it
 * only listens, to a backdoor: then it waits for the eventfd, but that wait counts for nothing (scheduler.h, `background`).
 *
 * The slots' `turn` makes the ring safe for many producers: position p of the endless line lies in slot
 * p % N in lap p / N; the slot may be filled when turn is 2 * lap, taken when it is 2 * lap + 1.
 */
#ifndef VERD_OFFLOAD_INBOX_H
#define VERD_OFFLOAD_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include <verd/os.h>

#include "hub/hub.h"
#include "sched/scheduler.h"
#include "sched/wait.h"

/* The head of what is sent to a hub; the memory is the sender's until `arrive` or `lost` was called. */
struct verd__message {
    struct verd__message *next;
    void (*arrive)(struct verd__message *message); /* on the hub's OS thread; does not block */
    void (*lost)(
        struct verd__message *message); /* instead: the hub has ended, its threads are gone */
};

struct verd__post {
    _Atomic(size_t) turn;
    void (*fn)(void *); /* while turn is odd */
    void *arg;
};

struct verd_hub {
    struct verd__exit_hook hook; /* of the OS thread */
    _Atomic(size_t) references;  /* handles, messages to come, and the OS thread; 0: freed */
    _Atomic(size_t) handles;
    _Atomic(bool) closed;    /* the OS thread has ended */
    _Atomic(bool) signalled; /* the receiver will look */
    unsigned forks; /* how often this process had forked off when it was made; see is_open */
    int fd;         /* the eventfd */
    _Atomic(struct verd__message *) messages; /* the newest first */
    _Atomic(size_t) tail;                     /* of the line of posts: the next to be filled */

    /* The rest is the OS thread's own. */
    size_t head;    /* of the line of posts: the next to be taken */
    size_t callers; /* whose message is to come */
    bool listens;   /* verd__inbox_listen */
    struct verd__scheduler *scheduler;
    struct verd__thread *receiver;

    struct verd__post posts[VERD_POSTS_MAX];
};

/* The inbox of this OS thread, made at first use. NULL with errno ENOMEM, EMFILE, ENFILE. */
struct verd_hub *verd__inbox(struct verd__scheduler *scheduler);

/* Whether the hub lives, in this process. From any OS thread and signal handlers. */
bool verd__inbox_is_open(struct verd_hub *inbox);

/* Keeps the inbox's memory, until verd__inbox_drop. From any OS thread. */
void verd__inbox_keep(struct verd_hub *inbox);
void verd__inbox_drop(struct verd_hub *inbox);

/* Sends a message. From any OS thread that keeps the inbox. Returns false if the hub has ended: then the
 * message is still the sender's. */
bool verd__inbox_send(struct verd_hub *inbox, struct verd__message *message);

/* Wakes the receiver. From any OS thread and signal handlers; errno stays. */
void verd__inbox_wake(struct verd_hub *inbox);

/* A caller begins to wait for a message; it has come, or the caller has given up. */
void verd__inbox_expect(struct verd_hub *inbox);
void verd__inbox_expect_no_more(struct verd_hub *inbox);

/* Whether messages are heard though nobody is expected to send any, and they do not keep a deadlock from being seen. On the
 * inbox's OS thread. */
void verd__inbox_listen(struct verd_hub *inbox, bool listens);

/* Starts the receiver. -1 with errno ENOMEM. (receiver.c) */
int verd__receiver_start(struct verd_hub *inbox);

/* Makes the receiver look who is expected. */
void verd__receiver_review(struct verd_hub *inbox);

#endif
