/* SPDX-License-Identifier: MIT */
/*
 * The hub: what an OS thread's green threads wait for outside of it, descriptors.
 *
 * There is a record per descriptor number. It remembers who waits, and what is known of the file:
 * with an edge-triggered backend each change is told once, so it is latched here (READABLE) until
 * a read finds less than it asked for. The record's generation tells an event of the file that has
 * this number now from one of a file that had it before.
 *
 * A descriptor that libverd made (OURS) is registered with the backend once, at its first wait. A
 * number that someone else made may be another file at every call, so it is registered anew for
 * each wait. What a plain close(2) does to one of OURS is noticed when libverd makes a descriptor
 * with the same number; when a second thread wants to wait; and else by the audit, which looks at
 * long waits some time after the hub has been busy, spends at most a hundredth of the time on it,
 * and does not wake an idle process again.
 */
#ifndef VERD_HUB_HUB_H
#define VERD_HUB_HUB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "sched/scheduler.h"
#include "sched/wait.h"

struct verd__hub;

enum verd__direction { VERD__INPUT, VERD__OUTPUT };

/* poll(2)'s events by direction. Who just reads wants no more than VERD__READ_EVENTS: urgent data
 * does not end a wait for ordinary data. */
#define VERD__INPUT_EVENTS (POLLIN | POLLPRI | POLLRDHUP)
#define VERD__READ_EVENTS (POLLIN | POLLRDHUP)
#define VERD__OUTPUT_EVENTS POLLOUT

enum verd__fd_bit {
    VERD__FD_READABLE = 1,   /* latched: a read may find something. Clear: it would find nothing */
    VERD__FD_ENDED = 2,      /* latched: an end, error or urgent mark is behind what can be read */
    VERD__FD_WATCHED = 4,    /* registered with the backend, once for all */
    VERD__FD_OURS = 8,       /* made by libverd: non-blocking, its kind known */
    VERD__FD_SOCKET = 16,    /* kind: takes recv and send */
    VERD__FD_STREAM = 32,    /* kind: a short read has emptied it, as of TCP and pipes */
    VERD__FD_UNIX = 64,      /* kind: a short read that cut off no ancillary data has emptied it */
    VERD__FD_LISTENER = 128, /* OURS: accepts, and what it accepts is of its kind */
};

/* The record of a descriptor number. It stays at its address as long as the hub. */
struct verd__fd {
    struct verd__wait *waiting[2]; /* by direction; NULL: nobody */
    uint32_t generation;
    uint16_t bits;   /* enum verd__fd_bit */
    uint16_t wanted; /* the events of the waits, of both directions */
};

/* How to wait for descriptors. The functions return 0, or -1 and errno. */
struct verd__backend {
    const char *name; /* as in VERD_HUB */
    int (*open)(struct verd__hub *hub);
    /* The events of record->wanted are reported from now on, each at once if it is there already;
     * or, of OURS, all events. EPERM: it cannot be waited for, and never changes. */
    int (*watch)(struct verd__hub *hub, int fd, struct verd__fd *record);
    /* A wait is over, and record->wanted is less. NULL: nothing to do */
    void (*unwatch)(struct verd__hub *hub, int fd, const struct verd__fd *record);
    /* -1: `fd` is no longer the file that is being watched */
    int (*verify)(struct verd__hub *hub, int fd, const struct verd__fd *record);
    /* Calls verd__hub_ready for each ready descriptor, waiting up to `timeout` nanoseconds */
    void (*wait)(struct verd__hub *hub, verd_duration timeout);
    void (*close)(struct verd__hub *hub);
};

extern const struct verd__backend verd__backend_epoll;
extern const struct verd__backend verd__backend_poll;

#define VERD__FDS_PER_CHUNK 512

struct verd__hub {
    struct verd__outside outside; /* first: the scheduler's view of the hub */
    struct verd__scheduler *scheduler;
    const struct verd__backend *backend;
    void *state;              /* the backend's */
    struct verd__fd **chunks; /* of records; NULL where no number has been used */
    size_t chunk_count;
    struct verd__timer audit; /* armed while waits have begun that were not audited */
    verd_duration audit_interval;
    size_t polls; /* system calls that waited or looked, for tests */
};

/* The hub of this OS thread, made at first use. NULL with errno: ENOMEM, EMFILE, ... */
struct verd__hub *verd__hub_new(struct verd__scheduler *scheduler);

