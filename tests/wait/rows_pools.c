/* SPDX-License-Identifier: MIT */
/* Pools, piles, imaps, bundles, resource pools. */
#include "caller.h"
#include "table.h"

static verd_pool *pool;
static verd_pile *pile;
static verd_imap *imap;
static size_t runs;

static void *stay_at_gate(void *value)
{
    pass_gate();
    return value;
}

static void *run(void *arg)
{
    runs++;
    return arg;
}

static void run_n(void *arg)
{
    run(arg);
}

/* ---- a full pool ---- */

static void full_pool(void)
{
    pool = verd_pool_new(1);
    verd_release(verd_pool_spawn(pool, stay_at_gate, NULL));
    pile = verd_pile_new(pool);
}

static intptr_t spawn(void)
{
    verd_thread *thread = verd_pool_spawn(pool, run, NULL);
    if (thread == NULL)
        return -errno;
    verd_release(thread);
    return 0;
}

static intptr_t spawn_n(void)
{
    return result_of(verd_pool_spawn_n(pool, run_n, NULL));
}

static intptr_t spawn_in_pile(void)
{
    return result_of(verd_pile_spawn(pile, run, (void *)4));
}

static intptr_t wait_for_all(void)
{
    return result_of(verd_pool_wait_all(pool));
}

static void widen(void)
{
    verd_pool_resize(pool, 2);
}

static bool nobody_is_in_line(void)
{
    return runs == 0 && verd_pool_waiting(pool) == 0 && verd_pool_running(pool) == 1;
}

static bool one_has_run(void)
{
    open_gate();
    return verd_pool_wait_all(pool) == 0 && runs == 1 && verd_pool_running(pool) == 0;
}

static bool pile_is_empty(void)
{
    return nobody_is_in_line() && verd_pile_length(pile) == 0;
}

static bool pile_has_one(void)
{
    void *result = NULL;
    return one_has_run() && verd_pile_length(pile) == 1 && verd_pile_next(pile, &result) == 1 &&
           result == (void *)4 && verd_pile_next(pile, NULL) == 0;
}

static bool pool_is_idle(void)
{
    return verd_pool_running(pool) == 0;
}

/* ---- results to come ---- */

static void pile_at_gate(void)
{
    pile = verd_pile_sized(1);
    must(verd_pile_spawn(pile, stay_at_gate, (void *)4) == 0, "verd_pile_spawn");
}

static intptr_t next_of_pile(void)
{
    void *result = NULL;
    int got = verd_pile_next(pile, &result);
    return got == 1 ? (intptr_t)result : result_of(got);
}

static intptr_t any_of_pile(void)
{
    void *result = NULL;
    int got = verd_pile_next_any(pile, &result);
    return got == 1 ? (intptr_t)result : result_of(got);
}

static bool pile_has_its_result(void)
{
    return verd_pile_length(pile) == 1;
}

static bool pile_is_at_end(void)
{
    return verd_pile_length(pile) == 0 && verd_pile_next(pile, NULL) == 0;
}

static void imap_at_gate(void)
{
    static void *const items[] = {(void *)6};
    pool = verd_pool_new(1);
    imap = verd_pool_imap_array(pool, stay_at_gate, items, 1);
}

static intptr_t next_of_imap(void)
{
    void *result = NULL;
    int got = verd_imap_next(imap, &result);
    return got == 1 ? (intptr_t)result : result_of(got);
}

static intptr_t any_of_imap(void)
{
    void *result = NULL, *item = NULL;
    int got = verd_imap_next_any(imap, &result, &item);
    must(got != 1 || item == (void *)6, "what it was asked for");
    return got == 1 ? (intptr_t)result : result_of(got);
}

static bool imap_is_at_end(void)
{
    return verd_imap_next(imap, NULL) == 0;
}

/* ---- what is killed and does not end yet ---- */

static bool begun;

static void *stay_in_shield(void *value)
{
    verd_shield_begin();
    begun = true;
    return stay_at_gate(value);
}

/* A thread that has not started would be killed before its shield. */
static void let_it_begin(void)
{
    while (!begun)
        verd_yield();
}

static void pool_to_kill(void)
{
    pool = verd_pool_new(1);
    verd_release(verd_pool_spawn(pool, stay_in_shield, NULL));
    let_it_begin();
}

