/* SPDX-License-Identifier: MIT */
/* The end of a thread, seen by others: wait, link, cancel, kill; and the start that is still to come. */
#include <errno.h>
#include <stdlib.h>

#include "sched/slab.h"
#include "sched/thread.h"
#include "sched/wait.h"

void verd__watch_add(struct verd_thread *thread, struct verd__watch *watch)
{
    struct verd__watch *first = thread->watches;
    if (first == NULL) {
        watch->next = watch->prev = watch;
        thread->watches = watch;
        return;
    }
    watch->next = first;
    watch->prev = first->prev;
    first->prev->next = watch;
    first->prev = watch;
}

void verd__watch_remove(struct verd_thread *thread, struct verd__watch *watch)
{
    if (watch->next == watch) {
        thread->watches = NULL;
        return;
    }
    watch->prev->next = watch->next;
    watch->next->prev = watch->prev;
    if (thread->watches == watch)
        thread->watches = watch->next;
}

struct joiner {
    struct verd__watch watch; /* first: `ended` gets it */
    struct verd__wait wait;
    struct verd_thread *thread; /* that is waited for */
    int error;                  /* why it did not run */
};

/* The result is taken over here, as the control block may be gone when the joiner runs. */
static void joined(struct verd__watch *watch, struct verd_thread *thread)
{
    struct joiner *joiner = (struct joiner *)watch;
    joiner->wait.value = thread->result;
    joiner->error = thread->error;
    verd__wake(&joiner->wait);
}

static void cancel_join(struct verd__wait *wait)
{
    struct joiner *joiner = (struct joiner *)(void *)((char *)wait - offsetof(struct joiner, wait));
    verd__watch_remove(joiner->thread, &joiner->watch);
}

static const struct verd__wait_kind join_kind = {"the end of a thread", cancel_join};

static int give_result(void *result, int error, void **wanted)
{
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (wanted != NULL)
        *wanted = result;
    return 0;
}

/* A link of the running thread may ask for its result, which is there already. */
static bool is_own_end(const struct verd_thread *thread)
{
    const struct verd__scheduler *scheduler = verd__current;
    return scheduler != NULL && thread == scheduler->running && (thread->flags & VERD__ENDING);
}

/* 1: the thread has ended (and `joiner` holds how); 0 with errno: the caller gave up or misused it. */
static int await_end(struct verd_thread *thread, struct joiner *joiner)
{
    if (is_own_end(thread)) {
        joiner->wait.value = thread->result;
        joiner->error = 0;
        return 1;
    }
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || verd__thread_check(thread) != 0)
        return 0;
    if (thread == scheduler->running) {
        errno = EDEADLK;
        return 0;
    }
    if (thread->state == VERD__ENDED) {
        joiner->wait.value = thread->result;
        joiner->error = thread->error;
        return 1;
    }
    *joiner = (struct joiner){.watch.ended = joined, .wait.kind = &join_kind, .thread = thread};
    verd__watch_add(thread, &joiner->watch);
    return verd__wait(scheduler, &joiner->wait) == 0;
}

int verd_wait(verd_thread *thread, void **result)
{
    struct joiner joiner;
    if (!await_end(thread, &joiner))
        return verd__finish(-1);
    return verd__finish(give_result(joiner.wait.value, joiner.error, result));
}

int verd_join(verd_thread *thread, void **result)
{
    struct joiner joiner;
    if (!await_end(thread, &joiner))
        return verd__finish(-1);
    /* If another joiner was first, the handle is gone: it was released twice. */
    if (thread->state == VERD__ENDED || is_own_end(thread))
        verd_release(thread);
    return verd__finish(give_result(joiner.wait.value, joiner.error, result));
}

struct link {
    struct verd__watch watch; /* first: `ended` gets it */
    void (*fn)(verd_thread *, void *);
    void *arg;
};

static void call_link(struct verd__watch *watch, struct verd_thread *thread)
{
    struct link *link = (struct link *)watch;
    void (*fn)(verd_thread *, void *) = link->fn;
    void *arg = link->arg;
    free(link);
    fn(thread, arg);
}

int verd_link(verd_thread *thread, void (*fn)(verd_thread *, void *), void *arg)
{
    if (verd__thread_check(thread) != 0)
        return -1;
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (thread->state == VERD__ENDED) {
        fn(thread, arg);
        return 0;
    }
    struct link *link = malloc(sizeof *link);
    if (link == NULL)
        return -1;
    *link = (struct link){.watch.ended = call_link, .fn = fn, .arg = arg};
    verd__watch_add(thread, &link->watch);
    return 0;
}

