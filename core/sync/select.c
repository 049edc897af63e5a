/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "hub/hub.h"
#include "sched/shuffle.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "stack/line.h"
#include "stack/peek.h"
#include "sync/case.h"
#include "sync/home.h"
#include "sync/queue.h"

#define ON_STACK 8 /* cases that need no allocation */

/* The index that says: look once more. Only before a wait: nobody has run since the cases were examined. */
#define AGAIN (-2)

/* What a call that waits registers for a case. */
struct piece {
    struct verd__entry
        entry; /* in a queue's line or an event's, if anywhere; the case taken is known by it */
    struct verd__watch watch; /* of the end of a thread, which is the entry's value; else zeroed */
    void **result;            /* where that goes */
    bool is_of_event;
};

/* A call. Once it waits, the wait's object. */
struct select {
    struct verd__fd_watches fds; /* first, for the hub: of each case that has a descriptor */
    verd_case *cases;
    size_t count;
    struct piece *pieces; /* valid while it waits: of each case */
    bool has_descriptors;
    size_t fallback; /* the default; `count`: there is none */
    size_t due;      /* the case of the least duration; `count`: there is none */
    verd_duration deadline;
};

/* ---- without waiting ---- */

/* Finds the default and the least duration, and mistakes. 0, or -1 with errno. */
static int examine(const struct verd__scheduler *scheduler, struct select *select)
{
    size_t n = select->count;
    if (select->cases == NULL || n == 0 || n > INT_MAX)
        return verd__invalid();
    for (size_t i = 0; i < n; i++) {
        const verd_case *one = &select->cases[i];
        int error = verd__case_check(one, scheduler);
        if (one->kind == VERD_CASE_DEFAULT && select->fallback != n)
            error = EINVAL;
        if (error != 0)
            return verd__errno(error);
        if (verd__case_is_of_queue(one))
            continue;
        if (one->kind == VERD_CASE_DEFAULT)
            select->fallback = i;
        bool earlier = one->kind == VERD_CASE_AFTER && one->after < VERD_FOREVER &&
                       (select->due == n || one->after < select->cases[select->due].after);
        select->due = earlier ? i : select->due;
        select->has_descriptors |= verd__case_is_of_descriptor(one);
    }
    if (select->due != n)
        select->deadline = verd__time_after(verd_now(), select->cases[select->due].after);
    return 0;
}

/* One of the possible cases, each as likely as the others; n: there is none. The k-th that is found takes the
 * place of the one before with a chance of one in k (Vitter's reservoir, 1985, of one). */
static size_t choose(struct verd__scheduler *scheduler, const verd_case *cases, size_t n)
{
    size_t chosen = n;
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (verd__case_is_possible(&cases[i]) &&
            (++found == 1 || verd__draw(scheduler) % found == 0))
            chosen = i;
    }
    return chosen;
}

/* ---- waiting ---- */

static void leave(struct verd__wait *wait, int error)
{
    const struct select *select = wait->object;
    (void)error;
    for (size_t i = 0; i < select->count; i++) {
        struct piece *piece = &select->pieces[i];
        verd__entry_leave(&piece->entry);
        if (piece->watch.next != NULL)
            verd__watch_remove(piece->entry.value, &piece->watch);
    }
    verd__loop_detach(&select->fds, wait);
}

static void forget_events(struct verd__wait *wait)
{
    const struct select *select = wait->object;
    for (size_t i = 0; i < select->count; i++) {
        if (select->pieces[i].is_of_event)
            select->pieces[i].entry.queue = NULL;
    }
}

static void tell_cases(struct verd__line *line, const struct verd__wait *wait)
{
    struct select select;
    verd_case one;
    verd__peek(&select, wait->object, sizeof select);
    for (size_t i = 0; i < select.count && verd__peek(&one, &select.cases[i], sizeof one); i++) {
        verd__line_text(line, i == 0 ? ": " : ", ");
        verd__case_tell(line, &one);
    }
}

