/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "sync/home.h"
#include "sync/queue.h"

#define ON_STACK 16 /* cases that need no allocation */

struct verd__select {
    struct verd__wait wait; /* first */
    struct verd__select_case *cases;
    size_t count;
    size_t taken; /* the case that ended the wait; count: none */
};

const struct verd__wait_kind verd__select_case_kind = {"a case of a select", verd__leave_line};

/* All cases but `taken`, which is out already, leave their lines. */
static void leave_lines(struct verd__select *select, const struct verd__select_case *taken)
{
    for (size_t i = 0; i < select->count; i++) {
        struct verd__select_case *one = &select->cases[i];
        if (one != taken && one->wait.line != NULL)
            verd__leave_line(&one->wait);
    }
}

static void cancel(struct verd__wait *wait)
{
    leave_lines((struct verd__select *)wait, NULL);
}

static const struct verd__wait_kind select_kind = {"one of several queues", cancel};

struct verd__wait *verd__select_claim(struct verd__select_case *taken)
{
    struct verd__select *select = taken->select;
    select->taken = (size_t)(taken - select->cases);
    leave_lines(select, taken);
    return &select->wait;
}

/* Finds the default, and mistakes. Returns its index, n if there is none, or -1 with errno. */
static int examine(const verd_case *cases, size_t n)
{
    size_t fallback = n;
    if (cases == NULL || n == 0 || n > INT_MAX)
        return verd__invalid();
    for (size_t i = 0; i < n; i++) {
        if (cases[i].queue == NULL) {
            if (fallback != n)
                return verd__invalid();
            fallback = i;
        } else if (cases[i].queue->scheduler != verd__current) {
            errno = EPERM;
            return -1;
        }
    }
    return (int)fallback;
}

/* An even choice of where to begin: a linear congruential generator (Knuth's MMIX constants). */
static size_t begin_at(size_t n)
{
    static _Thread_local uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((state >> 33) % n);
}

/* Does the first possible case, from a chosen one on. Returns its index; n: none; -1 with errno. */
static int take_possible(verd_case *cases, size_t n)
{
    size_t begin = begin_at(n);
    for (size_t k = 0; k < n; k++) {
        size_t i = begin + k < n ? begin + k : begin + k - n;
        verd_case *one = &cases[i];
        if (one->queue == NULL)
            continue;
        int error = one->result != NULL ? verd__queue_get_now(one->queue, one->result)
                                        : verd__queue_put_now(one->queue, one->item);
        if (error == EAGAIN)
            continue;
        if (error == ENOMEM) {
            errno = error;
            return -1;
        }
        one->error = error;
        return (int)i;
    }
    return (int)n;
}

static void stand_in_lines(struct verd__select *select, const verd_case *cases)
{
    for (size_t i = 0; i < select->count; i++) {
        struct verd__select_case *one = &select->cases[i];
        verd_queue *queue = cases[i].queue;
        *one = (struct verd__select_case){.wait.kind = &verd__select_case_kind, .select = select};
        one->wait.value = cases[i].item;
        one->wait.line = cases[i].result != NULL ? &queue->getters : &queue->putters;
        verd__waiters_append(one->wait.line, &one->wait);
    }
}

static int wait_for_one(struct verd__scheduler *scheduler, struct verd__select *select,
                        verd_case *cases)
{
    stand_in_lines(select, cases);
    int result = verd__wait(scheduler, &select->wait);
    if (select->taken == select->count)
        return -1; /* killed or out of time */
    if (result != 0 && errno == ENOMEM)
        return -1; /* there was room for what is put, but no memory */
    verd_case *taken = &cases[select->taken];
    taken->error = result == 0 ? 0 : errno; /* closed */
    if (result == 0 && taken->result != NULL)
        *taken->result = select->wait.value;
    return (int)select->taken;
}

int verd_select(verd_case *cases, size_t n)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__finish(-1);
    int fallback = examine(cases, n);
    if (fallback < 0)
        return verd__finish(-1);
    int taken = take_possible(cases, n);
    if (taken != (int)n)
        return verd__finish(taken);
    if (fallback != (int)n) {
        cases[fallback].error = 0;
        return verd__finish(fallback);
    }
    struct verd__select_case on_stack[ON_STACK];
    struct verd__select select = {
        .wait.kind = &select_kind, .cases = on_stack, .count = n, .taken = n};
    if (n > ON_STACK)
        select.cases = malloc(n * sizeof *select.cases);
    if (select.cases == NULL)
        return verd__finish(-1);
    taken = wait_for_one(scheduler, &select, cases);
    if (select.cases != on_stack) {
        int error = errno;
        free(select.cases);
        errno = error;
    }
    return taken;
}
