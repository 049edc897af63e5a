/* SPDX-License-Identifier: MIT */
/*
 * A resource pool. A resource, or the right to create one, is one of at most `max` that exist; it is
 *
 *     idle        in `idle`, last in first out
 *     handed out  in the ledger
 *     held        by a call that creates, validates or destroys it
 *
 * The callbacks may block, so before each one the books are in order: what the call holds is counted
 * in `existing` and in no list, and others can come and go meanwhile.
 *
 * Invariants: somebody is in the queue only while none is idle and existing >= max. What becomes free goes
 * to the first in the queue directly: a resource, or the right (a NULL) to create one.
 */
#include <verd/resource.h>

#include <errno.h>
#include <stdlib.h>

#include "pool/ledger.h"
#include "sched/obligation.h"
#include "sched/wait.h"

struct verd_resource_pool {
    uint64_t home; /* the number of its maker's scheduler */
    verd_resource_options options;
    struct verd__ledger used;
    struct verd__list idle; /* the first was returned last */
    size_t idle_count;
    size_t existing;
    size_t waiting; /* length of `getters` */
    struct verd__list getters;
    bool closed; /* verd_resource_pool_free is at it */
};

/* What a call holds: a resource, or the right to create one. */
struct hold {
    struct verd__obligation obligation;
    struct verd_resource_pool *pool;
    struct verd__resource *resource; /* NULL: the right */
    struct verd__resource
        *own; /* in no list, or NULL: made, looked at or destroyed with the right */
};

static int check(const struct verd_resource_pool *pool)
{
    if (pool == NULL || pool->closed) {
        errno = EINVAL;
        return -1;
    }
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL || pool->home != scheduler->number) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

static bool are_valid(const verd_resource_options *options)
{
    return options != NULL && options->create != NULL && options->max > 0 &&
           options->min <= options->max && options->max_idle <= options->max &&
           (options->max_idle == 0 || options->max_idle >= options->min) && options->max_age >= 0;
}

verd_resource_pool *verd_resource_pool_new(const verd_resource_options *options)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return NULL;
    if (!are_valid(options)) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_resource_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    if (verd__ledger_init(&pool->used) != 0) {
        free(pool);
        errno = ENOMEM;
        return NULL;
    }
    pool->home = scheduler->number;
    pool->options = *options;
    return pool;
}

/* ---- the books ---- */

static void push_idle(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    verd__list_prepend(&pool->idle, &resource->idle);
    pool->idle_count++;
}

static struct verd__resource *take_idle(struct verd_resource_pool *pool, struct verd__link *link)
{
    if (link == NULL)
        return NULL;
    verd__list_remove(&pool->idle, link);
    pool->idle_count--;
    return VERD__CONTAINER_OF(link, struct verd__resource, idle);
}

/* Hands a resource, or NULL for the right to create one, to the first in the queue, if there is one. */
static bool hand_on(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    struct verd__entry *first = verd__first_entry(&pool->getters);
    if (first == NULL)
        return false;
    struct hold *hold = first->value;
    hold->resource = resource;
    verd__wake(first->wait);
    return true;
}

/* Rights that nobody holds go to those in line. */
static void hand_rights_on(struct verd_resource_pool *pool)
{
    while (pool->existing < pool->options.max && hand_on(pool, NULL))
        pool->existing++;
}

/* The holder of a right does not use it. */
static void give_right_up(struct verd_resource_pool *pool)
{
    pool->existing--;
    hand_rights_on(pool);
}

static bool is_old(const struct verd_resource_pool *pool, const struct verd__resource *resource)
{
    return pool->options.max_age != 0 && verd_now() - resource->born >= pool->options.max_age;
}

/* ---- what calls hold ---- */

/* A resource was handed over in the ledger, and its getter has not seen it. */
static void settle_hold(struct verd__obligation *obligation)
{
    struct hold *hold = VERD__CONTAINER_OF(obligation, struct hold, obligation);
    if (hold->resource != NULL) {
        push_idle(hold->pool, verd__ledger_take(&hold->pool->used, hold->resource->item));
        return;
    }
    free(hold->own);
    give_right_up(hold->pool);
}

/* The running thread holds a right from here on. */
static void hold_right(const struct verd__scheduler *scheduler, struct hold *hold,
                       struct verd_resource_pool *pool)
{
    *hold = (struct hold){.pool = pool};
    verd__obligation_begin(scheduler, &hold->obligation, settle_hold);
}

