/* SPDX-License-Identifier: MIT */
/* The hub on epoll(7): edge-triggered, each descriptor registered for both directions at once. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/syscall.h>

#include "hub/hub.h"
#include "stack/memory.h"
#include "stack/valgrind.h"

#define EVENTS_MAX 1024 /* taken at once */
#define BATCHES_MAX 64  /* in one look, while they come in full */

/* epoll's event bits are poll's: verd__loop_ready gets them as they are. */
#define INTEREST (VERD__INPUT_EVENTS | VERD__OUTPUT_EVENTS | EPOLLET)

/*
 * What was watched and is closed here, but lives on in another process, stays in the kernel's set: nobody here can
 * take it out, and each event of it wakes the hub in vain. When that has been so often enough the set is made
 * anew. Not in a hub so large that it would take long: there, such events are the lesser evil.
 */
#define STALE_MIN 64
#define STALE_SHARE 2    /* of the numbers, one in so many */
#define NUMBERS_MAX 2048 /* some 15 ms: 4 us to watch a descriptor anew, and 3 to forget it */
#define UNWANTED_MAX 64  /* events that nobody waits for: the last one's descriptor is looked at */

struct state {
    int fd;            /* epoll's own */
    size_t stale;      /* events of files that are not here any more, since the set was made */
    unsigned unwanted; /* events that nobody waits for */
    struct epoll_event events[EVENTS_MAX];
};

static bool is_refusal(int error)
{
    return error == ENOSYS || error == EPERM || error == EACCES;
}

static int epoll_open(struct verd__loop *loop)
{
    struct state *state = malloc(sizeof *state);
    if (state == NULL)
        return -1;
    state->stale = state->unwanted = 0;
    state->fd = epoll_create1(EPOLL_CLOEXEC);
    if (state->fd < 0 && is_refusal(errno))
        verd__loop_refused(loop, "epoll_create1");
    if (state->fd < 0) {
        free(state);
        return -1;
    }
    loop->state = state;
    return 0;
}

static void epoll_shut(struct verd__loop *loop)
{
    struct state *state = loop->state;
    close(state->fd);
    free(state);
}

/* What the kernel has no events of, epoll_ctl does not take, and it is always ready. */
static bool is_always_ready(int fd)
{
    const short both = POLLIN | POLLOUT;
    struct pollfd poller = {.fd = fd, .events = both};
    return poll(&poller, 1, 0) == 1 && (poller.revents & both) == both;
}

static int control(const struct verd__loop *loop, int operation, int fd,
                   const struct verd__fd *record)
{
    const struct state *state = loop->state;
    bool ours = record->bits & VERD__FD_OURS;
    struct epoll_event event = {
        .events = ours ? INTEREST : record->wanted | EPOLLET,
        .data.u64 = (uint64_t)record->generation << 32 | (uint32_t)fd,
    };
    int result = epoll_ctl(state->fd, operation, fd, &event);
    if (__builtin_expect(result != 0 && is_refusal(errno), 0) &&
        (errno != EPERM || !is_always_ready(fd)))
        verd__loop_refused(loop, "epoll_ctl");
    return result;
}

/* A descriptor that is not ours may be registered already, or have been, or be another file by now:
 * modifying it tells, and has its present state reported. */
static int epoll_watch(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    if (!(record->bits & VERD__FD_OURS)) {
        int result = control(loop, EPOLL_CTL_MOD, fd, record);
        if (result == 0 || errno != ENOENT)
            return result;
        if (record->waiting[VERD__INPUT] != NULL || record->waiting[VERD__OUTPUT] != NULL)
            verd__loop_gone(loop, record); /* the other direction's wait is for the file before */
        return control(loop, EPOLL_CTL_ADD, fd, record);
    }
    int result = control(loop, EPOLL_CTL_ADD, fd, record);
    if (result != 0 && errno == EEXIST) /* left by a duplicate that had the number before */
        result = control(loop, EPOLL_CTL_MOD, fd, record);
    if (result == 0)
        record->bits |= VERD__FD_WATCHED;
    return result;
}

/* To add what is registered fails, and changes nothing; a modification would have all that is ready
 * reported once more. */
static int epoll_verify(struct verd__loop *loop, int fd, const struct verd__fd *record)
{
    if (control(loop, EPOLL_CTL_ADD, fd, record) == 0)
        control(loop, EPOLL_CTL_DEL, fd, record);
    else if (errno == EEXIST)
        return 0;
    return -1;
}

/* The wait in milliseconds, rounded up, for kernels without epoll_pwait2 (before 5.11) and sandboxes
 * that do not know it, whose error is not always ENOSYS. */
static int milliseconds(verd_duration timeout)
{
    if (timeout == VERD_FOREVER)
        return -1;
    verd_duration rounded = timeout / VERD_MS + (timeout % VERD_MS != 0);
    return rounded > INT_MAX ? INT_MAX : (int)rounded;
}

