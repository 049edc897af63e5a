/* SPDX-License-Identifier: MIT */
/*
 * The hub: what an OS thread's green threads wait for outside of it, descriptors, and the event loop
 * that waits for those. (The public handle verd_hub is the inbox of an OS thread: offload/inbox.h.)
 *
 * There is a record per descriptor number. It remembers who waits, and what is known of the file:
 * with an edge-triggered backend each change is told once, so it is latched here (READABLE) until
 * a read finds less than it asked for. The record's generation tells an event of the file that has
 * this number now from one of a file that had it before.
 *
 * A descriptor that libverd made (OURS) is registered with the backend once, at its first wait. A
 * number that someone else made may be another file at every call, so it is registered anew for
 * each wait. What a plain close(2) does to one of OURS is noticed when libverd makes a descriptor
 * with the same number; when a second thread wants to wait; when a call that is as POSIX has it begins
 * to wait (verd__loop_renew); and else by the audit (audit.h).
 */
#ifndef VERD_HUB_HUB_H
#define VERD_HUB_HUB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "sched/scheduler.h"
#include "sched/wait.h"

struct verd__loop;

enum verd__direction { VERD__INPUT, VERD__OUTPUT };

/* poll(2)'s events by direction. Who just reads wants no more than VERD__READ_EVENTS: urgent data
 * does not end a wait for ordinary data. */
#define VERD__INPUT_EVENTS (POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI | POLLRDHUP)
#define VERD__READ_EVENTS (POLLIN | POLLRDHUP)
#define VERD__OUTPUT_EVENTS (POLLOUT | POLLWRNORM | POLLWRBAND)

enum verd__fd_bit {
    VERD__FD_READABLE = 1, /* latched: a read may find something. Clear: it would find nothing */
    VERD__FD_ENDED = 2,    /* latched: an end, error or urgent mark is behind what can be read */
    VERD__FD_WATCHED = 4,  /* registered with the backend, once for all */
    VERD__FD_OURS = 8,     /* made by libverd: non-blocking, its kind known */
    VERD__FD_SOCKET = 16,  /* kind: takes recv and send */
    VERD__FD_STREAM = 32, /* kind: a short read has emptied it: TCP. Of a pipe it may be a packet */
    VERD__FD_UNIX = 64,   /* kind: a short read that cut off no ancillary data has emptied it */
    VERD__FD_LISTENER = 128,   /* OURS: accepts, and what it accepts is of its kind */
    VERD__FD_HELD = 256,       /* a writer has it for itself (output_lock.h) */
    VERD__FD_LIMITED = 512,    /* OURS: someone has set SO_RCVTIMEO or SO_SNDTIMEO (limit.h) */
    VERD__FD_ASKED = 1024,     /* no wait has begun since the audit asked for them */
    VERD__FD_LOW_WATER = 2048, /* OURS: someone has set SO_RCVLOWAT */
};

/* The record of a descriptor number. It stays at its address as long as the hub, but is zeroed once in a while if its
 * number is not open (table.h). */
struct verd__fd {
    struct verd__wait *waiting[2]; /* by direction; NULL: nobody */
    uint32_t generation; /* no other file of the hub's has it; 0: they are not told apart */
    uint16_t bits;       /* enum verd__fd_bit */
    uint16_t wanted;     /* the events of the waits, of both directions */
};

/*
 * How to wait for descriptors: what a backend is. The functions return 0, or -1 and errno.
 *
 * The hub keeps the records, a backend reads them. record->waiting[d] is who waits in a direction, and
 * record->wanted the events of the waits of both. A wait begins with its events in `wanted`, then
 * `watch`, and only then is it in `waiting`; where several wait for one thread's sake, `watch` may come
 * again with more in `wanted` and the wait there already. It ends by leaving `waiting` and `wanted`, then
 * `unwatch`. A wait that has had to be refused leaves `wanted` without an `unwatch`.
 *
 * verd__loop_ready and verd__loop_gone end waits at once: so `unwatch` is called again and again while
 * `wait` goes through its events, for other descriptors, too (one thread waits for several). Nobody else
 * runs meanwhile, so no wait begins.
 *
 * A new backend is one file, its name in VERD__BACKENDS, and a row of `make check` (tests/check.mk).
 * It is right when the suite passes with HUB=<name>; tests/programs/fault/hooks.c has the system calls
 * that may fail.
 */