static struct verd__watch *next_watch(const struct verd_thread *thread,
                                      const struct verd__watch *watch)
{
    return watch->next == thread->watches ? NULL : watch->next;
}

void verd__links_forget(struct verd_thread *thread)
{
    struct verd__watch *watch = thread->watches;
    while (watch != NULL) {
        struct verd__watch *next = next_watch(thread, watch);
        if (watch->ended == call_link) {
            verd__watch_remove(thread, watch);
            free((struct link *)watch);
        }
        watch = next;
    }
}

int verd_unlink(verd_thread *thread, void (*fn)(verd_thread *, void *), void *arg)
{
    if (verd__thread_check(thread) != 0)
        return -1;
    struct verd__watch *watch = thread->watches;
    for (; watch != NULL; watch = next_watch(thread, watch)) {
        struct link *link = (struct link *)watch;
        if (watch->ended != call_link || link->fn != fn || link->arg != arg)
            continue;
        verd__watch_remove(thread, watch);
        free(link);
        return 0;
    }
    errno = ENOENT;
    return -1;
}

/* An unstarted thread that waits for its time. */
struct verd__delay {
    struct verd__timer timer; /* first: `fire` gets it */
    struct verd_thread *thread;
};

static void delay_over(struct verd__timer *timer)
{
    struct verd__delay *delay = (struct verd__delay *)timer;
    struct verd_thread *thread = delay->thread;
    free(delay);
    thread->owner = NULL; /* was: delay */
    thread->flags &= (uint8_t)~VERD__DELAYED;
    verd__thread_start(verd__current, thread);
}

verd_thread *verd_spawn_after(verd_duration after, void *(*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (after <= 0 || fn == NULL)
        return verd_spawn(fn, arg);
    struct verd__delay *delay = calloc(1, sizeof *delay);
    if (delay == NULL)
        return NULL;
    union verd__start start = {.call = fn};
    struct verd_thread *thread =
        verd__thread_new(scheduler, start, arg, VERD__HANDLE | VERD__RESULT | VERD__DELAYED);
    if (thread == NULL) {
        free(delay);
        return NULL;
    }
    delay->timer.fire = delay_over;
    delay->thread = thread;
    thread->delay = delay;
    verd__timer_arm(&scheduler->timers, &delay->timer, verd__time_after(verd_now(), after));
    return thread;
}

void verd__delay_end(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    if (!(thread->flags & VERD__DELAYED))
        return;
    verd__timer_cancel(&scheduler->timers, &thread->delay->timer);
    free(thread->delay);
    thread->owner = NULL; /* was: delay */
    thread->flags &= (uint8_t)~VERD__DELAYED;
}

/* Ends a thread that never ran. If it is in the run queue, it stays there until its turn. */
static void end_unstarted(struct verd__scheduler *scheduler, struct verd_thread *thread)
{
    verd__delay_end(scheduler, thread);
    if (thread->stack != NULL) {
        verd__room(thread)->name[0] = '\0';
        verd__stack_give(&scheduler->stacks, thread->stack);
        thread->stack = NULL;
    }
    verd__thread_end(scheduler, thread, NULL, ECANCELED);
}

void verd__thread_abandon(struct verd_thread *thread)
{
    if (thread->state == VERD__FREE || thread->state == VERD__ENDED)
        return;
    if (thread->flags & VERD__DELAYED)
        free(thread->delay);
    if (thread->state == VERD__STARTED)
        free(verd__room(thread)->locals);
    verd__links_forget(thread);
}

int verd_cancel(verd_thread *thread)
{
    if (verd__thread_check(thread) != 0)
        return -1;
    if (thread->state != VERD__UNSTARTED) {
        errno = EBUSY;
        return -1;
    }
    end_unstarted(verd__current, thread);
    return 0;
}

int verd_kill(verd_thread *thread)
{
    if (verd__thread_check(thread) != 0)
        return -1;
    if (thread->state == VERD__UNSTARTED) {
        end_unstarted(verd__current, thread);
    } else if (thread->state == VERD__STARTED) {
        thread->interrupt |= VERD__INTERRUPT_KILL;
        verd__wait_abort(thread, ECANCELED);
    }
    return 0;
}
