/* SPDX-License-Identifier: MIT */
/*
 * Waiting: the one mechanism under every call that blocks.
 *
 * A thread waits for one thing at a time, so it has one wait, beside its stack. What is waited for links to
 * the wait, or to its pieces, entries of several wait queues in memory of the call's; it writes what it
 * hands over to where the entry says, and ends the wait. Whoever ends it (the event, a kill, a timeout,
 * the end of the object) does so by verd__wait_end: when that is done, all that the wait had registered,
 * entries and timer, is gone, and the thread is ready. So a wait has either got what it wanted or given up,
 * and nothing is lost in between.
 *
 * What a thread is handed with the end of its wait and has yet to use or pass on is an obligation
 * (obligation.h).
 *
 * The endings, and where each is tried; tests/wait is a table of all calls that block, of which each is
 * played in each column:
 *
 *     event, kill, timeout      wait/columns.c, alone and against each other
 *     child of a fork           wait/endings.c; net/fork*.c, os/fork.c, pool/fork*.c, sched/fork.c, hub/fork.c
 *     end of the OS thread      wait/endings.c, wait/gone*.c; os/ending.c, os/keys.c, sched/osthread.c
 *     end of the object         wait/endings.c, where there is one to free; pool/free.c, sync/queue.c
 *     C++ exception             programs/timeout_exceptions.cc, exceptions.cc: it leaves a frame that has
 *                               waited; none can leave one that waits
 *
 * A call on an object goes like this:
 *
 *     verd__begin      whether the thread may go on; nobody else runs from here
 *     check, act       on the object; then verd__done, which gives way if the budget is spent
 *     or wait          as the call's last act: the outcome of the wait is its result
 */
#ifndef VERD_SCHED_WAIT_H
#define VERD_SCHED_WAIT_H

#include <errno.h>
#include <stddef.h>

#include <verd/thread.h>

#include "sched/area.h"
#include "sched/scheduler.h"

struct verd__line;

struct verd__wait_kind {
    const char *name; /* for messages: "waits for ..."; '#' at its end stands for the number */
    /* What is waited for lies in memory of the user's, who need not free it, and begins with the queue. */
    bool is_users;
    /* Has registered more than its entry: a timer, or what `ended` takes back. */
    bool has_more;
    /* Takes that back; `error` is 0 if the event has ended the wait. NULL: there is only the timer. */
    void (*ended)(struct verd__wait *wait, int error);
    /* Before a kill or a timeout ends the wait: looks whether the event has come, unseen so far. NULL: it cannot
     * have. */
    void (*look)(struct verd__wait *wait);
    /* At the end of the OS thread, before the rest is taken back: takes its entries in the user's memory for gone.
     * NULL: there are none, or it has no others. */
    void (*forget)(struct verd__wait *wait);
    /*
     * The rest is for messages, which may be about a thread of another OS thread: what is called gets a copy of the wait in a
     * copy of its area, and reads all else by verd__peek.
     */
    /* What is waited for is an object, in which the queue lies here: its address is told. As of the user's, where that
     * is 0. */
    bool is_object;
    uint16_t queue_offset;
    /* Who has what is waited for; NULL: nobody, or it is not known. */
    verd_thread *(*holder)(const struct verd__wait *wait);
    /* Adds what it is in particular, where it is several things; NULL: it is one. */
    void (*tell)(struct verd__line *line, const struct verd__wait *wait);
};

/* Who waits in the queue first; NULL: nobody. */
static inline struct verd__entry *verd__first_entry(const struct verd__list *queue)
{
    struct verd__link *link = queue->first;
    return link != NULL ? VERD__CONTAINER_OF(link, struct verd__entry, link) : NULL;
}

static inline void verd__entry_join(struct verd__entry *entry, struct verd__list *queue)
{
    entry->queue = queue;
    verd__list_append(queue, &entry->link);
}

static inline void verd__entry_leave(struct verd__entry *entry)
{
    if (entry->queue == NULL)
        return;
    verd__list_remove(entry->queue, &entry->link);
    entry->queue = NULL;
}

/* Takes back what a wait has registered besides its entry. */
void verd__wait_clear(struct verd__wait *wait, const struct verd__wait_kind *kind, int error);

/* The wait is over, without a word to its thread: takes back all that it has registered. */
static inline void verd__wait_unlink(struct verd__wait *wait, int error)
{
    const struct verd__wait_kind *kind = wait->kind;
    wait->kind = NULL;
    verd__entry_leave(&wait->entry);
    if (__builtin_expect(kind->has_more, 0))
        verd__wait_clear(wait, kind, error);
}

/* The thread of a wait that is over runs behind those that can. */
static inline void verd__wait_resume(struct verd__scheduler *scheduler, struct verd__wait *wait,
                                     int error)
{
    struct verd__thread *thread = wait->thread;
    thread->outcome = 0;
    if (__builtin_expect(error != 0, 0)) {
        thread->outcome = -1;
        thread->error = error;
    }
    verd__ready(scheduler, thread);
}

/* Ends a wait: verd__wait returns 0, or -1 with this errno. */
static inline void verd__wait_end(struct verd__wait *wait, int error)
{
    verd__wait_unlink(wait, error);
    verd__wait_resume(verd__current, wait, error);
}