static intptr_t kill_pool(void)
{
    return result_of(verd_pool_kill(pool));
}

static void pile_to_kill(void)
{
    pile = verd_pile_sized(1);
    must(verd_pile_spawn(pile, stay_in_shield, (void *)4) == 0, "verd_pile_spawn");
    let_it_begin();
}

static intptr_t kill_pile(void)
{
    return result_of(verd_pile_kill(pile));
}

static bool pile_keeps_its_result(void)
{
    void *result = NULL;
    return verd_pile_length(pile) == 1 && verd_pile_next(pile, &result) == 1 &&
           result == (void *)4 && pile_is_at_end();
}

/* ---- a bundle ---- */

static verd_bundle *bundle;

static void bundle_at_gate(void)
{
    bundle = verd_bundle_new();
    must(verd_bundle_spawn(bundle, stay_at_gate, NULL) == 0, "verd_bundle_spawn");
}

static intptr_t wait_for_bundle(void)
{
    return result_of(verd_bundle_wait(bundle));
}

static bool bundle_is_done(void)
{
    return verd_bundle_wait(bundle) == 0;
}

static intptr_t free_bundle(void)
{
    return result_of(verd_bundle_free(bundle));
}

/* ---- resources ---- */

static verd_resource_pool *resources;
static verd_event may_create;
static int resource;

static int create(void *ctx, void **item)
{
    *item = ctx;
    return verd_event_wait(&may_create, NULL);
}

/* Its only one is the main thread's. */
static void resource_lent(void)
{
    verd_resource_options options = {.create = create, .ctx = &resource, .max = 1};
    void *item;
    verd_event_set(&may_create, NULL);
    resources = verd_resource_pool_new(&options);
    must(verd_resource_pool_get(resources, &item) == 0, "verd_resource_pool_get");
}

static void resource_to_make(void)
{
    verd_resource_options options = {.create = create, .ctx = &resource, .max = 1, .min = 1};
    resources = verd_resource_pool_new(&options);
}

static intptr_t get_resource(void)
{
    void *item = NULL;
    if (verd_resource_pool_get(resources, &item) != 0)
        return -errno;
    return item == &resource;
}

static intptr_t fill(void)
{
    return result_of(verd_resource_pool_fill(resources));
}

static void put_resource(void)
{
    verd_resource_pool_put(resources, &resource);
}

static void let_create(void)
{
    verd_event_set(&may_create, NULL);
}

static bool resource_is_lent(void)
{
    return verd_resource_pool_used(resources) == 1 && verd_resource_pool_idle(resources) == 0 &&
           verd_resource_pool_waiting(resources) == 0;
}

static bool there_is_none(void)
{
    return verd_resource_pool_used(resources) == 0 && verd_resource_pool_idle(resources) == 0;
}

static bool resource_is_idle(void)
{
    return verd_resource_pool_idle(resources) == 1 && verd_resource_pool_free(resources) == 0;
}

/* ---- the ends of their objects ---- */

static intptr_t free_pool(void)
{
    return result_of(verd_pool_free(pool));
}

static intptr_t free_pile(void)
{
    verd_pile_free(pile);
    return 0;
}

static intptr_t free_imap(void)
{
    verd_imap_free(imap);
    return 0;
}

static intptr_t free_resources(void)
{
    return result_of(verd_resource_pool_free(resources));
}