static const struct verd__wait_kind select_kind = {.name = "one of several cases",
                                                   .has_more = true,
                                                   .ended = leave,
                                                   .forget = forget_events,
                                                   .tell = tell_cases};

static void thread_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    struct piece *piece = VERD__CONTAINER_OF(watch, struct piece, watch);
    verd__entry_end(&piece->entry, verd__thread_result(thread, error, piece->result));
}

static void time_up(struct verd__timer *timer)
{
    const struct select *select = verd__wait_of_timer(timer)->object;
    verd__entry_end(&select->pieces[select->due].entry, 0);
}

static void join_event(const struct verd__scheduler *scheduler, struct piece *piece,
                       verd_event *event)
{
    event->home = scheduler->number;
    piece->is_of_event = true;
    piece->entry.value = (void *)piece->result;
    verd__entry_join(&piece->entry, &event->waiters);
}

static void join_end(struct piece *piece, const verd_thread *handle)
{
    struct verd__thread *thread = verd__thread_find(handle);
    piece->watch.ended = thread_ended;
    piece->entry.value = thread;
    verd__watch_add(thread, &piece->watch);
}

static void join_queue(struct piece *piece, const verd_case *one)
{
    bool gets = one->kind == VERD_CASE_GET;
    piece->entry.value = gets ? (void *)one->result : one->item;
    verd__entry_join(&piece->entry, gets ? &one->queue->getters : &one->queue->putters);
}

static void join(const struct verd__scheduler *scheduler, struct piece *piece, const verd_case *one)
{
    piece->entry.wait = verd__own_wait(scheduler);
    piece->entry.queue = NULL;
    piece->watch.next = NULL;
    piece->result = one->result;
    piece->is_of_event = false;
    if (one->kind == VERD_CASE_EVENT && one->event != NULL)
        join_event(scheduler, piece, one->event);
    else if (one->kind == VERD_CASE_END && one->thread != NULL)
        join_end(piece, one->thread);
    else if ((one->kind == VERD_CASE_GET || one->kind == VERD_CASE_PUT) && one->queue != NULL)
        join_queue(piece, one);
}

/* 0, or -1 with errno. */
static int attach(struct verd__scheduler *scheduler, struct select *select)
{
    select->fds.loop = verd__loop(scheduler);
    if (select->fds.loop == NULL)
        return -1;
    for (size_t i = 0; i < select->count; i++) {
        const verd_case *one = &select->cases[i];
        struct verd__fd_watch *watch = &select->fds.watches[i];
        watch->record = NULL;
        if (!verd__case_is_of_descriptor(one))
            continue;
        watch->fd = one->fd;
        watch->events = verd__case_events(one);
        watch->record = verd__loop_fd(select->fds.loop, one->fd);
        if (watch->record == NULL)
            return -1;
    }
    select->fds.count = select->count;
    return verd__loop_attach(&select->fds);
}

static bool is_closed(const struct verd__fd_watch *watch)
{
    return watch->record->generation != watch->generation;
}

/* A descriptor has ended the wait: the case of it, or as well of another that is ready or was closed. Nothing is
 * asked of the other cases: what they are about may be gone, as this call waits no more. */
static int choose_descriptor(struct verd__scheduler *scheduler, const struct select *select)
{
    size_t chosen = 0;
    uint64_t found = 0;
    bool looked = verd__cases_look(select->cases, select->count) == 0;
    for (size_t i = 0; i < select->fds.count; i++) {
        const struct verd__fd_watch *watch = &select->fds.watches[i];
        if (watch->record == NULL)
            continue;
        if (is_closed(watch))
            select->cases[i].ready = POLLNVAL;
        if (select->cases[i].ready != 0 && (++found == 1 || verd__draw(scheduler) % found == 0))
            chosen = i;
        if (found == 0 && watch->record == select->fds.ready)
            chosen = i;
    }
    verd_case *one = &select->cases[chosen];
    if (!looked && one->ready == 0) /* for want of memory: what has ended the wait is believed */
        one->ready = verd__case_events(one);
    one->error = one->ready & POLLNVAL ? EBADF : 0;
    return (int)chosen;
}

