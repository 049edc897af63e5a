/* SPDX-License-Identifier: MIT */
/* The green thread that empties its hub's inbox. */
#include <errno.h>
#include <unistd.h>

#include "offload/inbox.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "stack/valgrind.h"

/* Posts taken in a row, before those that run already get their turn. */
#define BATCH 256

/* When there is no memory for a post's thread, or to watch the eventfd, how long until it is tried
 * again. */
#define RETRY (10 * VERD_MS)

/* The depth at which nobody else ends the receiver's waits. */
#define SHIELD 1

static const struct verd__wait_kind idle_kind = {.name = "someone to use the inbox"};

static bool is_expecting(struct verd_hub *inbox)
{
    return inbox->callers > 0 || atomic_load(&inbox->handles) > 0;
}

/* Delivers what has been sent, in the order in which it was. */
static void deliver_messages(struct verd_hub *inbox)
{
    struct verd__message *newest = atomic_exchange(&inbox->messages, NULL);
    struct verd__message *oldest = NULL;
    while (newest != NULL) {
        verd__helgrind_after(newest);
        struct verd__message *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    while (oldest != NULL) {
        struct verd__message *after = oldest->next;
        oldest->arrive(oldest);
        oldest = after;
    }
}

/* Starts a thread for the first post in the line; false: the line is empty, or its first producer is
 * still filling the slot and will wake the receiver. */
static bool take_post(struct verd_hub *inbox)
{
    struct verd__post *post = &inbox->posts[inbox->head % VERD_POSTS_MAX];
    size_t turn = inbox->head / VERD_POSTS_MAX * 2;
    if (atomic_load_explicit(&post->turn, memory_order_acquire) != turn + 1)
        return false;
    verd__helgrind_after(post);
    while (verd_spawn_n(post->fn, post->arg) != 0)
        verd_sleep(RETRY);
    verd__helgrind_before(post);
    atomic_store_explicit(&post->turn, turn + 2, memory_order_release);
    inbox->head++;
    return true;
}

/* However many posts come, neither the threads that run nor the messages wait for their end. */
static void deliver(struct verd_hub *inbox)
{
    deliver_messages(inbox);
    for (unsigned taken = 1; take_post(inbox); taken++) {
        if (taken % BATCH != 0)
            continue;
        verd__give_way(inbox->scheduler);
        deliver_messages(inbox);
    }
}

/* Waits for the eventfd. Returns whether it could be watched: not without memory; nor if someone has closed it
 * and its number is a disk file's, which is always ready, and no event tells so. */
static bool await_wake(struct verd_hub *inbox, struct verd__fd *record)
{
    struct verd__loop *loop = verd__loop(inbox->scheduler);
    if (verd__loop_wait(loop, inbox->fd, record, VERD__INPUT, true) != 0)
        return errno == ECANCELED;
    return verd__fd_may_have_input(record);
}

/* Waits for the next wake-up, or for the first reason to wait for one. Without a way to watch the
 * eventfd the inbox is looked at from time to time. */
static void await(struct verd_hub *inbox, struct verd__fd *record)
{
    struct verd__scheduler *scheduler = inbox->scheduler;
    bool expecting = is_expecting(inbox);
    if (!expecting && !inbox->listens) {
        verd__wait(scheduler, verd__own_wait(scheduler), &idle_kind);
        return;
    }
    scheduler->background = !expecting;
    bool is_watched = await_wake(inbox, record);
    scheduler->background = 0;
    if (!is_watched)
        verd_sleep(RETRY);
}

/* An event may come while the receiver does not wait for it; the record remembers it (hub.h). */
static void *receive(void *arg)
{
    struct verd_hub *inbox = arg;
    struct verd__fd *record = verd__loop_fd(verd__loop(inbox->scheduler), inbox->fd); /* adopted */
    verd_shield_begin(); /* whoever kills it by its number, would kill the inbox */
    for (;;) {
        uint64_t count;
        if (verd__fd_may_have_input(record)) {
            (void)!read(inbox->fd, &count, sizeof count);
            verd__fd_emptied(record);
        }
        atomic_exchange(&inbox->signalled, false);
        deliver(inbox);
        if (!verd__fd_may_have_input(record))
            await(inbox, record);
    }
    return NULL;
}

int verd__receiver_start(struct verd_hub *inbox)
{
    inbox->receiver = verd__spawn_named("inbox", receive, inbox, NULL);
    return inbox->receiver != NULL ? 0 : -1; /* it ends with the OS thread, or with a fork */
}

void verd__receiver_review(struct verd_hub *inbox)
{
    const struct verd__thread *receiver = inbox->receiver;
    bool idles = receiver->state == VERD__STARTED &&
                 (verd__area(receiver)->wait.kind == &idle_kind || inbox->scheduler->background);
    if (idles == is_expecting(inbox))
        verd__wait_abort(inbox->receiver, ECANCELED, SHIELD);
}

void verd__inbox_expect(struct verd_hub *inbox)
{
    if (inbox->callers++ == 0)
        verd__receiver_review(inbox);
}

void verd__inbox_expect_no_more(struct verd_hub *inbox)
{
    if (--inbox->callers == 0)
        verd__receiver_review(inbox);
}

void verd__inbox_listen(struct verd_hub *inbox, bool listens)
{
    inbox->listens = listens;
    verd__wait_abort(inbox->receiver, ECANCELED, SHIELD);
}