static const struct row rows[] = {
    {.call = "verd_pool_spawn",
     .when = "a member to end",
     .setup = full_pool,
     .make = spawn,
     .provoke = open_gate,
     .untouched = nobody_is_in_line,
     .whole = one_has_run,
     .traits = INDIRECT | BOUND | ORPHANED,
     .discard = free_pool},
    {.call = "verd_pool_spawn",
     .when = "the pool to be widened",
     .setup = full_pool,
     .make = spawn,
     .provoke = widen,
     .untouched = nobody_is_in_line,
     .whole = one_has_run,
     .traits = BOUND | ORPHANED,
     .discard = free_pool},
    {.call = "verd_pool_spawn_n",
     .when = "the pool to be widened",
     .setup = full_pool,
     .make = spawn_n,
     .provoke = widen,
     .untouched = nobody_is_in_line,
     .whole = one_has_run,
     .traits = BOUND | ORPHANED,
     .discard = free_pool},
    {.call = "verd_pile_spawn",
     .when = "the pool to be widened",
     .setup = full_pool,
     .make = spawn_in_pile,
     .provoke = widen,
     .untouched = pile_is_empty,
     .whole = pile_has_one,
     .traits = BOUND | ORPHANED | GOES_ON,
     .discard = free_pile},
    {.call = "verd_pool_wait_all",
     .when = "a member to end",
     .setup = full_pool,
     .make = wait_for_all,
     .provoke = open_gate,
     .untouched = nobody_is_in_line,
     .whole = pool_is_idle,
     .traits = INDIRECT | SHARED | BOUND | ORPHANED,
     .discard = free_pool},
    {.call = "verd_pile_next",
     .when = "a result",
     .setup = pile_at_gate,
     .make = next_of_pile,
     .right = 4,
     .provoke = open_gate,
     .untouched = pile_has_its_result,
     .whole = pile_is_at_end,
     .traits = INDIRECT | ALONE | BOUND | ORPHANED,
     .discard = free_pile,
     .discarded = -EINVAL},
    {.call = "verd_pile_next_any",
     .when = "a result",
     .setup = pile_at_gate,
     .make = any_of_pile,
     .right = 4,
     .provoke = open_gate,
     .untouched = pile_has_its_result,
     .whole = pile_is_at_end,
     .traits = INDIRECT | ALONE | BOUND | ORPHANED,
     .discard = free_pile,
     .discarded = -EINVAL},
    {.call = "verd_imap_next",
     .when = "a result",
     .setup = imap_at_gate,
     .make = next_of_imap,
     .right = 6,
     .provoke = open_gate,
     .whole = imap_is_at_end,
     .traits = INDIRECT | ALONE | BOUND | ORPHANED,
     .discard = free_imap,
     .discarded = -EINVAL},
    {.call = "verd_imap_next_any",
     .when = "a result",
     .setup = imap_at_gate,
     .make = any_of_imap,
     .right = 6,
     .provoke = open_gate,
     .whole = imap_is_at_end,
     .traits = INDIRECT | ALONE | BOUND | ORPHANED,
     .discard = free_imap,
     .discarded = -EINVAL},
    {.call = "verd_pool_kill",
     .when = "a shielded member to end",
     .setup = pool_to_kill,
     .make = kill_pool,
     .provoke = open_gate,
     .whole = pool_is_idle,
     .traits = INDIRECT | SHARED | BOUND | ORPHANED,
     .discard = free_pool},
    {.call = "verd_pile_kill",
     .when = "a shielded function to end",
     .setup = pile_to_kill,
     .make = kill_pile,
     .provoke = open_gate,
     .untouched = pile_has_its_result,
     .whole = pile_keeps_its_result,
     .traits = INDIRECT | SHARED | BOUND | ORPHANED,
     .discard = free_pile,
     .discarded = -EINVAL},
    {.call = "verd_bundle_wait",
     .when = "its thread to end",
     .setup = bundle_at_gate,
     .make = wait_for_bundle,
     .provoke = open_gate,
     .whole = bundle_is_done,
     .traits = INDIRECT | SHARED | BOUND | ORPHANED,
     .discard = free_bundle},
    {.call = "verd_resource_pool_get",
     .when = "a resource to come back",
     .setup = resource_lent,
     .make = get_resource,
     .right = 1,
     .provoke = put_resource,
     .untouched = resource_is_lent,
     .whole = resource_is_lent,
     .traits = BOUND,
     .discard = free_resources},
    {.call = "verd_resource_pool_get",
     .when = "a resource to be made",
     .setup = resource_to_make,
     .make = get_resource,
     .right = 1,
     .provoke = let_create,
     .untouched = there_is_none,
     .whole = resource_is_lent,
     .traits = ALONE | BOUND,
     .discard = free_resources},
    {.call = "verd_resource_pool_fill",
     .when = "a resource to be made",
     .setup = resource_to_make,
     .make = fill,
     .provoke = let_create,
     .untouched = there_is_none,
     .whole = resource_is_idle,
     .traits = ALONE | BOUND,
     .discard = free_resources},
};

const struct rows rows_of_pools = ROWS(rows);
