/* SPDX-License-Identifier: MIT */
/*
 * Queues of pointers between green threads; and a choice among several, and of what else can be waited for.
 *
 *     verd_queue *jobs = verd_queue_new(100);
 *     verd_queue_put(jobs, job);                       // blocks while 100 are in it
 *
 *     void *job;
 *     while (verd_queue_get(jobs, &job) == 0)          // until it is closed and empty: EPIPE
 *         work(job);
 *
 * A queue belongs to the OS thread that made it: EPERM from another. Getters and putters that wait are
 * served in the order of coming, by direct hand-off: an item goes to the getter before it runs, and one
 * that gives up has neither taken nor left anything. Calls that block return -1 with errno
 *
 *   ECANCELED  the thread was killed            ETIMEDOUT  an enclosing timeout ran out
 *   EINVAL     an argument is NULL              EPERM      used by another OS thread
 */
#ifndef VERD_QUEUE_H
#define VERD_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <verd/sync.h>
#include <verd/thread.h>
#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_queue verd_queue;

#define VERD_UNBOUNDED SIZE_MAX

/* Makes a queue that holds `capacity` items: first in first out; or last in first out. Capacity 0
 * is a rendezvous: a put waits until its item is taken. Never block. Return the queue, or NULL with
 * errno ENOMEM. */
verd_queue *verd_queue_new(size_t capacity);
verd_queue *verd_queue_new_lifo(size_t capacity);

/* Makes a queue that holds `capacity` items, the least by `compare` first (qsort's, but of the items
 * themselves), and equal ones in the order of coming. Never blocks. Returns the queue, or NULL with errno ENOMEM, or EINVAL
 * (compare is NULL). */
verd_queue *verd_queue_new_priority(size_t capacity, int (*compare)(const void *, const void *));

/* Frees the queue and forgets its items; NULL is ignored. Whoever waits gets EPIPE. Never blocks. */
void verd_queue_free(verd_queue *queue);

/* Puts an item in, blocking while the queue is full. Returns 0, or -1 with errno as above, or EPIPE
 * (closed, perhaps while waiting), ENOMEM (no memory to hold it). The item is then not in. */
int verd_queue_put(verd_queue *queue, void *item);

/* Puts an item in, without waiting. Never blocks. Returns 0, or -1 with errno EAGAIN (it is full; at
 * capacity 0, nobody waits for an item), EPIPE, ENOMEM, EINVAL or EPERM. */
int verd_queue_try_put(verd_queue *queue, void *item);

/* Takes an item out, blocking while there is none. Returns 0 and *item, or -1 with errno as above, or
 * EPIPE (closed and empty). */
int verd_queue_get(verd_queue *queue, void **item);

/* Takes an item out, without waiting. Never blocks. Returns 0 and *item, or -1 with errno EAGAIN (there is
 * none), EPIPE, EINVAL or EPERM. */
int verd_queue_try_get(verd_queue *queue, void **item);

/*
 * Takes several items out, in the queue's order: those that there are, at most n. Blocks while there is none;
 * who has waited gets the one that ended that, and what has come behind it meanwhile, unless others wait
 * for an item. Returns how many, at least 1, or -1 with errno as above, or EINVAL (n is 0 or above SSIZE_MAX), EPIPE
 * (closed and empty).
 */
ssize_t verd_queue_get_many(verd_queue *queue, void **items, size_t n);

/* The item that the next get would take, which stays. Never blocks. Returns 0 and *item, or -1 with errno
 * EAGAIN (there is none), EPIPE, EINVAL or EPERM. */
int verd_queue_peek(verd_queue *queue, void **item);

/* Takes no more items: putters get EPIPE at once, getters when the rest is drained. Never blocks; closing
 * twice is fine. Returns 0, or -1 with errno EINVAL or EPERM. */
int verd_queue_close(verd_queue *queue);

/* Every item that was put is unfinished until someone who got it says so. Never blocks. Returns 0, or -1
 * with errno EINVAL (more often than items were put) or EPERM. */
int verd_queue_task_done(verd_queue *queue);

/* Waits until no item is unfinished. Blocks. Returns 0, or -1 with errno as above, or EPIPE (the queue was
 * freed meanwhile). */
int verd_queue_join(verd_queue *queue);

/* Changes the capacity. Up, and waiting putters go on, with ENOMEM those for whose item there is no
 * memory; down, and what is in stays, while nothing comes in until there is room. Never blocks. Returns
 * 0, or -1 with errno EINVAL, EPERM. */