struct verd__backend {
    const char *name; /* as in VERD_HUB */
    /* Makes hub->state. If the kernel refuses what the backend is made of for good, it says so on stderr
     * and aborts. In the child of a fork: after `close` of the parent's, with nobody waiting; what had
     * been watched once for all (WATCHED) is watched again at its next wait. */
    int (*open)(struct verd__loop *loop);
    /* The events of record->wanted are reported from now on, each at once if it is there already;
     * or, of OURS, all events, once for all: then WATCHED is to be set. May find that the number has
     * become another file, and say so (verd__loop_gone). EPERM: it cannot be waited for, and never
     * changes: it is always ready. */
    int (*watch)(struct verd__loop *loop, int fd, struct verd__fd *record);
    /* A wait is over, and record->wanted is less. errno stays. NULL: nothing to do */
    void (*unwatch)(struct verd__loop *loop, int fd, const struct verd__fd *record);
    /* Of one that is waited for. -1: `fd` is no longer the file that is being watched */
    int (*verify)(struct verd__loop *loop, int fd, const struct verd__fd *record);
    /* Gives back what the backend has had for more waits than there are. NULL: nothing to do */
    void (*shrink)(struct verd__loop *loop);
    /* Waits up to `timeout` nanoseconds (0: looks, VERD_FOREVER: no limit), and calls verd__loop_ready for
     * each ready descriptor. May return early, on signals, but not time and again for nothing: a failure
     * that will not pass is told on stderr, and aborts. */
    void (*wait)(struct verd__loop *loop, verd_duration timeout);
    /* Frees hub->state, whoever may be waiting; also where another process has it, too. */
    void (*close)(struct verd__loop *loop);
};

/* All there are, as VERD_HUB names them; without it, the first. */
#define VERD__BACKENDS(X) X(epoll) X(poll)

#define VERD__BACKEND_DECLARE(name) extern const struct verd__backend verd__backend_##name;
VERD__BACKENDS(VERD__BACKEND_DECLARE)

#define VERD__FDS_PER_CHUNK 512

/* Of those who wait until another has written; descriptors share them. */
#define VERD__WRITER_QUEUES 64

/* The errno of a wait that has ended for nothing but to be tried anew, on another file. */
#define VERD__RETRY ESTALE

struct verd__loop {
    struct verd__poller poller; /* first: the scheduler's view of the hub */
    struct verd__scheduler *scheduler;
    const struct verd__backend *backend;
    void *state;              /* the backend's */
    struct verd__fd **chunks; /* of records; NULL where no number has been used */
    size_t chunk_count;
    uint32_t generation;      /* the last that a record has got */
    struct verd__timer audit; /* armed while one is expected, or at it */
    bool audit_expected;      /* waits have begun since the last audit did */
    size_t audit_next;        /* the number it goes on with; 0: it begins anew */
    verd_duration audit_interval;
    struct verd__list writers[VERD__WRITER_QUEUES];
    size_t polls;    /* system calls that waited or looked, for tests */
    uint64_t events; /* that those have told of */
};

/* The hub of this OS thread, made at first use. NULL with errno: ENOMEM, EMFILE, ... */
struct verd__loop *verd__loop_new(struct verd__scheduler *scheduler);

static inline struct verd__loop *verd__loop(struct verd__scheduler *scheduler)
{
    struct verd__poller *poller = scheduler->poller;
    return __builtin_expect(poller != NULL, 1) ? (struct verd__loop *)poller
                                               : verd__loop_new(scheduler);
}

/* The record of a descriptor number; NULL: it has none yet. */
static inline struct verd__fd *verd__loop_known(const struct verd__loop *loop, int fd)
{
    size_t chunk = (size_t)(unsigned)fd / VERD__FDS_PER_CHUNK;
    if (__builtin_expect(chunk < loop->chunk_count && loop->chunks[chunk] != NULL, 1))
        return &loop->chunks[chunk][(unsigned)fd % VERD__FDS_PER_CHUNK];
    return NULL;
}

/* All numbers that have a record are below this. */
static inline size_t verd__loop_numbers(const struct verd__loop *loop)
{
    return loop->chunk_count * VERD__FDS_PER_CHUNK;
}

/* Makes the record of a number that has none. NULL with errno EBADF (not open) or ENOMEM. */
struct verd__fd *verd__loop_fd_new(struct verd__loop *loop, int fd);

/* The record of a descriptor. NULL with errno EBADF or ENOMEM. */
static inline struct verd__fd *verd__loop_fd(struct verd__loop *loop, int fd)
{
    struct verd__fd *record = verd__loop_known(loop, fd);
    return __builtin_expect(record != NULL, 1) ? record : verd__loop_fd_new(loop, fd);
}

/* The hub of this OS thread, if it has one; else NULL, and none is made. */
static inline struct verd__loop *verd__loop_here(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    return scheduler != NULL ? (struct verd__loop *)scheduler->poller : NULL;
}

/* What it has noted of a descriptor number; NULL: nothing. */
static inline struct verd__fd *verd__loop_noted(int fd)
{
    const struct verd__loop *loop = verd__loop_here();
    return loop != NULL ? verd__loop_known(loop, fd) : NULL;
}

/* Which of the files that have a number one after the other it is now; 0: the hub does not know the
 * number yet. */
static inline uint32_t verd__loop_generation(const struct verd__scheduler *scheduler, int fd)
{
    const struct verd__loop *loop = (const struct verd__loop *)scheduler->poller;
    const struct verd__fd *record = loop != NULL ? verd__loop_known(loop, fd) : NULL;
    return record != NULL ? record->generation : 0;
}

/* Whether a read may find something. If not, it would find nothing, and an event will tell when it would:
 * that is known of OURS only. */
