/* SPDX-License-Identifier: MIT */
/*
 * The hub on poll(2), which every POSIX system has: an array of those descriptors that are waited
 * for, kept up to date by the waits. poll knows numbers, not files, so each watched number's file
 * is remembered by its device and inode, and compared before someone is woken.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "hub/hub.h"
#include "hub/identity.h"

#define ROOM_MIN 64 /* of what is allocated */

struct identity {
    uint64_t device, inode;
};

struct state {
    struct pollfd *fds;
    struct identity *files; /* fds[i] is files[i] */
    size_t count, room;
    size_t *places; /* by number: its index in fds, and one; 0: not there */
    size_t places_count;
};

static int poll_open(struct verd__loop *loop)
{
    loop->state = calloc(1, sizeof(struct state));
    return loop->state != NULL ? 0 : -1;
}

static void poll_shut(struct verd__loop *loop)
{
    struct state *state = loop->state;
    free(state->places);
    free(state->files);
    free(state->fds);
    free(state);
}

static bool grow_fds(struct state *state)
{
    if (state->count < state->room)
        return true;
    size_t room = state->room == 0 ? ROOM_MIN : state->room * 2;
    struct pollfd *fds = realloc(state->fds, room * sizeof *fds);
    if (fds == NULL)
        return false;
    state->fds = fds;
    struct identity *files = realloc(state->files, room * sizeof *files);
    if (files == NULL)
        return false;
    state->files = files;
    state->room = room;
    return true;
}

static bool grow_places(struct state *state, size_t wanted)
{
    if (wanted <= state->places_count)
        return true;
    size_t count = state->places_count * 2 > wanted ? state->places_count * 2 : wanted;
    size_t *places = realloc(state->places, count * sizeof *places);
    if (places == NULL)
        return false;
    for (size_t i = state->places_count; i < count; i++)
        places[i] = 0;
    state->places = places;
    state->places_count = count;
    return true;
}

static void shrink_fds(struct state *state)
{
    size_t room = state->count * 2 > ROOM_MIN ? state->count * 2 : ROOM_MIN;
    if (room > state->room / 2)
        return;
    struct pollfd *fds = realloc(state->fds, room * sizeof *fds);
    if (fds == NULL)
        return;
    state->fds = fds;
    state->room = room;
    struct identity *files = realloc(state->files, room * sizeof *files);
    if (files != NULL)
        state->files = files;
}

/* Numbers that are looked through at once for the last that is waited for. */
#define SCAN_MAX 16384

static void shrink_places(struct state *state)
{
    size_t count = state->places_count;
    size_t least = count > SCAN_MAX + ROOM_MIN ? count - SCAN_MAX : ROOM_MIN;
    while (count > least && state->places[count - 1] == 0)
        count--;
    if (count > state->places_count / 2 && state->places_count - count < SCAN_MAX)
        return;
    size_t *places = realloc(state->places, count * sizeof *places);
    if (places == NULL)
        return;
    state->places = places;
    state->places_count = count;
}

static void poll_shrink(struct verd__loop *loop)
{
    shrink_fds(loop->state);
    shrink_places(loop->state);
}

static bool identify(int fd, struct identity *file)
{
    struct verd__identity found;
    if (verd__identify(fd, &found) != 0)
        return false;
    *file = (struct identity){found.device, found.inode};
    return true;
}

/* What is open but cannot be looked at, is not said to be another file. */
static bool same_file(const struct state *state, size_t place)
{
    struct identity now;
    const struct identity *then = &state->files[place];
    if (!identify(state->fds[place].fd, &now))
        return errno != EBADF;
    return now.device == then->device && now.inode == then->inode;
}

static int poll_watch(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    struct state *state = loop->state;
    struct identity file;
    if (!identify(fd, &file))
        return -1;
    if (!grow_fds(state) || !grow_places(state, (size_t)fd + 1))
        return -1;
    if (state->places[fd] != 0 && !same_file(state, state->places[fd] - 1))
        verd__loop_gone(loop, record); /* the other direction's wait is for the file before */
    if (state->places[fd] == 0) {
        state->fds[state->count] = (struct pollfd){.fd = fd};
        state->places[fd] = ++state->count;
    }
    size_t place = state->places[fd] - 1;
    state->fds[place].events = (short)record->wanted;
    state->files[place] = file;
    return 0;
}

static void poll_unwatch(struct verd__loop *loop, int fd, const struct verd__fd *record)
{
    struct state *state = loop->state;
    size_t place = state->places[fd] - 1;
    state->fds[place].events = (short)record->wanted;
    if (record->waiting[VERD__INPUT] != NULL || record->waiting[VERD__OUTPUT] != NULL)
        return;
    size_t last = --state->count;
    state->fds[place] = state->fds[last];
    state->files[place] = state->files[last];
    state->places[state->fds[place].fd] = place + 1;
    state->places[fd] = 0;
}

static int poll_verify(struct verd__loop *loop, int fd, const struct verd__fd *record)
{
    const struct state *state = loop->state;
    (void)record;
    return same_file(state, state->places[fd] - 1) ? 0 : -1;
}

/* Backwards, because who is woken is taken out, and the last one comes to its place. */
static void dispatch(struct verd__loop *loop, struct state *state)
{
    for (size_t i = state->count; i-- > 0;) {
        if (i >= state->count || state->fds[i].revents == 0)
            continue;
        unsigned revents = (unsigned)state->fds[i].revents;
        struct verd__fd *record = verd__loop_known(loop, state->fds[i].fd);
        if (revents & POLLNVAL || !same_file(state, i))
            verd__loop_gone(loop, record);
        else
            verd__loop_ready(loop, record, revents);
    }
}

static void poll_collect(struct verd__loop *loop, verd_duration timeout)
{
    struct state *state = loop->state;
    struct timespec span = {(time_t)(timeout / VERD_SEC), (long)(timeout % VERD_SEC)};
    loop->polls++;
    int count = ppoll(state->fds, state->count, timeout == VERD_FOREVER ? NULL : &span, NULL);
    loop->events += count > 0 ? (unsigned)count : 0;
    if (count > 0)
        dispatch(loop, state);
    else if (count < 0 && errno != EINTR && errno != ENOMEM) /* EINVAL: RLIMIT_NOFILE was lowered */
        verd__loop_refused(loop, "ppoll");
}

const struct verd__backend verd__backend_poll = {
    .name = "poll",
    .open = poll_open,
    .watch = poll_watch,
    .unwatch = poll_unwatch,
    .verify = poll_verify,
    .shrink = poll_shrink,
    .wait = poll_collect,
    .close = poll_shut,
};