/* With `pieces` and `fds.watches` for all. The index of a case, -1 with errno, or AGAIN. */
static int wait_for_one(struct verd__scheduler *scheduler, struct select *select)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    if (select->has_descriptors && attach(scheduler, select) != 0)
        return errno == EBADF ? AGAIN : verd__refuse(0);
    wait->object = select;
    wait->taken = NULL;
    for (size_t i = 0; i < select->count; i++)
        join(scheduler, &select->pieces[i], &select->cases[i]);
    if (select->due != select->count)
        verd__wait_limit(scheduler, wait, select->deadline, time_up);
    int error = verd__wait(scheduler, wait, &select_kind) == 0 ? 0 : errno;
    if (wait->taken == NULL && select->has_descriptors && select->fds.ready != NULL)
        return choose_descriptor(scheduler, select);
    if (wait->taken == NULL)
        return -1;
    const struct piece *taken = VERD__CONTAINER_OF(wait->taken, struct piece, entry);
    verd_case *one = &select->cases[taken - select->pieces];
    if (error == ENOMEM && one->kind == VERD_CASE_PUT)
        return -1; /* there was room for what is put, but no memory */
    one->error = error;
    return (int)(one - select->cases);
}

/* Apart from its callers, whose frames stay small where they need not wait. */
static __attribute__((noinline)) int wait_with_few(struct verd__scheduler *scheduler,
                                                   struct select *select)
{
    struct piece pieces[ON_STACK];
    struct verd__fd_watch watches[ON_STACK];
    select->pieces = pieces;
    select->fds.watches = watches;
    int taken = wait_for_one(scheduler, select);
    select->pieces = NULL;
    select->fds.watches = NULL;
    return taken;
}

/* With memory that it frees. */
static int wait_with_many(struct verd__scheduler *scheduler, struct select *select)
{
    size_t n = select->count;
    select->pieces = malloc(n * sizeof *select->pieces);
    select->fds.watches = select->has_descriptors ? malloc(n * sizeof *select->fds.watches) : NULL;
    bool enough =
        select->pieces != NULL && (select->fds.watches != NULL || !select->has_descriptors);
    int taken = enough ? wait_for_one(scheduler, select) : verd__refuse(ENOMEM);
    int error = errno;
    free(select->fds.watches);
    free(select->pieces);
    errno = error;
    return taken;
}

/* ---- the call ---- */

/* One that can be done at once, or the default. Its index, -1 with errno, or AGAIN: it has to wait. */
static int try_now(struct verd__scheduler *scheduler, const struct select *select)
{
    size_t n = select->count;
    if (select->has_descriptors && verd__cases_look(select->cases, n) != 0)
        return -1;
    size_t chosen = choose(scheduler, select->cases, n);
    if (chosen != n)
        return verd__case_take(&select->cases[chosen]) == 0 ? (int)chosen : -1;
    if (select->fallback == n)
        return AGAIN;
    select->cases[select->fallback].error = 0;
    return (int)select->fallback;
}

int verd_select(verd_case *cases, size_t n)
{
    struct verd__scheduler *scheduler = verd__begin();
    struct select select = {.cases = cases, .count = n, .fallback = n, .due = n};
    int taken;
    if (scheduler == NULL)
        return verd__refuse(0);
    if (examine(scheduler, &select) != 0)
        return verd__refuse(0);
    do {
        taken = try_now(scheduler, &select);
        if (taken != AGAIN)
            return verd__done(scheduler, taken);
        taken =
            n > ON_STACK ? wait_with_many(scheduler, &select) : wait_with_few(scheduler, &select);
    } while (taken == AGAIN); /* a descriptor was closed by then, and nobody has run here */
    return taken;
}
