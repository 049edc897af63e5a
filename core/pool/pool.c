/* SPDX-License-Identifier: MIT */
#include "pool/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "pool/loan.h"
#include "sched/name.h"

static bool is_idle(const struct verd_pool *pool)
{
    return pool->running == 0 && pool->waiting == 0 && pool->feeding == 0;
}

static void discard(struct verd_pool *pool)
{
    verd__list_remove(&verd__current->pools, &pool->kin);
    free(pool);
}

/* Whether there is anything that a kill waits for: not the spawners in line, who wait for it. */
static bool is_empty(const struct verd_pool *pool)
{
    return pool->running == 0 && pool->feeding == 0;
}

/* After any of the three counts went down. The pool may be gone afterwards. */
static void settle(struct verd_pool *pool)
{
    if (is_empty(pool))
        verd__queue_end(&pool->killers, 0); /* who is in line goes on */
    if (!is_idle(pool))
        return;
    verd__queue_end(&pool->idlers, 0);
    if (pool->abandoned)
        discard(pool);
}

/* A member has ended, or was killed before it started. */
static void member_ended(struct verd__owner *owner, struct verd__thread *thread)
{
    (void)thread;
    verd__pool_release((struct verd_pool *)owner);
}

_Static_assert(offsetof(struct verd_pool, owner) == 0, "member_ended relies on it");

/* Its imap looks to that. */
static void imap_ended(struct verd__owner *owner, struct verd__thread *thread)
{
    (void)owner, (void)thread;
}

verd_pool *verd_pool_new_with(size_t size, const verd_attr *attr)
{
    static const verd_attr defaults = VERD_ATTR_INIT;
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (attr == NULL)
        attr = &defaults;
    if (size > SSIZE_MAX || !verd__stack_size_is_valid(attr->stack_size)) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->owner.ended = member_ended;
    pool->imaps.ended = imap_ended;
    pool->home = scheduler->number;
    pool->size = size;
    pool->stack_size = attr->stack_size;
    verd__name_copy(pool->name, attr->name);
    pool->owner.name = pool->name;
    pool->imaps.name = "imap";
    verd__list_append(&scheduler->pools, &pool->kin);
    return pool;
}

verd_pool *verd_pool_new(size_t size)
{
    return verd_pool_new_with(size, NULL);
}

int verd__pool_check(const struct verd_pool *pool)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (__builtin_expect(pool != NULL && scheduler != NULL && pool->home == scheduler->number, 1))
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
    discard(pool);
    return 0;
}

void verd__pool_abandon(struct verd_pool *pool)
{
    pool->abandoned = true;
    settle(pool);
}

/* ---- slots ---- */

static void release_slot(struct verd__obligation *obligation)
{
    verd__pool_release(VERD__CONTAINER_OF(obligation, struct verd__slot, obligation)->pool);
}

/* The slot is the waiter's from the moment that it is handed over, if it has had its turn by then or not. Who
 * waits for all has waited for one that gives up, too. */
static void stop_spawning(struct verd__wait *wait, int error)
{
    struct verd__slot *slot = wait->entry.value;
    slot->pool->waiting--;
    if (error == 0)
        verd__list_prepend(&verd__area(wait->thread)->obligations, &slot->obligation.link);
    else
        settle(slot->pool);
}

static const struct verd__wait_kind spawner_kind = {.name = "a slot of a pool",
                                                    .has_more = true,
                                                    .ended = stop_spawning,
                                                    .is_object = true,
                                                    .queue_offset =
                                                        offsetof(struct verd_pool, spawners)};

bool verd__pool_is_member(const struct verd__scheduler *scheduler, const struct verd_pool *pool)
{
    const struct verd__thread *self = scheduler->running;
    const struct verd__area *area = verd__area(self);
    return area->member == &pool->owner &&
           (self->owner == &pool->owner || verd__loan_is_good(area->loan));
}

