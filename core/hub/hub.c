/* SPDX-License-Identifier: MIT */
#include "hub/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/audit.h"
#include "hub/writer.h"
#include "stack/line.h"

static void hub_wait(struct verd__outside *outside, verd_duration timeout)
{
    struct verd__hub *hub = (struct verd__hub *)outside;
    hub->backend->wait(hub, timeout);
}

static void hub_close(struct verd__outside *outside)
{
    struct verd__hub *hub = (struct verd__hub *)outside;
    hub->backend->close(hub);
    for (size_t i = 0; i < hub->chunk_count; i++)
        free(hub->chunks[i]);
    free(hub->chunks);
    free(hub);
}

/* The parent's kernel object would tell us of its descriptors, and it of ours: away with it. */
static void hub_forked(struct verd__outside *outside)
{
    struct verd__hub *hub = (struct verd__hub *)outside;
    hub->backend->close(hub);
    if (hub->backend->open(hub) != 0)
        verd__die("the child of a fork cannot make a hub of its own");
    for (size_t fd = 0; fd < verd__hub_numbers(hub); fd++) {
        struct verd__fd *record = verd__hub_known(hub, (int)fd);
        if (record != NULL)
            record->bits &= (uint16_t)~VERD__FD_WATCHED;
    }
}

#define ADDRESS_OF(name) &verd__backend_##name,
static const struct verd__backend *const backends[] = {VERD__BACKENDS(ADDRESS_OF)};

#define BACKENDS (sizeof backends / sizeof backends[0])

/* A mistake that must not pass unseen. */
static void tell_unknown(const char *name)
{
    struct verd__line line = {0};
    verd__line_text(&line, "VERD_HUB=");
    verd__line_text(&line, name);
    verd__line_text(&line, " is none of");
    for (size_t i = 0; i < BACKENDS; i++) {
        verd__line_text(&line, " ");
        verd__line_text(&line, backends[i]->name);
    }
    verd__line_text(&line, ": it is ");
    verd__line_text(&line, backends[0]->name);
    verd__line_write(&line);
}

/* VERD_HUB's choice. */
static const struct verd__backend *chosen_backend(void)
{
    const char *name = getenv("VERD_HUB");
    if (name == NULL || name[0] == '\0')
        return backends[0];
    for (size_t i = 0; i < BACKENDS; i++) {
        if (strcmp(name, backends[i]->name) == 0)
            return backends[i];
    }
    tell_unknown(name);
    return backends[0];
}

_Noreturn void verd__hub_refused(const struct verd__hub *hub, const char *call)
{
    struct verd__line line = {0};
    verd__line_text(&line, call);
    verd__line_text(&line, ": ");
    verd__line_text(&line, strerror(errno));
    verd__line_text(&line, ". The hub cannot go on; there is also");
    for (size_t i = 0; i < BACKENDS; i++) {
        if (backends[i] == hub->backend)
            continue;
        verd__line_text(&line, " VERD_HUB=");
        verd__line_text(&line, backends[i]->name);
    }
    verd__line_write(&line);
    abort();
}

struct verd__hub *verd__hub_new(struct verd__scheduler *scheduler)
{
    struct verd__hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return NULL;
    hub->outside.wait = hub_wait;
    hub->outside.close = hub_close;
    hub->outside.forked = hub_forked;
    hub->scheduler = scheduler;
    hub->backend = chosen_backend();
    verd__audit_init(hub);
    if (hub->backend->open(hub) != 0) {
        free(hub);
        return NULL;
    }
    scheduler->outside = &hub->outside;
    return hub;
}

static bool grow_chunks(struct verd__hub *hub, size_t count)
{
    if (count <= hub->chunk_count)
        return true;
    struct verd__fd **chunks = realloc(hub->chunks, count * sizeof(struct verd__fd *));
    if (chunks == NULL)
        return false;
    for (size_t i = hub->chunk_count; i < count; i++)
        chunks[i] = NULL;
    hub->chunks = chunks;
    hub->chunk_count = count;
    return true;
}

struct verd__fd *verd__hub_fd_new(struct verd__hub *hub, int fd)
{
    if (fcntl(fd, F_GETFD) < 0) /* also: no table for numbers that nobody can have */
        return NULL;
    size_t chunk = (size_t)(unsigned)fd / VERD__FDS_PER_CHUNK;
    if (!grow_chunks(hub, chunk + 1))
        return NULL;
    if (hub->chunks[chunk] == NULL)
        hub->chunks[chunk] = calloc(VERD__FDS_PER_CHUNK, sizeof(struct verd__fd));
    if (hub->chunks[chunk] == NULL)
        return NULL;
    return &hub->chunks[chunk][(unsigned)fd % VERD__FDS_PER_CHUNK];
}

/* A call that waits for several; in its frame. */
struct any {
    struct verd__hub *hub;
    struct verd__fd_watch *watches;
    size_t count;
    int error; /* one has turned out to be another file while they were put together; 0: none */
};

static const unsigned events_of[] = {VERD__INPUT_EVENTS, VERD__OUTPUT_EVENTS};

