/* SPDX-License-Identifier: MIT */
#include "offload/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "offload/workers.h"
#include "sched/once.h"
#include "stack/line.h"
#include "stack/valgrind.h"

static struct verd__once once;

/* In the child of a fork the inboxes of the parent's other OS threads have nobody behind them: they were
 * made in another time. */
static _Atomic(unsigned) forks;

/* What a closed inbox has for messages. */
static struct verd__message closed;

bool verd__inbox_is_open(struct verd_hub *inbox)
{
    return !atomic_load_explicit(&inbox->closed, memory_order_relaxed) &&
           inbox->forks == atomic_load_explicit(&forks, memory_order_relaxed);
}

void verd__inbox_keep(struct verd_hub *inbox)
{
    atomic_fetch_add(&inbox->references, 1);
}

void verd__inbox_drop(struct verd_hub *inbox)
{
    if (atomic_fetch_sub(&inbox->references, 1) > 1)
        return;
    close(inbox->fd);
    free(inbox);
}

void verd__inbox_wake(struct verd_hub *inbox)
{
    static const uint64_t one = 1;
    if (atomic_exchange(&inbox->signalled, true))
        return;
    int error = errno;
    (void)!write(inbox->fd, &one, sizeof one);
    errno = error;
}

bool verd__inbox_send(struct verd_hub *inbox, struct verd__message *message)
{
    if (inbox->forks != atomic_load_explicit(&forks, memory_order_relaxed))
        return false;
    struct verd__message *newest = atomic_load(&inbox->messages);
    do {
        if (newest == &closed)
            return false;
        message->next = newest;
        verd__helgrind_before(message);
    } while (!atomic_compare_exchange_weak(&inbox->messages, &newest, message));
    verd__inbox_wake(inbox);
    return true;
}

static void lose_messages(struct verd__message *message)
{
    while (message != NULL) {
        struct verd__message *before = message->next;
        message->lost(message);
        message = before;
    }
}

/* The OS thread ends; its green threads are gone. */
static void end(struct verd__exit_hook *hook)
{
    struct verd_hub *inbox = VERD__CONTAINER_OF(hook, struct verd_hub, hook);
    atomic_store(&inbox->closed, true);
    verd__workers_forsake(inbox);
    lose_messages(atomic_exchange(&inbox->messages, &closed));
    verd__inbox_drop(inbox);
}

/* The inbox of the OS thread that has this scheduler; NULL: there is none yet. */
static struct verd_hub *find(const struct verd__scheduler *scheduler)
{
    struct verd__exit_hook *hook = scheduler->exit_hooks;
    while (hook != NULL && hook->end != end)
        hook = hook->next;
    return hook != NULL ? VERD__CONTAINER_OF(hook, struct verd_hub, hook) : NULL;
}

/* What was in the line belonged to the parent; a slot may even be half filled, by an OS thread that is
 * not here. */
static void empty(struct verd_hub *inbox)
{
    size_t used = atomic_load(&inbox->tail);
    for (size_t i = 0; i < used && i < VERD_POSTS_MAX; i++)
        atomic_store(&inbox->posts[i].turn, 0);
    atomic_store(&inbox->tail, 0);
    atomic_store(&inbox->messages, NULL);
    atomic_store(&inbox->signalled, false);
    inbox->head = 0;
    inbox->callers = 0;
    inbox->listens = false;
    inbox->scheduler->background = 0;
}

/* In the child of a fork, after the scheduler has done its part. The receiver is gone; the eventfd was
 * shared with the parent, so another one takes its number, which is given up first: a process that is
 * at its limit has no other. */
static void fork_child(void)
{
    unsigned time = atomic_fetch_add(&forks, 1) + 1;
    struct verd_hub *inbox = verd__current != NULL ? find(verd__current) : NULL;
    if (inbox == NULL)
        return;
    close(inbox->fd);
    if (verd__loop_renumber(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), inbox->fd) != 0)
        verd__die("the child of a fork cannot make an eventfd of its own");
    inbox->forks = time;
    empty(inbox);
    if (verd__receiver_start(inbox) != 0)
        verd__die("no memory for the inbox of a fork's child");
}

static int prepare_process(void)
{
    return pthread_atfork(NULL, NULL, fork_child);
}

static struct verd_hub *inbox_new(struct verd__scheduler *scheduler, struct verd__loop *loop)
{
    struct verd_hub *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return NULL;
    inbox->references = 1;
    inbox->forks = atomic_load(&forks);
    inbox->scheduler = scheduler;
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->fd < 0)
        goto no_fd;
    if (verd__loop_adopt(loop, inbox->fd, 0) != 0)
        goto no_record;
    if (verd__receiver_start(inbox) != 0)
        goto no_receiver;
    inbox->hook.end = end;
    inbox->hook.next = scheduler->exit_hooks;
    scheduler->exit_hooks = &inbox->hook;
    return inbox;
no_receiver:
    verd__loop_forget(loop, inbox->fd);
no_record:
    close(inbox->fd);
no_fd:
    free(inbox);
    return NULL;
}

struct verd_hub *verd__inbox(struct verd__scheduler *scheduler)
{
    if (verd__once(&once, prepare_process) != 0) {
        errno = ENOMEM;
        return NULL;
    }
    struct verd_hub *inbox = find(scheduler);
    if (inbox != NULL)
        return inbox;
    struct verd__loop *loop = verd__loop(scheduler);
    return loop != NULL ? inbox_new(scheduler, loop) : NULL;
}
