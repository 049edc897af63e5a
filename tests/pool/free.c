/* SPDX-License-Identifier: MIT */

/* A pool is freed while others are in the middle of calls on it: it is refused, or they are done with it,
 * wherever they have given way. */
#include <criterion/criterion.h>

#include "caller.h"
#include "factory.h"
#include "gate.h"

/* More calls in a row than any thread may make. */
#define CALLS_MAX 150

static verd_pool *pool;
static verd_resource_pool *resources;
static struct factory factory;
static struct gate gate;
static size_t spent; /* calls made before */
static bool calling, returned, freed;

/* Whether the call is under way, once it is. */
static bool await_the_call(void)
{
    while (!calling && !returned)
        verd_yield();
    return !returned;
}

static void spend(void)
{
    verd_semaphore many = VERD_SEMAPHORE_INIT(CALLS_MAX);
    for (size_t i = 0; i < spent; i++)
        verd_semaphore_acquire(&many);
    calling = true;
}

/* The call, with one that runs as soon as it gives way. */
static int outcome_among(int (*call)(struct caller *), void (*other)(void *))
{
    struct caller caller;
    calling = returned = freed = false;
    verd_spawn_n(other, NULL);
    caller_start(&caller, call, NULL, NULL);
    return caller_end(&caller);
}

static void free_pool(void *arg)
{
    (void)arg;
    freed = await_the_call() && verd_pool_free(pool) == 0;
}

static int spawn(struct caller *self)
{
    (void)self;
    spend();
    int result = verd_pool_spawn_n(pool, stay_n, &gate);
    returned = true;
    return result;
}

Test(pool, cannot_be_freed_while_a_spawn_is_under_way)
{
    for (spent = 0; spent < CALLS_MAX; spent++) {
        pool = verd_pool_new(1);
        gate = (struct gate){0};
        cr_expect_eq(outcome_among(spawn, free_pool), 0, "after %zu calls", spent);
        cr_assert_not(freed, "after %zu calls", spent);
        finish(pool, &gate);
    }
}

/* Frees the pool, which is idle, and makes another one, mostly at the same place, that is not. */
static void replace_pool(void *arg)
{
    free_pool(arg);
    if (!freed)
        return;
    pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, stay_n, &gate);
}

static int wait_all(struct caller *self)
{
    (void)self;
    spend();
    int result = verd_pool_wait_all(pool);
    returned = true;
    return result;
}

static int wait_all_for_a_while(struct caller *self)
{
    return caller_within(10 * VERD_SEC, wait_all, self->object, self->item);
}

Test(pool, waiting_for_all_of_an_idle_one_has_nothing_to_do_with_the_next_at_its_place)
{
    for (spent = 0; spent < CALLS_MAX; spent++) {
        pool = verd_pool_new(1);
        gate = (struct gate){0};
        cr_assert_eq(outcome_among(wait_all_for_a_while, replace_pool), 0, "after %zu calls",
                     spent);
        finish(pool, &gate);
    }
}

static void free_resources(void *arg)
{
    (void)arg;
    freed = await_the_call() && verd_resource_pool_free(resources) == 0;
}

static int get_resource(struct caller *self)
{
    spend();
    int result = verd_resource_pool_get(resources, &self->item);
    returned = true;
    return result;
}

static void expect_no_free(void)
{
    struct caller caller = {0};
    calling = returned = freed = false;
    factory = (struct factory){0};
    resources = pool_of(&factory, 1);
    verd_spawn_n(free_resources, NULL);
    caller_start(&caller, get_resource, NULL, NULL);
    cr_expect_eq(caller_end(&caller), 0, "after %zu calls", spent);
    cr_assert_not(freed, "after %zu calls", spent);
    verd_resource_pool_put(resources, caller.item);
    finish_with(resources, &factory);
}

Test(resource, pool_cannot_be_freed_while_a_get_is_under_way)
{
    for (spent = 0; spent < CALLS_MAX; spent++)
        expect_no_free();
}