static int wait_for_events(struct state *state, verd_duration timeout)
{
#ifdef SYS_epoll_pwait2
    static _Atomic(bool) missing; /* the system call, found out by trying */
    if (timeout > 0 && timeout != VERD_FOREVER && !verd__on_valgrind() &&
        !atomic_load_explicit(&missing, memory_order_relaxed)) {
        struct { /* struct __kernel_timespec */
            int64_t seconds;
            int64_t nanoseconds;
        } span = {timeout / VERD_SEC, timeout % VERD_SEC};
        long count =
            syscall(SYS_epoll_pwait2, state->fd, state->events, EVENTS_MAX, &span, NULL, (size_t)0);
        if (count > 0)
            verd__memory_clean(state->events, (size_t)count * sizeof *state->events);
        if (count >= 0 || errno == EINTR)
            return (int)count;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
#endif
    return epoll_wait(state->fd, state->events, EVENTS_MAX, milliseconds(timeout));
}

/* Events between the one that is dispatched and one of which something comes into the cache. */
#define AHEAD 3

static struct verd__fd *record_of(const struct verd__loop *loop, const struct epoll_event *event)
{
    return verd__loop_known(loop, (int)(uint32_t)event->data.u64);
}

/* With thousands of descriptors, each event is of a thread of which nothing is in the cache: the record, the
 * wait and the control block, each found in the one before, come there while other events are dispatched. */
static inline void prefetch(const struct verd__loop *loop, const struct epoll_event *event,
                            int left)
{
    const struct verd__fd *record;
    if (left > 3 * AHEAD)
        __builtin_prefetch(record_of(loop, event + 3 * AHEAD));
    if (left > 2 * AHEAD && (record = record_of(loop, event + 2 * AHEAD)) != NULL)
        __builtin_prefetch(record->waiting[VERD__INPUT]);
    if (left > AHEAD && (record = record_of(loop, event + AHEAD)) != NULL &&
        record->waiting[VERD__INPUT] != NULL)
        __builtin_prefetch(record->waiting[VERD__INPUT]->thread);
}

/* Nobody has waited for an event. That is nothing of note, unless the descriptor was closed behind the library's
 * back. */
static void note_unwanted(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    struct state *state = loop->state;
    if (++state->unwanted < UNWANTED_MAX)
        return;
    state->unwanted = 0;
    if (epoll_verify(loop, fd, record) != 0)
        verd__loop_gone(loop, record);
}

static void dispatch(struct verd__loop *loop, const struct epoll_event *event)
{
    struct state *state = loop->state;
    struct verd__fd *record = record_of(loop, event);
    if (record == NULL || record->generation != event->data.u64 >> 32) {
        state->stale++; /* of a file before this one */
        return;
    }
    if (!verd__fd_is_waited_for(record))
        note_unwanted(loop, (int)(uint32_t)event->data.u64, record);
    verd__loop_ready(loop, record, event->events);
}

/* Has the set that `state` has now watch what is waited for; of the rest each is watched again at its next wait. */
static int watch_all(struct verd__loop *loop)
{
    for (size_t fd = 0; fd < verd__loop_numbers(loop); fd++) {
        struct verd__fd *record = verd__loop_known(loop, (int)fd);
        if (record == NULL)
            continue;
        if (!verd__fd_is_waited_for(record)) {
            verd__fd_unwatched(record);
        } else if (control(loop, EPOLL_CTL_ADD, (int)fd, record) == 0) {
            continue;
        } else if (errno == ENOMEM || errno == ENOSPC) {
            return -1;
        } else {
            verd__loop_gone(loop, record);
        }
    }
    return 0;
}

/* The set before stays if there is no other one to be had. */
static void renew(struct verd__loop *loop)
{
    struct state *state = loop->state;
    int before = state->fd;
    state->stale = 0;
    state->fd = epoll_create1(EPOLL_CLOEXEC);
    if (state->fd >= 0 && watch_all(loop) == 0)
        (void)verd__loop_renumber(state->fd, before);
    else if (state->fd >= 0)
        close(state->fd);
    state->fd = before;
}

static void renew_if_due(struct verd__loop *loop)
{
    const struct state *state = loop->state;
    size_t numbers = verd__loop_numbers(loop);
    if (__builtin_expect(state->stale >= STALE_MIN, 0) && state->stale >= numbers / STALE_SHARE &&
        numbers <= NUMBERS_MAX)
        renew(loop);
}

static void epoll_collect(struct verd__loop *loop, verd_duration timeout)
{
    struct state *state = loop->state;
    int count;
    unsigned batches = 0;
    do {
        loop->polls++;
        count = wait_for_events(state, timeout);
        if (__builtin_expect(count < 0 && errno != EINTR, 0))
            verd__loop_refused(loop, "epoll_wait");
        loop->events += count > 0 ? (unsigned)count : 0;
        for (int i = 0; i < count; i++) {
            prefetch(loop, &state->events[i], count - i);
            dispatch(loop, &state->events[i]);
        }
        timeout = 0;
    } while (count == EVENTS_MAX && ++batches < BATCHES_MAX);
    renew_if_due(loop);
}

const struct verd__backend verd__backend_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .watch = epoll_watch,
    .verify = epoll_verify,
    .wait = epoll_collect,
    .close = epoll_shut,
};
