/* SPDX-License-Identifier: MIT */
#include "pool/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "sched/duty.h"
#include "sched/thread.h"

/* A wait for the pool, in one of its three lists. */
struct waiter {
    struct verd__wait wait; /* first: `cancel` gets it */
    struct verd_pool *pool;
};

static bool is_idle(const struct verd_pool *pool)
{
    return pool->running == 0 && pool->waiting == 0 && pool->feeding == 0;
}

/* After any of the three counts went down. The pool may be gone afterwards. */
static void settle(struct verd_pool *pool)
{
    if (!is_idle(pool))
        return;
    struct verd__wait *wait;
    while ((wait = verd__waiters_pop(&pool->idlers)) != NULL)
        verd__wake(wait);
    if (pool->abandoned)
        free(pool);
}

/* A member has ended, or was killed before it started. */
static void member_ended(struct verd__owner *owner, struct verd_thread *thread)
{
    (void)thread;
    verd__pool_release((struct verd_pool *)owner);
}

_Static_assert(offsetof(struct verd_pool, owner) == 0, "member_ended relies on it");

verd_pool *verd_pool_new(size_t size)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (size > SSIZE_MAX) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->owner.ended = member_ended;
    pool->scheduler = scheduler;
    pool->size = size;
    return pool;
}

int verd__pool_check(const struct verd_pool *pool)
{
    if (__builtin_expect(pool != NULL && pool->scheduler == verd__current, 1))
        return 0;
    errno = pool == NULL ? EINVAL : EPERM;
    return -1;
}

int verd_pool_free(verd_pool *pool)
{
    if (pool == NULL)
        return 0;
    if (verd__pool_check(pool) != 0)
        return -1;
    if (!is_idle(pool) || pool->users != 0) { /* somebody in wait_all: then it is not idle */
        errno = EBUSY;
        return -1;
    }
    free(pool);
    return 0;
}

void verd__pool_abandon(struct verd_pool *pool)
{
    pool->abandoned = true;
    settle(pool);
}

/* ---- slots ---- */

static void cancel_spawner(struct verd__wait *wait)
{
    struct verd_pool *pool = ((struct waiter *)wait)->pool;
    verd__waiters_remove(&pool->spawners, wait);
    pool->waiting--;
    settle(pool); /* who waits for all, waited for this one too */
}

static const struct verd__wait_kind spawner_kind = {"a slot of a pool", cancel_spawner};

/* In line for a slot, or with one that it was handed and has not begun to use. */
struct spawner {
    struct waiter waiter; /* first */
    struct verd__duty duty;
    bool handed;
};

static void settle_spawner(struct verd__duty *duty)
{
    struct spawner *spawner =
        (struct spawner *)(void *)((char *)duty - offsetof(struct spawner, duty));
    if (spawner->handed)
        verd__pool_release(spawner->waiter.pool);
}

static int wait_for_slot(struct verd__scheduler *scheduler, struct verd_pool *pool)
{
    struct spawner spawner = {.waiter = {.wait.kind = &spawner_kind, .pool = pool},
                              .duty.settle = settle_spawner};
    verd__waiters_append(&pool->spawners, &spawner.waiter.wait);
    pool->waiting++;
    verd__duty_begin(scheduler, &spawner.duty);
    int result = verd__wait(scheduler, &spawner.waiter.wait);
    verd__duty_end(scheduler, &spawner.duty);
    return result;
}

bool verd__pool_is_member(const struct verd__scheduler *scheduler, const struct verd_pool *pool)
{
    return verd__room(scheduler->running)->member == &pool->owner;
}

int verd__pool_take(struct verd__scheduler *scheduler, struct verd_pool *pool)
{
    if (__builtin_expect(pool->running < pool->size, 1)) {
        pool->running++;
        return 1;
    }
    if (verd__pool_is_member(scheduler, pool))
        return 0;
    return wait_for_slot(scheduler, pool) == 0 ? 1 : -1;
}

/* Gives the first in line, if there is one, a slot that is counted already. */
static bool hand_on(struct verd_pool *pool)
{
    struct verd__wait *wait = verd__waiters_pop(&pool->spawners);
    if (wait == NULL)
        return false;
    pool->waiting--;
    ((struct spawner *)wait)->handed = true;
    verd__wake(wait);
    return true;
}

void verd__pool_release(struct verd_pool *pool)
{
    /* A slot above the size, after a shrink, is not handed on. */
    if (pool->running <= pool->size && hand_on(pool))
        return;
    pool->running--;
    settle(pool);
}

struct verd_thread *verd__pool_start(struct verd__scheduler *scheduler, struct verd_pool *pool,
                                     union verd__start start, void *arg, unsigned flags)
{
    struct verd_thread *thread = verd__thread_new(scheduler, start, arg, flags);
    if (thread == NULL) {
        verd__pool_release(pool);
        errno = ENOMEM;
        return NULL;
    }
    thread->owner = &pool->owner;
    verd__thread_start(scheduler, thread);
    return thread;
}