static inline bool verd__fd_may_have_input(const struct verd__fd *record)
{
    return (record->bits & (VERD__FD_OURS | VERD__FD_READABLE)) != VERD__FD_OURS;
}

/* Whether somebody waits for the descriptor, in any direction. */
static inline bool verd__fd_is_waited_for(const struct verd__fd *record)
{
    return record->waiting[VERD__INPUT] != NULL || record->waiting[VERD__OUTPUT] != NULL;
}

/* What watched it is gone. Nothing is written where there is nothing to say: the page may have gone back. */
static inline void verd__fd_unwatched(struct verd__fd *record)
{
    if (record->bits & VERD__FD_WATCHED)
        record->bits &= (uint16_t)~VERD__FD_WATCHED;
}

/* A read has just found less than it asked for. */
static inline void verd__fd_emptied(struct verd__fd *record)
{
    record->bits &= (uint16_t)~VERD__FD_READABLE;
}

/* Whether it is the same file still, after others may have run. false with errno EBADF. */
static inline bool verd__loop_is_same(const struct verd__fd *record, uint32_t generation)
{
    if (__builtin_expect(record->generation == generation, 1))
        return true;
    errno = EBADF;
    return false;
}

/* Starts the record of a descriptor that libverd has just made, whose kind is `bits`; who still
 * waits for an earlier file with the number gets EBADF. -1 with errno ENOMEM. */
int verd__loop_adopt(struct verd__loop *loop, int fd, unsigned bits);

/* The descriptor is about to be closed: who waits gets EBADF, and the record starts anew. */
void verd__loop_forget(struct verd__loop *loop, int fd);

/* Something has happened to the descriptor that may not be reported: who waits tries again. */
void verd__loop_retry(struct verd__loop *loop, int fd);

/* For the child of a fork, which replaces what it shares with the parent: gives a descriptor that was just
 * made a number that is free, and close-on-exec; what the hub knows of the number stays. 0, or -1 and
 * errno, the descriptor closed; -1 as it is. */
int verd__loop_renumber(int fd, int number);

/*
 * Waits until the descriptor is ready in this direction. `tried`: the call has just found that it
 * is not, by a system call on the file. Returns 0: ready, or worth a try; or -1 with errno
 * ECANCELED, ETIMEDOUT, EBADF (closed meanwhile), EBUSY (someone waits already), ENOMEM, ENOSPC; or EAGAIN: as
 * long as SO_RCVTIMEO or SO_SNDTIMEO says (limit.h).
 */
int verd__loop_wait(struct verd__loop *loop, int fd, struct verd__fd *record,
                    enum verd__direction direction, bool tried);

/* For calls that mean the file which has the number as they begin, whoever made it: before the first wait of one. If
 * another file is watched, the record starts anew, and who waits for that gets EBADF. */
void verd__loop_renew(struct verd__loop *loop, int fd, struct verd__fd *record);

/* Whether a wait of a record is one for that descriptor alone, and has begun. */
bool verd__loop_waits_for_one(const struct verd__wait *wait);

/* One of several descriptors that one thread waits for. */
struct verd__fd_watch {
    struct verd__fd *record; /* NULL: not waiting for this one */
    int fd;
    short events; /* of VERD__INPUT_EVENTS and VERD__OUTPUT_EVENTS; 0: only ends and errors */
    uint32_t generation; /* of the record, when the wait began; the hub's */
};

/* Several of them, in the frame of a call that waits for them, perhaps beside other things. The object of its
 * wait, or at the beginning of that. */
struct verd__fd_watches {
    struct verd__loop *loop; /* valid if there are any */
    struct verd__fd_watch *watches;
    size_t count;
    const struct verd__fd *ready; /* by whose readiness the wait has ended, if by any; else NULL */
    int error; /* one has turned out to be another file while they were put together; 0: none */
};

/* Attaches the running thread's wait, which is about to begin, to all of them; what ends it detaches it from them
 * all. 0, or -1 with errno EBUSY, EBADF, ENOMEM or ENOSPC: then it is attached to none. */
int verd__loop_attach(struct verd__fd_watches *fds);
void verd__loop_detach(const struct verd__fd_watches *fds, const struct verd__wait *wait);

/* Waits until one of them may be ready; the caller has just seen that none is, so those that never
 * change are not waited for. The same descriptor may be there twice. Errors as verd__loop_wait, and
 * ETIME: the deadline came first. */
int verd__loop_wait_any(struct verd__loop *loop, struct verd__fd_watch *watches, size_t count,
                        verd_duration deadline);

/* For backends: `revents`, in poll(2)'s bits, have come for the descriptor. */
void verd__loop_ready(struct verd__loop *loop, struct verd__fd *record, unsigned revents);

/* For backends: the number is no longer the file that is waited for: EBADF to who waits. */
void verd__loop_gone(struct verd__loop *loop, struct verd__fd *record);

/* For backends: the kernel refuses a system call, with errno, and will go on to: whoever tried again would
 * spin. Says so on stderr, and which other hubs there are, and aborts. */
_Noreturn void verd__loop_refused(const struct verd__loop *loop, const char *call);

#endif