static void detach(struct verd__hub *hub, int fd, struct verd__fd *record,
                   enum verd__direction direction)
{
    record->waiting[direction] = NULL;
    record->wanted &= (uint16_t)~events_of[direction];
    hub->scheduler->expecting--;
    if (hub->backend->unwatch != NULL)
        hub->backend->unwatch(hub, fd, record);
}

static void leave_one(struct verd__wait *wait, int error);
static void leave_any(struct verd__wait *wait, int error);

/* A wait for one descriptor: its object is the record, its value the number. By direction, and by whether
 * the call has already found by a system call on the file that there is nothing. */
#define INPUT_KIND {.name = "input from descriptor #", .has_more = true, .ended = leave_one}
#define OUTPUT_KIND {.name = "output to descriptor #", .has_more = true, .ended = leave_one}
static const struct verd__wait_kind one_kinds[2][2] = {
    [VERD__INPUT] = {INPUT_KIND, INPUT_KIND},
    [VERD__OUTPUT] = {OUTPUT_KIND, OUTPUT_KIND},
};
static const struct verd__wait_kind any_kind = {
    .name = "one of several descriptors", .has_more = true, .ended = leave_any};

static void leave_one(struct verd__wait *wait, int error)
{
    struct verd__hub *hub = (struct verd__hub *)verd__current->outside;
    struct verd__fd *record = wait->object;
    (void)error;
    detach(hub, (int)(intptr_t)wait->entry.value, record,
           record->waiting[VERD__INPUT] == wait ? VERD__INPUT : VERD__OUTPUT);
}

static void leave_any(struct verd__wait *wait, int error)
{
    const struct any *any = wait->object;
    (void)error;
    for (size_t i = 0; i < any->count; i++) {
        struct verd__fd_watch *watch = &any->watches[i];
        for (unsigned d = VERD__INPUT; watch->record != NULL && d <= VERD__OUTPUT; d++) {
            if (watch->record->waiting[d] == wait)
                detach(any->hub, watch->fd, watch->record, d);
        }
    }
}

/* Ends the wait in this direction, if there is one. A wait for several that is still being put
 * together has not begun, and finds the error in the end. */
static void end_wait(struct verd__fd *record, enum verd__direction direction, int error)
{
    struct verd__wait *wait = record->waiting[direction];
    if (wait == NULL)
        return;
    if (wait->kind != NULL) {
        verd__wait_end(wait, error);
        return;
    }
    leave_any(wait, error);
    ((struct any *)wait->object)->error = error;
}

void verd__hub_ready(struct verd__hub *hub, struct verd__fd *record, unsigned revents)
{
    unsigned wanted = record->wanted | POLLHUP | POLLERR;
    (void)hub;
    if (revents & (POLLRDHUP | POLLHUP | POLLERR | POLLPRI))
        record->bits |= VERD__FD_ENDED;
    if (revents & (VERD__INPUT_EVENTS | POLLHUP | POLLERR))
        record->bits |= VERD__FD_READABLE;
    if (revents & wanted & (VERD__INPUT_EVENTS | POLLHUP | POLLERR))
        end_wait(record, VERD__INPUT, 0);
    if (revents & wanted & (VERD__OUTPUT_EVENTS | POLLHUP | POLLERR))
        end_wait(record, VERD__OUTPUT, 0);
}

/* The record starts anew, for another file. */
static void reset(struct verd__hub *hub, struct verd__fd *record, unsigned bits)
{
    if (record->bits & VERD__FD_HELD)
        verd__writers_end(hub, record, EBADF);
    end_wait(record, VERD__INPUT, EBADF);
    end_wait(record, VERD__OUTPUT, EBADF);
    record->generation++;
    record->bits = (uint16_t)(bits | VERD__FD_READABLE);
}

void verd__hub_gone(struct verd__hub *hub, struct verd__fd *record)
{
    /* A call that has not touched the file itself may have come after the change of files, and then
     * it means the new one: it tries again, and sees. Who waits to write has tried, unless he waits for
     * another's writing. */
    const struct verd__wait *wait = record->waiting[VERD__INPUT];
    if (wait != NULL && wait->kind == &one_kinds[VERD__INPUT][false])
        end_wait(record, VERD__INPUT, VERD__RETRY);
    verd__writers_end(hub, record, VERD__RETRY);
    reset(hub, record, 0);
}

int verd__hub_adopt(struct verd__hub *hub, int fd, unsigned bits)
{
    struct verd__fd *record = verd__hub_fd(hub, fd);
    if (record == NULL)
        return -1;
    reset(hub, record, bits | VERD__FD_OURS);
    return 0;
}

void verd__hub_forget(struct verd__hub *hub, int fd)
{
    struct verd__fd *record = verd__hub_known(hub, fd);
    if (record != NULL)
        reset(hub, record, 0);
}

