/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "sched/shuffle.h"
#include "sync/home.h"
#include "sync/queue.h"

#define ON_STACK 16 /* cases that need no allocation */

/* A call that waits: an entry for each of its cases. The wait's object. */
struct select {
    struct verd__entry *entries;
    size_t count;
};

static void leave_queues(struct verd__wait *wait, int error)
{
    const struct select *select = wait->object;
    (void)error;
    for (size_t i = 0; i < select->count; i++)
        verd__entry_leave(&select->entries[i]);
}

static const struct verd__wait_kind select_kind = {
    .name = "one of several queues", .has_more = true, .ended = leave_queues};

/* 0, EINVAL or EPERM. */
static int check(const verd_case *one, const struct verd__scheduler *scheduler)
{
    bool valid = one->kind == VERD_CASE_PUT || one->kind == VERD_CASE_DEFAULT ||
                 (one->kind == VERD_CASE_GET && one->result != NULL);
    if (!valid)
        return EINVAL;
    if (one->kind == VERD_CASE_DEFAULT || one->queue == NULL)
        return 0;
    return one->queue->home == scheduler->number ? 0 : EPERM;
}

/* Finds the default, and mistakes. Returns its index, n if there is none, or -1 with errno. */
static int examine(const struct verd__scheduler *scheduler, const verd_case *cases, size_t n)
{
    size_t fallback = n;
    if (cases == NULL || n == 0 || n > INT_MAX)
        return verd__invalid();
    for (size_t i = 0; i < n; i++) {
        int error = check(&cases[i], scheduler);
        if (error == 0 && cases[i].kind == VERD_CASE_DEFAULT) {
            if (fallback != n)
                error = EINVAL;
            fallback = i;
        }
        if (error != 0)
            return verd__errno(error);
    }
    return (int)fallback;
}

static bool is_possible(const verd_case *one)
{
    if (one->queue == NULL || one->kind == VERD_CASE_DEFAULT)
        return false;
    return one->kind == VERD_CASE_PUT ? verd__queue_can_put(one->queue)
                                      : verd__queue_can_get(one->queue);
}

/* One of the possible cases, each as likely as the others; n: there is none. The k-th that is found takes the
 * place of the one before with a chance of one in k (Vitter's reservoir, 1985, of one). */
static size_t choose(struct verd__scheduler *scheduler, const verd_case *cases, size_t n)
{
    size_t chosen = n;
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_possible(&cases[i]) && (++found == 1 || verd__draw(scheduler) % found == 0))
            chosen = i;
    }
    return chosen;
}

/* Does a possible case. Returns its index; -1 with errno ENOMEM. */
static int take(verd_case *cases, size_t i)
{
    verd_case *one = &cases[i];
    int error = one->kind == VERD_CASE_GET ? verd__queue_get_now(one->queue, one->result)
                                           : verd__queue_put_now(one->queue, one->item);
    if (error == ENOMEM)
        return verd__errno(error);
    one->error = error;
    return (int)i;
}

static void join_queues(struct select *select, struct verd__wait *wait, const verd_case *cases)
{
    for (size_t i = 0; i < select->count; i++) {
        struct verd__entry *entry = &select->entries[i];
        bool gets = cases[i].kind == VERD_CASE_GET;
        verd_queue *queue = cases[i].queue;
        entry->wait = wait;
        entry->queue = NULL;
        entry->value = gets ? (void *)cases[i].result : cases[i].item;
        if (queue != NULL)
            verd__entry_join(entry, gets ? &queue->getters : &queue->putters);
    }
}

static int wait_for_one(struct verd__scheduler *scheduler, struct select *select, verd_case *cases)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    wait->object = select;
    wait->taken = NULL;
    join_queues(select, wait, cases);
    int result = verd__wait(scheduler, wait, &select_kind);
    if (wait->taken == NULL || (result != 0 && errno == ENOMEM))
        return -1; /* killed, out of time; or there was room for what is put, but no memory */
    size_t taken = (size_t)(wait->taken - select->entries);
    cases[taken].error = result == 0 ? 0 : errno; /* closed */
    return (int)taken;
}

/* Waits with entries in memory that it frees. */
static int wait_with_many(struct verd__scheduler *scheduler, verd_case *cases, size_t n)
{
    struct select select = {.entries = malloc(n * sizeof *select.entries), .count = n};
    if (select.entries == NULL)
        return verd__refuse(ENOMEM);
    int taken = wait_for_one(scheduler, &select, cases);
    int error = errno;
    free(select.entries);
    errno = error;
    return taken;
}

int verd_select(verd_case *cases, size_t n)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    int fallback = examine(scheduler, cases, n);
    if (fallback < 0)
        return verd__refuse(0);
    size_t chosen = choose(scheduler, cases, n);
    if (chosen != n)
        return verd__done(scheduler, take(cases, chosen));
    if (fallback != (int)n) {
        cases[fallback].error = 0;
        return verd__done(scheduler, fallback);
    }
    if (n > ON_STACK)
        return wait_with_many(scheduler, cases, n);
    struct verd__entry entries[ON_STACK];
    struct select select = {.entries = entries, .count = n};
    return wait_for_one(scheduler, &select, cases);
}