int verd__pool_take(struct verd__scheduler *scheduler, struct verd_pool *pool,
                    struct verd__slot *slot)
{
    *slot = (struct verd__slot){.obligation.settle = release_slot, .pool = pool};
    bool is_held =
        __builtin_expect(pool->killers.first != NULL, 0) && !verd__pool_is_member(scheduler, pool);
    if (__builtin_expect(pool->running < pool->size && !is_held, 1)) {
        pool->running++;
        verd__obligation_begin(scheduler, &slot->obligation, release_slot);
        return 1;
    }
    if (verd__pool_is_member(scheduler, pool))
        return 0;
    pool->waiting++;
    return verd__wait_in_queue(scheduler, &spawner_kind, &pool->spawners, slot) == 0 ? 1 : -1;
}

/* Gives the first in line, if there is one, a slot that is counted already. */
static bool hand_on(struct verd_pool *pool)
{
    struct verd__entry *first = verd__first_entry(&pool->spawners);
    if (first == NULL)
        return false;
    verd__wake(first->wait);
    return true;
}

void verd__pool_release(struct verd_pool *pool)
{
    /* A slot above the size, after a shrink, is not handed on. */
    if (pool->running <= pool->size && pool->killers.first == NULL && hand_on(pool))
        return;
    pool->running--;
    settle(pool);
}

/* Hands slots that are free to those in line. */
static void fill(struct verd_pool *pool)
{
    while (pool->running < pool->size && pool->killers.first == NULL && hand_on(pool))
        pool->running++;
}

struct verd__thread *verd__pool_start(struct verd__scheduler *scheduler, struct verd__slot *slot,
                                      union verd__start start, void *arg, unsigned flags,
                                      const void *site)
{
    struct verd__thread *thread = verd__thread_new(scheduler, start, arg, flags, site);
    size_t stack_size = slot->pool->stack_size;
    if (__builtin_expect(stack_size != 0, 0) && thread != NULL &&
        verd__thread_bind(scheduler, thread, stack_size) != 0) {
        verd__slab_give(scheduler, thread);
        thread = NULL;
    }
    if (thread == NULL) {
        verd__obligation_settle(scheduler, &slot->obligation);
        errno = ENOMEM;
        return NULL;
    }
    verd__obligation_end(scheduler, &slot->obligation);
    verd__pool_begin(scheduler, slot->pool, &slot->pool->owner, thread);
    return thread;
}

/* ---- spawning ---- */

/* The head of both spawns: as verd__pool_take, with the caller and the arguments checked. */
static inline int begin_spawn(struct verd__scheduler *scheduler, struct verd_pool *pool,
                              bool has_function, struct verd__slot *slot)
{
    if (scheduler == NULL || verd__pool_check(pool) != 0)
        return -1;
    if (!has_function) {
        errno = EINVAL;
        return -1;
    }
    return verd__pool_take(scheduler, pool, slot);
}

/* The handle is there before the function runs: it cannot be had too late. */
static struct verd__thread *run_in_place(void *(*fn)(void *), void *arg)
{
    struct verd__thread *thread = verd__thread_ended(verd__current, NULL);
    if (thread != NULL)
        thread->result = fn(arg);
    return thread;
}

__attribute__((noinline)) verd_thread *verd_pool_spawn(verd_pool *pool, void *(*fn)(void *),
                                                       void *arg)
{
    struct verd__slot slot;
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__thread *thread = NULL;
    int taken = begin_spawn(scheduler, pool, fn != NULL, &slot);
    if (taken == 0)
        thread = run_in_place(fn, arg);
    else if (taken > 0)
        thread = verd__pool_start(scheduler, &slot, (union verd__start){.call = fn}, arg,
                                  VERD__HANDLE | VERD__RESULT, __builtin_return_address(0));
    verd_thread *handle = thread != NULL ? verd__handle(thread) : NULL;
    verd__spend();
    return handle;
}