int verd_queue_resize(verd_queue *queue, size_t capacity);

/* Items in the queue, and how many fit. 0 for NULL. Never block. */
size_t verd_queue_length(const verd_queue *queue);
size_t verd_queue_capacity(const verd_queue *queue);

/* How many threads wait for an item, and how many for room. They are counted, one by one. 0 for
 * NULL. Never block. */
size_t verd_queue_getting(const verd_queue *queue);
size_t verd_queue_putting(const verd_queue *queue);

/* What an alternative of verd_select does, or waits for. */
enum verd_case_kind {
    VERD_CASE_PUT = 1,
    VERD_CASE_GET = 2,
    VERD_CASE_DEFAULT = 3,  /* nothing, if nothing else can be done at once */
    VERD_CASE_EVENT = 4,    /* an event is set, or has failed */
    VERD_CASE_END = 5,      /* a thread has ended; its handle stays */
    VERD_CASE_READABLE = 6, /* as poll(2): input, an end or an error; of a regular file, always */
    VERD_CASE_WRITABLE = 7,
    VERD_CASE_AFTER = 8, /* a duration has passed since the call began */
};

/* One alternative of verd_select; make it with the macros below. What it is about is NULL, below 0 for a
 * descriptor, or VERD_FOREVER: it is never ready, so the case is as good as left out. */
typedef struct verd_case {
    verd_queue *queue;
    void *item;    /* to put */
    void **result; /* where what is got goes: an item, an event's value, a thread's result */
    short kind;    /* enum verd_case_kind */
    short
        ready; /* of a descriptor: poll(2)'s events, written by verd_select; 0: it was not ready */
    /* Of the case taken, written by verd_select: 0, or EPIPE (the queue is closed), EBADF (the descriptor is not open,
     * or was closed meanwhile), the errno of the event's failure, or what verd_wait says of the thread. */
    int error;
    union {
        verd_event *event;
        verd_thread *thread;
        verd_duration after; /* nanoseconds */
        int fd;
    };
} verd_case;

#define VERD_PUT(q, i) ((verd_case){.queue = (q), .item = (i), .kind = VERD_CASE_PUT})
#define VERD_GET(q, r) ((verd_case){.queue = (q), .result = (r), .kind = VERD_CASE_GET})
#define VERD_DEFAULT ((verd_case){.kind = VERD_CASE_DEFAULT})
#define VERD_EVENT(e, r) ((verd_case){.result = (r), .kind = VERD_CASE_EVENT, .event = (e)})
#define VERD_END(t, r) ((verd_case){.result = (r), .kind = VERD_CASE_END, .thread = (t)})
#define VERD_READABLE(f) ((verd_case){.kind = VERD_CASE_READABLE, .fd = (f)})
#define VERD_WRITABLE(f) ((verd_case){.kind = VERD_CASE_WRITABLE, .fd = (f)})
#define VERD_AFTER(d) ((verd_case){.kind = VERD_CASE_AFTER, .after = (d)})

/*
 * Does one of n puts and gets, or finds that something else is ready: one that can be done at once, each of those as
 * likely as the others (by VERD_SCHEDULE_SEED's lots, if that is set); else VERD_DEFAULT if it is there; else the first
 * that becomes possible. The others leave no trace. A put to a closed queue and a get from a closed and empty one are
 * possible, and have `error` EPIPE. Blocks.
 *
 *     verd_case cases[] = {VERD_READABLE(client), VERD_GET(messages, &message), VERD_AFTER(60 * VERD_SEC)};
 *     switch (verd_select(cases, 3)) {
 *
 * Of events and ends nothing is taken away: the value of an event, and the result of a thread that has ended, are
 * there for others, too. A descriptor that has ended the wait may have been read by another meanwhile: then `ready` is
 * 0, if that is known, and to read it may wait.
 * Returns the index of the case taken, or -1 with errno as above, or ENOMEM (many cases; descriptors), or
 *   EINVAL   n is 0, above INT_MAX, or two defaults; a case without a kind; a get without a result; a thread's
 *            handle that was released
 *   EDEADLK  the end of the calling thread
 *   EBUSY, EMFILE, ENFILE, ENOSPC: of a descriptor, as calls that wait for one (<verd/net.h>)
 */
int verd_select(verd_case *cases, size_t n);

#ifdef __cplusplus
}
#endif
#endif
