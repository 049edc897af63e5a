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
 * Invariants: somebody is in line only while none is idle and existing >= max. What becomes free goes
 * to the first in line directly: a resource, or the right (a NULL) to create one.
 */
#include <verd/resource.h>

#include <errno.h>
#include <stdlib.h>

#include "pool/ledger.h"
#include "sched/wait.h"

struct verd_resource_pool {
    struct verd__scheduler *scheduler;
    verd_resource_options options;
    struct verd__ledger used;
    struct verd__ring idle; /* the first was returned last */
    size_t idle_count;
    size_t existing;
    size_t waiting; /* length of `line` */
    struct verd__waiters line;
    bool closed; /* verd_resource_pool_free is at it */
};

struct getter {
    struct verd__wait wait; /* first: `cancel` gets it */
    struct verd_resource_pool *pool;
};

static int check(const struct verd_resource_pool *pool)
{
    if (pool == NULL || pool->closed) {
        errno = EINVAL;
        return -1;
    }
    if (pool->scheduler != verd__current) {
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
    pool->scheduler = scheduler;
    pool->options = *options;
    verd__ring_init(&pool->idle);
    return pool;
}

/* ---- the books ---- */

static void push_idle(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    verd__ring_append(pool->idle.next, &resource->idle);
    pool->idle_count++;
}

static struct verd__resource *pop_idle(struct verd_resource_pool *pool)
{
    struct verd__ring *link = verd__ring_pop_first(&pool->idle);
    pool->idle_count -= link != NULL;
    return (struct verd__resource *)link;
}

static struct verd__resource *pop_stalest(struct verd_resource_pool *pool)
{
    struct verd__ring *link = verd__ring_pop_last(&pool->idle);
    pool->idle_count -= link != NULL;
    return (struct verd__resource *)link;
}

_Static_assert(offsetof(struct verd__resource, idle) == 0, "both rely on it, also for NULL");

/* Hands a resource, or NULL for the right to create one, to the first in line, if there is one. */
static bool hand_on(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    struct verd__wait *wait = verd__waiters_pop(&pool->line);
    if (wait == NULL)
        return false;
    pool->waiting--;
    wait->value = resource;
    verd__wake(wait);
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

/* Ends a held resource; the caller holds the right that is left. Neither kill nor timeout may cut the
 * destruction short. */
static void destroy(struct verd_resource_pool *pool, struct verd__resource *resource)
{
    int error = errno;
    if (pool->options.destroy != NULL) {
        verd_shield_begin();
        pool->options.destroy(pool->options.ctx, resource->item);
        verd_shield_end();
    }
    free(resource);
    errno = error;
}

/* Makes a resource with a held right, which is given up on failure. NULL with create's errno. */
static struct verd__resource *create(struct verd_resource_pool *pool)
{
    struct verd__resource *resource = calloc(1, sizeof *resource);
    errno = resource == NULL ? ENOMEM : 0;
    if (resource != NULL && pool->options.create(pool->options.ctx, &resource->item) == 0) {
        if (pool->options.max_age != 0)
            resource->born = verd_now();
        return resource;
    }
    int error = errno != 0 ? errno : EIO;
    free(resource);
    give_right_up(pool);
    errno = error;
    return NULL;
}

/* ---- getting ---- */

static void cancel_getter(struct verd__wait *wait)
{
    struct verd_resource_pool *pool = ((struct getter *)wait)->pool;
    verd__waiters_remove(&pool->line, wait);
    pool->waiting--;
}

static const struct verd__wait_kind getter_kind = {"a resource", cancel_getter};

/* Waits in line. Returns 0 and what was handed on: a resource that is in the ledger, or NULL, a
 * right; or -1 with errno. */
static int await_resource(struct verd_resource_pool *pool, struct verd__resource **handed)
{
    struct getter getter = {.wait.kind = &getter_kind, .pool = pool};
    verd__waiters_append(&pool->line, &getter.wait);
    pool->waiting++;
    if (verd__wait(pool->scheduler, &getter.wait) != 0)
        return -1;
    *handed = getter.wait.value;
    return 0;
}

static bool is_good(const struct verd_resource_pool *pool, const struct verd__resource *resource)
{
    const verd_resource_options *options = &pool->options;
    if (is_old(pool, resource))
        return false;
    return options->validate == NULL || options->validate(options->ctx, resource->item);
}

/*
 * Takes the idle resource returned last that is good, and destroys those on the way that are not.
 * Returns 1 and the resource, held; or 0: none was idle, and with *right the caller holds that of the
 * last one destroyed; or -1 with errno: interrupted.
 */
static int get_idle(struct verd_resource_pool *pool, struct verd__resource **good, bool *right)
{
    struct verd__resource *resource;
    *right = false;
    while ((resource = pop_idle(pool)) != NULL) {
        if (*right)
            give_right_up(pool); /* the one just taken has its own */
        if (is_good(pool, resource)) {
            *good = resource;
            return 1;
        }
        /* Also if the validation failed because the caller was interrupted: who knows at which point
         * of a conversation the resource is. */
        destroy(pool, resource);
        *right = true;
        if (verd__enter() == NULL) {
            give_right_up(pool);
            return -1;
        }
    }
    return 0;
}

/* Finds, creates or waits for a resource. NULL with errno as verd_resource_pool_get. */
static struct verd__resource *get(struct verd_resource_pool *pool)
{
    struct verd__resource *resource = NULL;
    bool right;
    int got = get_idle(pool, &resource, &right);
    if (got < 0)
        return NULL;
    if (got == 0 && !right) {
        if (pool->existing < pool->options.max)
            pool->existing++;
        else if (await_resource(pool, &resource) != 0)
            return NULL;
        else if (resource != NULL)
            return resource; /* the ledger has it already */
    }
    if (got == 0)
        resource = create(pool);
    if (resource != NULL)
        verd__ledger_add(&pool->used, resource);
    return resource;
}

int verd_resource_pool_get(verd_resource_pool *pool, void **item)
{
    if (verd__enter() == NULL || check(pool) != 0)
        return -1;
    if (item == NULL) {
        errno = EINVAL;
        return -1;
    }
    struct verd__resource *resource = get(pool);
    if (resource == NULL)
        return -1;
    *item = resource->item;
    return 0;
}

/* ---- giving back ---- */

/* Whether to keep a resource that comes back, or that was just created ahead. */
static bool is_wanted(const struct verd_resource_pool *pool, const struct verd__resource *resource)
{
    const verd_resource_options *options = &pool->options;
    size_t max_idle = options->max_idle != 0 ? options->max_idle : options->max;
    if (pool->existing > options->max)
        return false;
    if (pool->waiting == 0 && pool->idle_count >= max_idle)
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
        destroy(pool, resource);
        give_right_up(pool);
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
    destroy(pool, resource);
    give_right_up(pool);
    return 0;
}

/* ---- the whole of it ---- */

static bool lacks_some(const struct verd_resource_pool *pool)
{
    return pool->existing < pool->options.min && pool->existing < pool->options.max;
}

int verd_resource_pool_fill(verd_resource_pool *pool)
{
    if (verd__enter() == NULL || check(pool) != 0)
        return -1;
    while (lacks_some(pool)) {
        pool->existing++;
        struct verd__resource *resource = create(pool);
        if (resource == NULL)
            return -1;
        keep_or_destroy(pool, resource);
    }
    return 0;
}

/* Destroys the idle ones, stalest first, until at most `max` resources exist or none is idle. */
static void shrink(struct verd_resource_pool *pool)
{
    while (pool->existing > pool->options.max) {
        struct verd__resource *resource = pop_stalest(pool);
        if (resource == NULL)
            return;
        destroy(pool, resource);
        give_right_up(pool);
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
