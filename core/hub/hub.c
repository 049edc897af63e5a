/* SPDX-License-Identifier: MIT */
#include "hub/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/audit.h"
#include "hub/limit.h"
#include "hub/table.h"
#include "hub/output_lock.h"
#include "sched/setting.h"
#include "stack/line.h"
#include "stack/peek.h"

static void hub_wait(struct verd__poller *poller, verd_duration timeout)
{
    struct verd__loop *loop = (struct verd__loop *)poller;
    loop->backend->wait(loop, timeout);
}

static void hub_close(struct verd__poller *poller)
{
    struct verd__loop *loop = (struct verd__loop *)poller;
    loop->backend->close(loop);
    verd__table_free(loop);
    free(loop);
}

/* The parent's kernel object would tell us of its descriptors, and it of ours: away with it. */
static void hub_forked(struct verd__poller *poller)
{
    struct verd__loop *loop = (struct verd__loop *)poller;
    loop->backend->close(loop);
    if (loop->backend->open(loop) != 0)
        verd__die("the child of a fork cannot make a hub of its own");
    for (size_t fd = 0; fd < verd__loop_numbers(loop); fd++) {
        struct verd__fd *record = verd__loop_known(loop, (int)fd);
        if (record != NULL)
            verd__fd_unwatched(record);
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
    const char *name = verd__setting("VERD_HUB");
    if (name == NULL)
        return backends[0];
    for (size_t i = 0; i < BACKENDS; i++) {
        if (strcmp(name, backends[i]->name) == 0)
            return backends[i];
    }
    tell_unknown(name);
    return backends[0];
}

_Noreturn void verd__loop_refused(const struct verd__loop *loop, const char *call)
{
    struct verd__line line = {0};
    verd__line_text(&line, call);
    verd__line_text(&line, ": ");
    verd__line_text(&line, strerror(errno));
    verd__line_text(&line, ". The hub cannot go on; there is also");
    for (size_t i = 0; i < BACKENDS; i++) {
        if (backends[i] == loop->backend)
            continue;
        verd__line_text(&line, " VERD_HUB=");
        verd__line_text(&line, backends[i]->name);
    }
    verd__line_write(&line);
    abort();
}

struct verd__loop *verd__loop_new(struct verd__scheduler *scheduler)
{
    struct verd__loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->poller.wait = hub_wait;
    loop->poller.close = hub_close;
    loop->poller.forked = hub_forked;
    loop->scheduler = scheduler;
    loop->backend = chosen_backend();
    verd__audit_init(loop);
    if (loop->backend->open(loop) != 0) {
        free(loop);
        return NULL;
    }
    scheduler->poller = &loop->poller;
    return loop;
}

static const unsigned events_of[] = {VERD__INPUT_EVENTS, VERD__OUTPUT_EVENTS};

static void detach(struct verd__loop *loop, int fd, struct verd__fd *record,
                   enum verd__direction direction)
{
    record->waiting[direction] = NULL;
    record->wanted &= (uint16_t)~events_of[direction];
    loop->scheduler->expecting--;
    if (loop->backend->unwatch != NULL)
        loop->backend->unwatch(loop, fd, record);
}

static void leave_one(struct verd__wait *wait, int error);
static void leave_any(struct verd__wait *wait, int error);

/* ": input from 5, output to 6" */
static void tell_any(struct verd__line *line, const struct verd__wait *wait)
{
    struct verd__fd_watches fds;
    struct verd__fd_watch watch;
    verd__peek(&fds, wait->object, sizeof fds);
    for (size_t i = 0; i < fds.count && verd__peek(&watch, &fds.watches[i], sizeof watch); i++) {
        verd__line_text(line, i == 0 ? ": " : ", ");
        if (watch.events & VERD__INPUT_EVENTS)
            verd__line_text(line,
                            watch.events & VERD__OUTPUT_EVENTS ? "input from and " : "input from ");
        if (watch.events & VERD__OUTPUT_EVENTS)
            verd__line_text(line, "output to ");
        verd__line_number(line, (size_t)watch.fd);
    }
}

/* A wait for one descriptor: its object is the record, its value the number. By direction, and by whether
 * the call has already found by a system call on the file that there is nothing. */
#define INPUT_KIND {.name = "input from descriptor #", .has_more = true, .ended = leave_one}
#define OUTPUT_KIND {.name = "output to descriptor #", .has_more = true, .ended = leave_one}
static const struct verd__wait_kind one_kinds[2][2] = {
    [VERD__INPUT] = {INPUT_KIND, INPUT_KIND},
    [VERD__OUTPUT] = {OUTPUT_KIND, OUTPUT_KIND},
};
static const struct verd__wait_kind any_kind = {
    .name = "one of several descriptors", .has_more = true, .ended = leave_any, .tell = tell_any};

static void leave_one(struct verd__wait *wait, int error)
{
    struct verd__loop *loop = (struct verd__loop *)verd__current->poller;
    struct verd__fd *record = wait->object;
    (void)error;
    detach(loop, (int)(intptr_t)wait->entry.value, record,
           record->waiting[VERD__INPUT] == wait ? VERD__INPUT : VERD__OUTPUT);
}

void verd__loop_detach(const struct verd__fd_watches *fds, const struct verd__wait *wait)
{
    for (size_t i = 0; i < fds->count; i++) {
        struct verd__fd_watch *watch = &fds->watches[i];
        for (unsigned d = VERD__INPUT; watch->record != NULL && d <= VERD__OUTPUT; d++) {
            if (watch->record->waiting[d] == wait)
                detach(fds->loop, watch->fd, watch->record, d);
        }
    }
}

static void leave_any(struct verd__wait *wait, int error)
{
    (void)error;
    verd__loop_detach(wait->object, wait);
}

bool verd__loop_waits_for_one(const struct verd__wait *wait)
{
    return wait->kind != NULL && wait->kind->ended == leave_one;
}

/* Ends the wait in this direction, if there is one. A wait for several that is still being put
 * together has not begun, and finds the error in the end. */
static void end_wait(struct verd__fd *record, enum verd__direction direction, int error)
{
    struct verd__wait *wait = record->waiting[direction];
    if (wait == NULL)
        return;
    if (wait->kind != NULL && wait->kind->ended == leave_one) {
        verd__wait_end(wait, error);
        return;
    }
    struct verd__fd_watches *fds = wait->object;
    if (wait->kind != NULL) {
        fds->ready = record;
        verd__wait_end(wait, error);
        return;
    }
    verd__loop_detach(fds, wait);
    fds->error = error;
}

void verd__loop_ready(struct verd__loop *loop, struct verd__fd *record, unsigned revents)
{
    unsigned wanted = record->wanted | POLLHUP | POLLERR;
    (void)loop;
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
static void reset(struct verd__loop *loop, struct verd__fd *record, unsigned bits)
{
    if (record->bits & VERD__FD_HELD)
        verd__output_locks_end(loop, record, EBADF);
    end_wait(record, VERD__INPUT, EBADF);
    end_wait(record, VERD__OUTPUT, EBADF);
    if (++loop->generation == 0)
        loop->generation = 1;
    record->generation = loop->generation;
    record->bits = (uint16_t)(bits | VERD__FD_READABLE);
}

void verd__loop_gone(struct verd__loop *loop, struct verd__fd *record)
{
    /* A call that has not touched the file itself may have come after the change of files, and then
     * it means the new one: it tries again, and sees. Who waits to write has tried, unless he waits for
     * another's writing. */
    const struct verd__wait *wait = record->waiting[VERD__INPUT];
    if (wait != NULL && wait->kind == &one_kinds[VERD__INPUT][false])
        end_wait(record, VERD__INPUT, VERD__RETRY);
    verd__output_locks_end(loop, record, VERD__RETRY);
    reset(loop, record, 0);
}

int verd__loop_adopt(struct verd__loop *loop, int fd, unsigned bits)
{
    struct verd__fd *record = verd__loop_fd(loop, fd);
    if (record == NULL)
        return -1;
    reset(loop, record, bits | VERD__FD_OURS);
    return 0;
}

void verd__loop_forget(struct verd__loop *loop, int fd)
{
    struct verd__fd *record = verd__loop_known(loop, fd);
    if (record == NULL)
        return;
    reset(loop, record, 0);
    verd__audit_expect(loop);
}

void verd__loop_renew(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    if ((record->bits & VERD__FD_WATCHED) && loop->backend->verify(loop, fd, record) != 0)
        verd__loop_gone(loop, record);
}

void verd__loop_retry(struct verd__loop *loop, int fd)
{
    struct verd__fd *record = verd__loop_known(loop, fd);
    if (record == NULL)
        return;
    record->bits |= VERD__FD_READABLE;
    end_wait(record, VERD__INPUT, 0);
    end_wait(record, VERD__OUTPUT, 0);
}

int verd__loop_renumber(int fd, int number)
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
static int watch(struct verd__loop *loop, int fd, struct verd__fd *record,
                 enum verd__direction direction, unsigned events)
{
    if (record->waiting[direction] != NULL) {
        if (loop->backend->verify(loop, fd, record) == 0) {
            errno = EBUSY;
            return -1;
        }
        verd__loop_gone(loop, record);
    }
    record->wanted |= (uint16_t)events;
    if (record->bits & VERD__FD_WATCHED)
        return 0;
    if (loop->backend->watch(loop, fd, record) == 0)
        return 0;
    record->wanted &= (uint16_t)~events_of[direction];
    return -1;
}

/* A kill or timeout that came between the end of a wait and the thread's turn has told nobody. If
 * that wait was in vain, here is the last chance to notice: so both waits begin with
 * verd__may_wait. */
int verd__loop_wait(struct verd__loop *loop, int fd, struct verd__fd *record,
                    enum verd__direction direction, bool tried)
{
    static const unsigned events[] = {VERD__READ_EVENTS, VERD__OUTPUT_EVENTS};
    if (!verd__may_wait(loop->scheduler))
        return -1;
    if (watch(loop, fd, record, direction, events[direction]) != 0)
        return errno == EPERM ? 0 : -1; /* it never changes: always ready */
    struct verd__wait *wait = verd__own_wait(loop->scheduler);
    uint32_t generation = record->generation;
    wait->object = record;
    wait->entry.value = (void *)(intptr_t)fd;
    record->waiting[direction] = wait;
    loop->scheduler->expecting++;
    verd__audit_expect(loop);
    verd__limit_begin(loop, fd, record, direction);
    if (verd__wait(loop->scheduler, wait, &one_kinds[direction][tried]) != 0)
        return errno == VERD__RETRY ? 0 : -1;
    return verd__loop_is_same(record, generation) ? 0 : -1;
}

/* Attaches the wait to one direction of one more descriptor. */
static int attach(struct verd__fd_watches *fds, const struct verd__fd_watch *wanted,
                  enum verd__direction direction, unsigned events)
{
    struct verd__wait *wait = verd__own_wait(fds->loop->scheduler);
    struct verd__fd *record = wanted->record;
    if (record->waiting[direction] == wait) { /* the same descriptor again */
        record->wanted |= (uint16_t)events;
        if (record->bits & VERD__FD_WATCHED)
            return 0;
        return fds->loop->backend->watch(fds->loop, wanted->fd, record);
    }
    if (watch(fds->loop, wanted->fd, record, direction, events) != 0)
        return errno == EPERM ? 0 : -1;
    record->waiting[direction] = wait;
    fds->loop->scheduler->expecting++;
    return 0;
}

static int attach_both(struct verd__fd_watches *fds, struct verd__fd_watch *wanted)
{
    unsigned input = (unsigned)wanted->events & VERD__INPUT_EVENTS;
    unsigned output = (unsigned)wanted->events & VERD__OUTPUT_EVENTS;
    if ((input != 0 || output == 0) && attach(fds, wanted, VERD__INPUT, input) != 0)
        return -1;
    if (output != 0 && attach(fds, wanted, VERD__OUTPUT, output) != 0)
        return -1;
    wanted->generation = wanted->record->generation;
    return 0;
}

static bool are_same(const struct verd__fd_watches *fds)
{
    for (size_t i = 0; i < fds->count; i++) {
        const struct verd__fd_watch *watch = &fds->watches[i];
        if (watch->record != NULL && !verd__loop_is_same(watch->record, watch->generation))
            return false;
    }
    return true;
}

static void time_up(struct verd__timer *timer)
{
    verd__wait_end(verd__wait_of_timer(timer), ETIME);
}

int verd__loop_attach(struct verd__fd_watches *fds)
{
    struct verd__wait *wait = verd__own_wait(fds->loop->scheduler);
    fds->ready = NULL;
    fds->error = 0;
    wait->object = fds;
    for (size_t i = 0; i < fds->count; i++) {
        if (fds->watches[i].record == NULL || attach_both(fds, &fds->watches[i]) == 0)
            continue;
        verd__loop_detach(fds, wait);
        return -1;
    }
    if (fds->error != 0) {
        verd__loop_detach(fds, wait);
        errno = fds->error;
        return -1;
    }
    verd__audit_expect(fds->loop);
    return 0;
}

int verd__loop_wait_any(struct verd__loop *loop, struct verd__fd_watch *watches, size_t count,
                        verd_duration deadline)
{
    struct verd__fd_watches fds = {.loop = loop, .watches = watches, .count = count};
    if (!verd__may_wait(loop->scheduler) || verd__loop_attach(&fds) != 0)
        return -1;
    struct verd__wait *wait = verd__own_wait(loop->scheduler);
    verd__wait_limit(loop->scheduler, wait, deadline, time_up);
    int result = verd__wait(loop->scheduler, wait, &any_kind);
    return result == 0 && !are_same(&fds) ? -1 : result;
}