/* ---- spawning ---- */

/* The head of both spawns: as verd__pool_take, with the caller and the arguments checked. */
static inline int begin_spawn(struct verd_pool *pool, bool has_function)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL || verd__pool_check(pool) != 0)
        return -1;
    if (!has_function) {
        errno = EINVAL;
        return -1;
    }
    return verd__pool_take(scheduler, pool);
}

/* The handle is there before the function runs: it cannot be had too late. */
static struct verd_thread *run_in_place(void *(*fn)(void *), void *arg)
{
    struct verd_thread *thread = verd__thread_ended(verd__current, NULL);
    if (thread != NULL)
        thread->result = fn(arg);
    return thread;
}

verd_thread *verd_pool_spawn(verd_pool *pool, void *(*fn)(void *), void *arg)
{
    int slot = begin_spawn(pool, fn != NULL);
    if (slot < 0)
        return NULL;
    if (slot == 0)
        return run_in_place(fn, arg);
    union verd__start start = {.call = fn};
    return verd__pool_start(verd__current, pool, start, arg, VERD__HANDLE | VERD__RESULT);
}

int verd_pool_spawn_n(verd_pool *pool, void (*fn)(void *), void *arg)
{
    int slot = begin_spawn(pool, fn != NULL);
    if (slot < 0)
        return -1;
    if (slot == 0) {
        fn(arg);
        return 0;
    }
    union verd__start start = {.run = fn};
    return verd__pool_start(verd__current, pool, start, arg, 0) != NULL ? 0 : -1;
}

/* ---- the whole of it ---- */

static void cancel_idler(struct verd__wait *wait)
{
    verd__waiters_remove(&((struct waiter *)wait)->pool->idlers, wait);
}

static const struct verd__wait_kind idler_kind = {"all threads of a pool", cancel_idler};

int verd_pool_wait_all(verd_pool *pool)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL || verd__pool_check(pool) != 0)
        return -1;
    const struct verd__owner *member = verd__room(scheduler->running)->member;
    if (member == &pool->owner || member == &pool->feeder) {
        errno = EDEADLK;
        return -1;
    }
    if (is_idle(pool))
        return 0;
    struct waiter idler = {.wait.kind = &idler_kind, .pool = pool};
    verd__waiters_append(&pool->idlers, &idler.wait);
    return verd__wait(scheduler, &idler.wait);
}

/* The first in the list of waiting feeders counts again, and goes on. */
static void wake_feeder(struct verd_pool *pool, struct verd__wait *wait)
{
    verd__waiters_remove(&pool->feeders, wait);
    pool->feeding++;
    verd__wake(wait);
}

int verd_pool_resize(verd_pool *pool, size_t size)
{
    if (verd__pool_check(pool) != 0)
        return -1;
    if (size > SSIZE_MAX) {
        errno = EINVAL;
        return -1;
    }
    pool->size = size;
    while (pool->running < size && hand_on(pool))
        pool->running++;
    while (pool->feeders.first != NULL)
        wake_feeder(pool, pool->feeders.first);
    return 0;
}

size_t verd_pool_size(const verd_pool *pool)
{
    return pool != NULL ? pool->size : 0;
}

size_t verd_pool_running(const verd_pool *pool)
{
    return pool != NULL ? pool->running : 0;
}

size_t verd_pool_waiting(const verd_pool *pool)
{
    return pool != NULL ? pool->waiting : 0;
}

ssize_t verd_pool_available(const verd_pool *pool)
{
    return pool != NULL ? (ssize_t)pool->size - (ssize_t)pool->running : 0;
}

/* ---- feeding, for imaps ---- */

void verd__pool_feed_begin(struct verd_pool *pool)
{
    pool->feeding++;
}

void verd__pool_feed_end(struct verd_pool *pool)
{
    pool->feeding--;
    settle(pool);
}

/* The feeder goes on, if only to its end, and counts until then. */
static void cancel_feeder(struct verd__wait *wait)
{
    struct verd_pool *pool = ((struct waiter *)wait)->pool;
    verd__waiters_remove(&pool->feeders, wait);
    pool->feeding++;
}

static const struct verd__wait_kind feeder_kind = {"the consumer of an imap", cancel_feeder};

int verd__pool_feed_wait(struct verd__scheduler *scheduler, struct verd_pool *pool)
{
    struct waiter feeder = {.wait.kind = &feeder_kind, .pool = pool};
    verd__waiters_append(&pool->feeders, &feeder.wait);
    verd__pool_feed_end(pool);
    return verd__wait(scheduler, &feeder.wait);
}

void verd__pool_feed_wake(struct verd_pool *pool, const struct verd_thread *thread)
{
    struct verd__wait *wait = thread->state == VERD__STARTED ? thread->wait : NULL;
    if (wait != NULL && wait->kind == &feeder_kind)
        wake_feeder(pool, wait);
}