void verd__hub_retry(struct verd__hub *hub, int fd)
{
    struct verd__fd *record = verd__hub_known(hub, fd);
    if (record == NULL)
        return;
    record->bits |= VERD__FD_READABLE;
    end_wait(record, VERD__INPUT, 0);
    end_wait(record, VERD__OUTPUT, 0);
}

int verd__hub_renumber(int fd, int number)
{
    if (fd < 0 || fd == number)
        return fd < 0 ? -1 : 0;
    int result = dup3(fd, number, O_CLOEXEC);
    int error = errno;
    close(fd);
    errno = error;
    return result < 0 ? -1 : 0;
}

/* Makes sure that this direction is free, and that its events are reported. */
static int watch(struct verd__hub *hub, int fd, struct verd__fd *record,
                 enum verd__direction direction, unsigned events)
{
    if (record->waiting[direction] != NULL) {
        if (hub->backend->verify(hub, fd, record) == 0) {
            errno = EBUSY;
            return -1;
        }
        verd__hub_gone(hub, record);
    }
    record->wanted |= (uint16_t)events;
    if (record->bits & VERD__FD_WATCHED)
        return 0;
    if (hub->backend->watch(hub, fd, record) == 0)
        return 0;
    record->wanted &= (uint16_t)~events_of[direction];
    return -1;
}

/* A kill or timeout that came between the end of a wait and the thread's turn has told nobody. If
 * that wait was in vain, here is the last chance to notice: so both waits begin with
 * verd__may_wait. */
int verd__hub_wait(struct verd__hub *hub, int fd, struct verd__fd *record,
                   enum verd__direction direction, bool tried)
{
    static const unsigned events[] = {VERD__READ_EVENTS, VERD__OUTPUT_EVENTS};
    if (!verd__may_wait(hub->scheduler))
        return -1;
    if (watch(hub, fd, record, direction, events[direction]) != 0)
        return errno == EPERM ? 0 : -1; /* it never changes: always ready */
    struct verd__wait *wait = verd__own_wait(hub->scheduler);
    uint32_t generation = record->generation;
    wait->object = record;
    wait->entry.value = (void *)(intptr_t)fd;
    record->waiting[direction] = wait;
    hub->scheduler->expecting++;
    verd__audit_expect(hub);
    if (verd__wait(hub->scheduler, wait, &one_kinds[direction][tried]) != 0)
        return errno == VERD__RETRY ? 0 : -1;
    return verd__hub_is_same(record, generation) ? 0 : -1;
}

/* Attaches the wait to one direction of one more descriptor. */
static int attach(struct any *any, const struct verd__fd_watch *wanted,
                  enum verd__direction direction, unsigned events)
{
    struct verd__wait *wait = verd__own_wait(any->hub->scheduler);
    struct verd__fd *record = wanted->record;
    if (record->waiting[direction] == wait) { /* the same descriptor again */
        record->wanted |= (uint16_t)events;
        if (record->bits & VERD__FD_WATCHED)
            return 0;
        return any->hub->backend->watch(any->hub, wanted->fd, record);
    }
    if (watch(any->hub, wanted->fd, record, direction, events) != 0)
        return errno == EPERM ? 0 : -1;
    record->waiting[direction] = wait;
    any->hub->scheduler->expecting++;
    return 0;
}

static int attach_both(struct any *any, struct verd__fd_watch *wanted)
{
    unsigned input = (unsigned)wanted->events & VERD__INPUT_EVENTS;
    unsigned output = (unsigned)wanted->events & VERD__OUTPUT_EVENTS;
    if ((input != 0 || output == 0) && attach(any, wanted, VERD__INPUT, input) != 0)
        return -1;
    if (output != 0 && attach(any, wanted, VERD__OUTPUT, output) != 0)
        return -1;
    wanted->generation = wanted->record->generation;
    return 0;
}

static bool are_same(const struct any *any)
{
    for (size_t i = 0; i < any->count; i++) {
        const struct verd__fd_watch *watch = &any->watches[i];
        if (watch->record != NULL && !verd__hub_is_same(watch->record, watch->generation))
            return false;
    }
    return true;
}

static void time_up(struct verd__timer *timer)
{
    verd__wait_end(verd__wait_of_timer(timer), ETIME);
}

int verd__hub_wait_any(struct verd__hub *hub, struct verd__fd_watch *watches, size_t count,
                       verd_duration deadline)
{
    struct any any = {.hub = hub, .watches = watches, .count = count};
    if (!verd__may_wait(hub->scheduler))
        return -1;
    struct verd__wait *wait = verd__own_wait(hub->scheduler);
    wait->object = &any;
    for (size_t i = 0; i < count; i++) {
        if (watches[i].record == NULL || attach_both(&any, &watches[i]) == 0)
            continue;
        leave_any(wait, 0);
        return -1;
    }
    if (any.error != 0) {
        leave_any(wait, 0);
        errno = any.error;
        return -1;
    }
    verd__audit_expect(hub);
    verd__wait_limit(hub->scheduler, wait, deadline, time_up);
    int result = verd__wait(hub->scheduler, wait, &any_kind);
    return result == 0 && !are_same(&any) ? -1 : result;
}