/* Ends the holder's own resource; the right stays. Neither kill nor timeout may cut the destruction short. */
static void destroy(struct hold *hold)
{
    const verd_resource_options *options = &hold->pool->options;
    int error = errno;
    if (options->destroy != NULL) {
        verd_shield_begin();
        options->destroy(options->ctx, hold->own->item);
        verd_shield_end();
    }
    free(hold->own);
    hold->own = NULL;
    errno = error;
}

/* Ends a resource that is in no list, and gives the right up that it had. */
static void retire(const struct verd__scheduler *scheduler, struct verd_resource_pool *pool,
                   struct verd__resource *resource)
{
    struct hold hold;
    hold_right(scheduler, &hold, pool);
    hold.own = resource;
    destroy(&hold);
    verd__obligation_settle(scheduler, &hold.obligation);
}

/* Makes a resource with a held right, which is given up on failure. NULL with create's errno. */
static struct verd__resource *create(const struct verd__scheduler *scheduler, struct hold *hold)
{
    const verd_resource_options *options = &hold->pool->options;
    struct verd__resource *resource = hold->own = calloc(1, sizeof *resource);
    errno = resource == NULL ? ENOMEM : 0;
    if (resource != NULL && options->create(options->ctx, &resource->item) == 0) {
        if (options->max_age != 0)
            resource->born = verd_now();
        verd__obligation_end(scheduler, &hold->obligation);
        return resource;
    }
    int error = errno != 0 ? errno : EIO;
    verd__obligation_settle(scheduler, &hold->obligation);
    errno = error;
    return NULL;
}

/* ---- getting ---- */

/* What is handed over is the getter's, if it has had its turn by then or not. */
static void stop_getting(struct verd__wait *wait, int error)
{
    struct hold *hold = wait->entry.value;
    hold->pool->waiting--;
    if (error == 0)
        verd__list_prepend(&verd__area(wait->thread)->obligations, &hold->obligation.link);
}

static const struct verd__wait_kind getter_kind = {
    .name = "a resource", .has_more = true, .ended = stop_getting};

static bool is_good(const struct verd_resource_pool *pool, const struct verd__resource *resource)
{
    const verd_resource_options *options = &pool->options;
    if (is_old(pool, resource))
        return false;
    return options->validate == NULL || options->validate(options->ctx, resource->item);
}

/*
 * Takes the idle resource returned last that is good, and destroys those on the way that are not. NULL: none
 * was idle; if one was destroyed, the caller holds the right of the last of them, or is interrupted.
 */
static struct verd__resource *get_idle(const struct verd__scheduler *scheduler, struct hold *hold,
                                       bool *holds)
{
    struct verd_resource_pool *pool = hold->pool;
    struct verd__resource *resource;
    while ((resource = take_idle(pool, pool->idle.first)) != NULL) {
        if (*holds)
            give_right_up(pool); /* the one just taken has its own */
        else
            hold_right(scheduler, hold, pool);
        *holds = true;
        hold->own = resource;
        if (is_good(pool, resource)) {
            verd__obligation_end(scheduler, &hold->obligation);
            return resource;
        }
        /* Also if the validation failed because the caller was interrupted: who knows at which point
         * of a conversation the resource is. */
        destroy(hold);
        if (!verd__may_wait(scheduler))
            break;
    }
    return NULL;
}

/* Waits for a resource, or for the right to create one, which the caller holds then. */
static int await_resource(struct verd__scheduler *scheduler, struct hold *hold)
{
    struct verd_resource_pool *pool = hold->pool;
    hold->obligation.settle = settle_hold;
    pool->waiting++;
    return verd__wait_in_queue(scheduler, &getter_kind, &pool->getters, hold);
}

/* Finds, creates or waits for a resource. NULL with errno as verd_resource_pool_get. */
static struct verd__resource *get(struct verd__scheduler *scheduler,
                                  struct verd_resource_pool *pool)
{
    struct hold hold = {.pool = pool};
    bool holds = false;
    struct verd__resource *resource = get_idle(scheduler, &hold, &holds);
    if (resource == NULL && holds && !verd__may_wait(scheduler)) {
        int error = errno;
        verd__obligation_settle(scheduler, &hold.obligation);
        errno = error;
        return NULL;
    }
    if (resource == NULL && !holds) {
        if (pool->existing < pool->options.max) {
            pool->existing++;
            hold_right(scheduler, &hold, pool);
        } else if (await_resource(scheduler, &hold) != 0) {
            return NULL;
        }
    }
    if (hold.resource != NULL) { /* handed over, in the ledger */
        verd__obligation_end(scheduler, &hold.obligation);
        return hold.resource;
    }
    if (resource == NULL)
        resource = create(scheduler, &hold);
    if (resource != NULL)
        verd__ledger_add(&pool->used, resource);
    return resource;
}