static inline void verd__wake(struct verd__wait *wait)
{
    verd__wait_end(wait, 0);
}

/* The same for a kind of wait that has registered its entry and no more: no call is made. */
static inline void verd__wake_plain(struct verd__scheduler *scheduler, struct verd__wait *wait)
{
    wait->kind = NULL;
    verd__list_remove(wait->entry.queue, &wait->entry.link);
    wait->entry.queue = NULL;
    verd__wait_resume(scheduler, wait, 0);
}

/* Ends the wait that has this entry, of which it may be one of several. */
static inline void verd__entry_end(struct verd__entry *entry, int error)
{
    struct verd__wait *wait = entry->wait;
    wait->taken = entry;
    verd__wait_end(wait, error);
}

/* Ends all waits in a queue. */
static inline void verd__queue_end(const struct verd__list *queue, int error)
{
    struct verd__entry *entry;
    while ((entry = verd__first_entry(queue)) != NULL)
        verd__entry_end(entry, error);
}

/* Ends the wait of a thread with an error, if it waits and no shield holds: kill and timeout. */
void verd__wait_abort(struct verd__thread *thread, int error, unsigned depth);

/* The running thread's wait, which it is about to begin. */
static inline struct verd__wait *verd__own_wait(const struct verd__scheduler *scheduler)
{
    return &verd__area(scheduler->running)->wait;
}

/* Suspends the running thread until its wait ends, which is linked into what it waits for. Returns 0, or -1
 * with errno when it ended without the event. */
static inline int verd__wait(struct verd__scheduler *scheduler, struct verd__wait *wait,
                             const struct verd__wait_kind *kind)
{
    wait->kind = kind;
    wait->since = scheduler->clock;
    return verd__suspend(scheduler);
}

/* Waits at the end of a queue. Returns as verd__wait. */
static inline int verd__wait_in_queue(struct verd__scheduler *scheduler,
                                      const struct verd__wait_kind *kind, struct verd__list *queue,
                                      void *value)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    wait->entry.value = value;
    verd__entry_join(&wait->entry, queue);
    return verd__wait(scheduler, wait, kind);
}

/* Arms the timer of a wait that is about to begin: `fire` is to end it. */
static inline void verd__wait_limit(struct verd__scheduler *scheduler, struct verd__wait *wait,
                                    verd_duration deadline, void (*fire)(struct verd__timer *timer))
{
    wait->timer.fire = fire;
    verd__timer_arm(&scheduler->timers, &wait->timer, deadline);
}

static inline struct verd__wait *verd__wait_of_timer(struct verd__timer *timer)
{
    return VERD__CONTAINER_OF(timer, struct verd__wait, timer);
}

/* A wait's `fire` where the time is the event. */
void verd__wait_time_up(struct verd__timer *timer);

/* Whether the running thread may wait. false with errno ECANCELED or ETIMEDOUT. */
static inline bool verd__may_wait(const struct verd__scheduler *scheduler)
{
    return __builtin_expect(!(scheduler->running->interrupt & VERD__INTERRUPT_STOP), 1) ||
           verd__interrupted(scheduler) == 0;
}

/* Whether an errno says that a scope has run out, and that a call was interrupted: there is nothing wrong with what it
 * is about. */
static inline bool verd__is_timeout(int error)
{
    return error == ETIMEDOUT || error >= VERD_ERROR_OWN;
}

static inline bool verd__is_interruption(int error)
{
    return error == ECANCELED || verd__is_timeout(error);
}

/* The head of each call that may block: whether it may go on. Returns the scheduler, or NULL with errno
 * ECANCELED or ETIMEDOUT (killed, out of time), or ENOMEM (no scheduler). */
static inline struct verd__scheduler *verd__begin(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (__builtin_expect(scheduler == NULL, 0) || !verd__may_wait(scheduler))
        return NULL;
    return scheduler;
}

/* Whether verd__begin would say yes without a closer look. The calls that are made most ask this, and are
 * made of jumps from there: so they need no frame, and neither has whoever is suspended in them. */
static inline bool verd__is_clear(const struct verd__scheduler *scheduler)
{
    return __builtin_expect(
        scheduler != NULL && !(scheduler->running->interrupt & VERD__INTERRUPT_STOP), 1);
}

/* The end of each such call that has not waited: spends a unit of the budget, and gives way when it is
 * spent, with nothing of the call's in hand any more. Returns `result`. */
static inline int verd__done(struct verd__scheduler *scheduler, int result)
{
    if (__builtin_expect(--scheduler->budget <= 0, 0))
        return verd__give_way_with(scheduler, result);
    return result;
}

/* The same, where there may be no scheduler: returns -1, with this errno unless it is 0. */
int verd__refuse(int error);

/* The same for a call whose result is no int. */
static inline void verd__spend(void)
{
    struct verd__scheduler *scheduler = verd__current;
    if (scheduler != NULL)
        verd__done(scheduler, 0);
}

/* Sleeps, and twice as long the next time, up to `most`: between looks at what nobody tells of. Returns as verd_sleep. */
int verd__pause(verd_duration *pause, verd_duration most);

#endif