static inline struct verd__hub *verd__hub(struct verd__scheduler *scheduler)
{
    struct verd__outside *outside = scheduler->outside;
    return __builtin_expect(outside != NULL, 1) ? (struct verd__hub *)outside
                                                : verd__hub_new(scheduler);
}

/* Makes the record of a number that has none. NULL with errno EBADF (not open) or ENOMEM. */
struct verd__fd *verd__hub_fd_new(struct verd__hub *hub, int fd);

/* The record of a descriptor. NULL with errno EBADF or ENOMEM. */
static inline struct verd__fd *verd__hub_fd(struct verd__hub *hub, int fd)
{
    size_t chunk = (size_t)(unsigned)fd / VERD__FDS_PER_CHUNK;
    if (__builtin_expect(chunk < hub->chunk_count && hub->chunks[chunk] != NULL, 1))
        return &hub->chunks[chunk][(unsigned)fd % VERD__FDS_PER_CHUNK];
    return verd__hub_fd_new(hub, fd);
}

/* Which of the files that have a number one after the other it is now; 0: the hub does not know the
 * number yet. */
static inline uint32_t verd__hub_generation(const struct verd__scheduler *scheduler, int fd)
{
    const struct verd__hub *hub = (const struct verd__hub *)scheduler->outside;
    size_t chunk = (size_t)(unsigned)fd / VERD__FDS_PER_CHUNK;
    if (hub == NULL || chunk >= hub->chunk_count || hub->chunks[chunk] == NULL)
        return 0;
    return hub->chunks[chunk][(unsigned)fd % VERD__FDS_PER_CHUNK].generation;
}

/* Whether it is the same file still, after others may have run. false with errno EBADF. */
static inline bool verd__hub_is_same(const struct verd__fd *record, uint32_t generation)
{
    if (__builtin_expect(record->generation == generation, 1))
        return true;
    errno = EBADF;
    return false;
}

/* Starts the record of a descriptor that libverd has just made, whose kind is `bits`; who still
 * waits for an earlier file with the number gets EBADF. -1 with errno ENOMEM. */
int verd__hub_adopt(struct verd__hub *hub, int fd, unsigned bits);

/* The descriptor is about to be closed: who waits gets EBADF, and the record starts anew. */
void verd__hub_forget(struct verd__hub *hub, int fd);

/* Something has happened to the descriptor that may not be reported: who waits tries again. */
void verd__hub_retry(struct verd__hub *hub, int fd);

/* For the child of a fork, which replaces what it shares with the parent: gives a descriptor that was just
 * made a number that is free, and close-on-exec; what the hub knows of the number stays. 0, or -1 and
 * errno, the descriptor closed; -1 as it is. */
int verd__hub_renumber(int fd, int number);

/*
 * Waits until the descriptor is ready in this direction. `tried`: the call has just found that it
 * is not, by a system call on the file. Returns 0: ready, or worth a try; or -1 with errno
 * ECANCELED, ETIMEDOUT, EBADF (closed meanwhile), EBUSY (someone waits already), ENOMEM, ENOSPC.
 */
int verd__hub_wait(struct verd__hub *hub, int fd, struct verd__fd *record,
                   enum verd__direction direction, bool tried);

/* One of several descriptors that one thread waits for. */
struct verd__fd_watch {
    struct verd__fd *record; /* NULL: not waiting for this one */
    int fd;
    short events; /* of VERD__INPUT_EVENTS and VERD__OUTPUT_EVENTS; 0: only ends and errors */
    uint32_t generation; /* of the record, when the wait began; the hub's */
};

/* Waits until one of them may be ready; the caller has just seen that none is, so those that never
 * change are not waited for. The same descriptor may be there twice. Errors as verd__hub_wait, and
 * ETIME: the deadline came first. */
int verd__hub_wait_any(struct verd__hub *hub, struct verd__fd_watch *watches, size_t count,
                       verd_duration deadline);

/* For backends: `revents`, in poll(2)'s bits, have come for the descriptor. */
void verd__hub_ready(struct verd__hub *hub, struct verd__fd *record, unsigned revents);

/* For backends: the number is no longer the file that is waited for: EBADF to who waits. */
void verd__hub_gone(struct verd__hub *hub, struct verd__fd *record);

#endif