int verd_resource_pool_get(verd_resource_pool *pool, void **item)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(pool) != 0)
        return verd__refuse(0);
    if (item == NULL)
        return verd__refuse(EINVAL);
    struct verd__resource *resource = get(scheduler, pool);
    if (resource == NULL)
        return verd__refuse(0);
    *item = resource->item;
    return verd__done(scheduler, 0);
}

/* ---- giving back ---- */

/* Whether to keep a resource that comes back, or that was just created ahead. */
static bool is_wanted(const struct verd_resource_pool *pool, const struct verd__resource *resource)
{
    const verd_resource_options *options = &pool->options;
    size_t max_idle = options->max_idle != 0 ? options->max_idle : options->max;
    if (pool->existing > options->max)
        return false;
    if (pool->idle_count >= max_idle)
        return false;
    /* An old one is not handed on; and it stays only where too few would be left without it. */
    return !is_old(pool, resource) || (pool->waiting == 0 && pool->existing <= options->min);
}

/* Takes an item out of the ledger, held. NULL with errno. */
static struct verd__resource *take_back(struct verd_resource_pool *pool, const void *item)
{
    if (check(pool) != 0)
        return NULL;
    struct verd__resource *resource = verd__ledger_take(&pool->used, item);
    if (resource == NULL)
        errno = EINVAL;
    return resource;
}

/* Lets go of a held resource. */
static void keep_or_destroy(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    if (!is_wanted(pool, resource)) {
        retire(verd__current, pool, resource);
    } else if (pool->waiting > 0) {
        verd__ledger_add(&pool->used, resource);
        hand_on(pool, resource);
    } else {
        push_idle(pool, resource);
    }
}

int verd_resource_pool_put(verd_resource_pool *pool, void *item)
{
    struct verd__resource *resource = take_back(pool, item);
    if (resource == NULL)
        return -1;
    keep_or_destroy(pool, resource);
    return 0;
}

int verd_resource_pool_discard(verd_resource_pool *pool, void *item)
{
    struct verd__resource *resource = take_back(pool, item);
    if (resource == NULL)
        return -1;
    retire(verd__current, pool, resource);
    return 0;
}

/* ---- the whole of it ---- */

static bool lacks_some(const struct verd_resource_pool *pool)
{
    return pool->existing < pool->options.min && pool->existing < pool->options.max;
}

int verd_resource_pool_fill(verd_resource_pool *pool)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(pool) != 0)
        return verd__refuse(0);
    while (lacks_some(pool)) {
        struct hold hold;
        pool->existing++;
        hold_right(scheduler, &hold, pool);
        struct verd__resource *resource = create(scheduler, &hold);
        if (resource == NULL)
            return verd__refuse(0);
        keep_or_destroy(pool, resource);
    }
    return verd__done(scheduler, 0);
}

/* Destroys the idle ones, stalest first, until at most `max` resources exist or none is idle. */
static void shrink(struct verd_resource_pool *pool)
{
    while (pool->existing > pool->options.max) {
        struct verd__resource *resource = take_idle(pool, pool->idle.last);
        if (resource == NULL)
            return;
        retire(verd__current, pool, resource);
    }
}

int verd_resource_pool_resize(verd_resource_pool *pool, size_t max)
{
    if (check(pool) != 0)
        return -1;
    if (max == 0) {
        errno = EINVAL;
        return -1;
    }
    pool->options.max = max;
    hand_rights_on(pool);
    shrink(pool);
    return 0;
}

size_t verd_resource_pool_used(const verd_resource_pool *pool)
{
    return pool != NULL ? pool->used.count : 0;
}

size_t verd_resource_pool_idle(const verd_resource_pool *pool)
{
    return pool != NULL ? pool->idle_count : 0;
}

size_t verd_resource_pool_waiting(const verd_resource_pool *pool)
{
    return pool != NULL ? pool->waiting : 0;
}

int verd_resource_pool_free(verd_resource_pool *pool)
{
    if (pool == NULL)
        return 0;
    if (check(pool) != 0)
        return -1;
    if (pool->existing != pool->idle_count || pool->waiting != 0) {
        errno = EBUSY;
        return -1;
    }
    pool->closed = true;
    pool->options.max = 0;
    shrink(pool);
    verd__ledger_free(&pool->used);
    free(pool);
    return 0;
}