__attribute__((noinline)) int verd_pool_spawn_n(verd_pool *pool, void (*fn)(void *), void *arg)
{
    struct verd__slot slot;
    struct verd__scheduler *scheduler = verd__begin();
    int taken = begin_spawn(scheduler, pool, fn != NULL, &slot);
    if (taken < 0)
        return verd__refuse(0);
    if (taken == 0)
        fn(arg);
    else if (verd__pool_start(scheduler, &slot, (union verd__start){.run = fn}, arg, 0,
                              __builtin_return_address(0)) == NULL)
        return verd__refuse(0);
    return verd__done(scheduler, 0);
}

/* ---- making room ---- */

void verd__pool_spare(struct verd_pool *pool, struct verd__expendable *member)
{
    member->listed = true;
    member->asked = false;
    verd__list_append(&pool->expendable, &member->link);
}

void verd__pool_need(struct verd_pool *pool, struct verd__expendable *member)
{
    if (member->listed)
        verd__list_remove(&pool->expendable, &member->link);
    member->listed = false;
}

bool verd__pool_make_room(struct verd_pool *pool, const void *owner)
{
    for (struct verd__link *link = pool->expendable.first; link != NULL; link = link->next) {
        struct verd__expendable *member = VERD__CONTAINER_OF(link, struct verd__expendable, link);
        if (owner != NULL && member->owner != owner)
            continue;
        verd__pool_need(pool, member);
        member->asked = true;
        member->end(member);
        return true;
    }
    return false;
}

/* ---- the whole of it ---- */

static const struct verd__wait_kind idler_kind = {.name = "all threads of a pool",
                                                  .is_object = true,
                                                  .queue_offset =
                                                      offsetof(struct verd_pool, idlers)};

/* The head of the calls that wait for all: NULL with errno, if the caller cannot. */
static struct verd__scheduler *begin_wait(const verd_pool *pool)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || verd__pool_check(pool) != 0)
        return NULL;
    if (verd__area(scheduler->running)->member != &pool->owner)
        return scheduler;
    errno = EDEADLK;
    return NULL;
}

int verd_pool_wait_all(verd_pool *pool)
{
    struct verd__scheduler *scheduler = begin_wait(pool);
    if (scheduler == NULL)
        return verd__refuse(0);
    if (is_idle(pool))
        return verd__done(scheduler, 0);
    return verd__wait_in_queue(scheduler, &idler_kind, &pool->idlers, NULL);
}

/* The last to wait for a kill lets those in line go on. */
static void stop_killing(struct verd__wait *wait, int error)
{
    (void)error;
    fill(wait->entry.value);
}

static const struct verd__wait_kind killer_kind = {.name = "the killed threads of a pool",
                                                   .is_object = true,
                                                   .queue_offset =
                                                       offsetof(struct verd_pool, killers),
                                                   .has_more = true,
                                                   .ended = stop_killing};

int verd_pool_kill(verd_pool *pool)
{
    struct verd__scheduler *scheduler = begin_wait(pool);
    if (scheduler == NULL)
        return verd__refuse(0);
    verd__threads_stop(scheduler, &pool->owner);
    verd__threads_stop(scheduler, &pool->imaps);
    if (is_empty(pool))
        return verd__done(scheduler, 0);
    return verd__wait_in_queue(scheduler, &killer_kind, &pool->killers, pool);
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
    fill(pool);
    verd__queue_end(&pool->feeders, 0);
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
static void feed_again(struct verd__wait *wait, int error)
{
    struct verd_pool *pool = wait->object;
    (void)error;
    pool->feeding++;
}

static const struct verd__wait_kind feeder_kind = {
    .name = "the consumer of an imap", .has_more = true, .ended = feed_again};

int verd__pool_feed_wait(struct verd__scheduler *scheduler, struct verd_pool *pool)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    wait->object = pool;
    verd__entry_join(&wait->entry, &pool->feeders);
    verd__pool_feed_end(pool);
    return verd__wait(scheduler, wait, &feeder_kind);
}

void verd__pool_feed_wake(const struct verd__thread *thread)
{
    struct verd__wait *wait = thread->state == VERD__STARTED ? &verd__area(thread)->wait : NULL;
    if (wait != NULL && wait->kind == &feeder_kind)
        verd__wake(wait);
}
