/* SPDX-License-Identifier: MIT */
/* <verd/pool.h>, <verd/bundle.h> and <verd/resource.h>. */
#include "table.h"

static void *same(void *arg)
{
    return arg;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

/* ---- pools ---- */

static verd_pool *pool;

static void make_pool(void)
{
    pool = verd_pool_new(1);
    must(pool != NULL);
}

static void make_empty_pool(void)
{
    pool = verd_pool_new(0);
    must(pool != NULL);
}

/* With a member that waits for ever. */
static void make_full_pool(void)
{
    make_pool();
    must(verd_pool_spawn(pool, park, NULL) != NULL);
    verd_yield();
}

/* Without control blocks to be had: so many are unstarted that the next one needs a new slab. */
static void use_slab_up(void)
{
    make_pool();
    must(verd_pool_resize(pool, 100000) == 0);
    size_t number;
    do {
        verd_thread *thread = verd_spawn(same, NULL);
        must(thread != NULL);
        number = verd_number(thread);
    } while (number % 1023 != 1022);
}

CALL_FOR_POINTER(new_pool, verd_pool_new(1))
CALL_FOR_POINTER(new_endless_pool, verd_pool_new(SIZE_MAX))
static const verd_attr tiny = {.stack_size = 1}, large = {.stack_size = 1024 * 1024};

CALL_FOR_POINTER(new_pool_with, verd_pool_new_with(1, &large))
CALL_FOR_POINTER(new_pool_of_tiny, verd_pool_new_with(1, &tiny))
CALL(free_pool, verd_pool_free(pool))
CALL_FOR_POINTER(pool_spawn, verd_pool_spawn(pool, same, NULL))
CALL_FOR_POINTER(pool_spawn_nothing, verd_pool_spawn(pool, NULL, NULL))
CALL(pool_spawn_n, verd_pool_spawn_n(pool, nothing, NULL))
CALL(pool_spawn_n_nothing, verd_pool_spawn_n(pool, NULL, NULL))
CALL(wait_all, verd_pool_wait_all(pool))
CALL(wait_for_none, verd_pool_wait_all(NULL))
CALL(kill_all, verd_pool_kill(pool))
CALL(kill_none, verd_pool_kill(NULL))
CALL(resize_pool, verd_pool_resize(pool, 2))
CALL(resize_no_pool, verd_pool_resize(NULL, 2))

static void *wait_as_member(void *arg)
{
    *(int *)arg = wait_all();
    return NULL;
}

static int wait_within(void)
{
    int error = 0;
    verd_thread *member = verd_pool_spawn(pool, wait_as_member, &error);
    must(member != NULL && verd_join(member, NULL) == 0);
    return error;
}

static void *kill_as_member(void *arg)
{
    *(int *)arg = kill_all();
    return NULL;
}

static int kill_within(void)
{
    int error = 0;
    verd_thread *member = verd_pool_spawn(pool, kill_as_member, &error);
    must(member != NULL && verd_join(member, NULL) == 0);
    return error;
}

/* ---- imaps ---- */

static verd_imap *it;

static int no_items(void *state, void **item)
{
    (void)state, (void)item;
    return verd_sleep(VERD_FOREVER);
}

static int one_item(void *state, void **item)
{
    int *left = state;
    *item = NULL;
    return (*left)-- > 0;
}

static void make_imap(void)
{
    make_pool();
    it = verd_pool_imap(pool, same, no_items, NULL);
    must(it != NULL);
}

static void take_next(void *arg)
{
    (void)arg;
    verd_imap_next(it, NULL);
}

static void have_consumer_of_imap(void)
{
    make_imap();
    must(verd_spawn_n(take_next, NULL) == 0);
    verd_yield();
}

/* The stack that its threads will run on is there. */
static void make_imap_of_one(void)
{
    static int left = 1;
    make_pool();
    must(verd_join(verd_spawn(same, NULL), NULL) == 0);
    it = verd_pool_imap(pool, same, one_item, &left);
    must(it != NULL);
}

static void *fail(void *arg)
{
    (void)arg;
    return verd_fail(ENOENT);
}

static void make_imap_that_fails(void)
{
    static void *const items[] = {NULL};
    make_pool();
    it = verd_pool_imap_array(pool, fail, items, 1);
    must(it != NULL);
}

CALL_FOR_POINTER(new_imap, verd_pool_imap(pool, same, no_items, NULL))
CALL_FOR_POINTER(new_imap_of_nothing, verd_pool_imap(pool, same, NULL, NULL))
CALL_FOR_POINTER(new_imap_of_array, verd_pool_imap_array(pool, same, NULL, 0))
CALL_FOR_POINTER(new_imap_of_no_array, verd_pool_imap_array(pool, same, NULL, 1))
CALL(imap_next, verd_imap_next(it, NULL))
CALL(imap_next_of_none, verd_imap_next(NULL, NULL))
CALL(imap_next_any, verd_imap_next_any(it, NULL, NULL))
CALL(imap_next_any_of_none, verd_imap_next_any(NULL, NULL, NULL))

/* ---- piles ---- */

static verd_pile *pile;

static void make_pile(void)
{
    make_full_pool();
    pile = verd_pile_new(pool);
    must(pile != NULL);
}

static void make_pile_that_runs(void)
{
    pile = verd_pile_sized(1);
    must(pile != NULL && verd_pile_spawn(pile, park, NULL) == 0);
}

static void take_result(void *arg)
{
    (void)arg;
    verd_pile_next(pile, NULL);
}

static void have_consumer_of_pile(void)
{
    make_pile_that_runs();
    must(verd_spawn_n(take_result, NULL) == 0);
    verd_yield();
}

static void make_idle_pile(void)
{
    pile = verd_pile_sized(1);
    must(pile != NULL);
}

static void make_pile_that_fails(void)
{
    make_idle_pile();
    must(verd_pile_spawn(pile, fail, NULL) == 0);
}

CALL_FOR_POINTER(new_pile, verd_pile_new(pool))
CALL_FOR_POINTER(new_pile_on_nothing, verd_pile_new(NULL))
CALL_FOR_POINTER(new_sized, verd_pile_sized(1))
CALL_FOR_POINTER(new_sized_with, verd_pile_sized_with(1, &large))
CALL_FOR_POINTER(new_sized_tiny, verd_pile_sized_with(1, &tiny))
CALL_FOR_POINTER(new_sized_zero, verd_pile_sized(0))
CALL(pile_spawn, verd_pile_spawn(pile, same, NULL))
CALL(pile_spawn_nothing, verd_pile_spawn(pile, NULL, NULL))
CALL(pile_next, verd_pile_next(pile, NULL))
CALL(pile_next_of_none, verd_pile_next(NULL, NULL))
CALL(pile_next_any, verd_pile_next_any(pile, NULL))
CALL(pile_next_any_of_none, verd_pile_next_any(NULL, NULL))
CALL(pile_kill, verd_pile_kill(pile))
CALL(pile_kill_none, verd_pile_kill(NULL))

static void *kill_own_pile(void *arg)
{
    *(int *)arg = pile_kill();
    return NULL;
}

static int pile_kill_within(void)
{
    int error = 0;
    must(verd_pile_spawn(pile, kill_own_pile, &error) == 0 && verd_pile_next(pile, NULL) == 1);
    return error;
}

/* ---- bundles ---- */

static verd_bundle *bundle;

static void make_bundle(void)
{
    bundle = verd_bundle_new();
    must(bundle != NULL);
}

static void make_bundle_that_runs(void)
{
    make_bundle();
    must(verd_bundle_spawn(bundle, park, NULL) == 0);
}

static void make_bundle_that_fails(void)
{
    make_bundle();
    must(verd_bundle_spawn(bundle, fail, NULL) == 0);
}

static void *park_in_shield(void *arg)
{
    verd_shield_begin();
    return park(arg);
}

static void free_it(void *arg)
{
    (void)arg;
    verd_bundle_free(bundle);
}

static void have_bundle_freed(void)
{
    make_bundle();
    must(verd_bundle_spawn(bundle, park_in_shield, NULL) == 0);
    verd_yield();
    must(verd_spawn_n(free_it, NULL) == 0);
    verd_yield();
}

CALL_FOR_POINTER(new_bundle, verd_bundle_new())
CALL(bundle_spawn, verd_bundle_spawn(bundle, same, NULL))
CALL(bundle_spawn_nothing, verd_bundle_spawn(bundle, NULL, NULL))
CALL(bundle_wait, verd_bundle_wait(bundle))
CALL(bundle_wait_for_none, verd_bundle_wait(NULL))
CALL(bundle_error, verd_bundle_error(bundle) == 0 ? -1 : 0)
CALL(bundle_error_of_none, verd_bundle_error(NULL) == 0 ? -1 : 0)
CALL(bundle_free, verd_bundle_free(bundle))

static void *wait_in_bundle(void *arg)
{
    *(int *)arg = bundle_wait();
    return NULL;
}

static void *free_in_bundle(void *arg)
{
    *(int *)arg = bundle_free();
    return NULL;
}

static int within_bundle(void *(*call)(void *))
{
    int error = 0;
    must(verd_bundle_spawn(bundle, call, &error) == 0 && verd_bundle_wait(bundle) == 0);
    return error;
}

static int bundle_wait_within(void)
{
    return within_bundle(wait_in_bundle);
}

static int bundle_free_within(void)
{
    return within_bundle(free_in_bundle);
}

/* ---- resource pools ---- */

static verd_resource_pool *resources;
static void *lent;

static int create(void *ctx, void **item)
{
    (void)ctx;
    *item = &lent;
    return 0;
}

static const verd_resource_options options = {.create = create, .min = 1, .max = 1}, none = {0};

static void make_resources(void)
{
    resources = verd_resource_pool_new(&options);
    must(resources != NULL);
}

static void lend_one(void)
{
    make_resources();
    must(verd_resource_pool_get(resources, &lent) == 0);
}

CALL_FOR_POINTER(new_resources, verd_resource_pool_new(&options))
CALL_FOR_POINTER(new_resources_of_nothing, verd_resource_pool_new(&none))
CALL(resource_get, verd_resource_pool_get(resources, &lent))
CALL(resource_get_nothing, verd_resource_pool_get(resources, NULL))
CALL(resource_put, verd_resource_pool_put(resources, lent))
CALL(resource_put_nothing, verd_resource_pool_put(resources, &resources))
CALL(resource_discard, verd_resource_pool_discard(resources, lent))
CALL(resource_discard_nothing, verd_resource_pool_discard(resources, &resources))
CALL(resource_fill, verd_resource_pool_fill(resources))
CALL(resource_fill_none, verd_resource_pool_fill(NULL))
CALL(resource_resize, verd_resource_pool_resize(resources, 1))
CALL(resource_resize_to_nothing, verd_resource_pool_resize(resources, 0))
CALL(resource_free, verd_resource_pool_free(resources))

const struct row pool_rows[] = {
    AT_FIRST("verd_pool_new", new_pool),
    PLAINLY("verd_pool_new", EINVAL, NULL, new_endless_pool),
    AT_FIRST("verd_pool_new_with", new_pool_with),
    PLAINLY("verd_pool_new_with", EINVAL, NULL, new_pool_of_tiny),
    PLAINLY("verd_pool_free", EBUSY, make_full_pool, free_pool),
    ELSEWHERE("verd_pool_free", make_pool, free_pool),
    BLOCKS("verd_pool_spawn", make_empty_pool, pool_spawn),
    PLAINLY("verd_pool_spawn", EINVAL, make_pool, pool_spawn_nothing),
    ELSEWHERE("verd_pool_spawn", make_pool, pool_spawn),
    WITHOUT("verd_pool_spawn", ENOMEM, use_slab_up, pool_spawn, "mmap"),
    BLOCKS("verd_pool_spawn_n", make_empty_pool, pool_spawn_n),
    PLAINLY("verd_pool_spawn_n", EINVAL, make_pool, pool_spawn_n_nothing),
    ELSEWHERE("verd_pool_spawn_n", make_pool, pool_spawn_n),
    WITHOUT("verd_pool_spawn_n", ENOMEM, use_slab_up, pool_spawn_n, "mmap"),
    BLOCKS("verd_pool_wait_all", make_full_pool, wait_all),
    PLAINLY("verd_pool_wait_all", EDEADLK, make_pool, wait_within),
    PLAINLY("verd_pool_wait_all", EINVAL, NULL, wait_for_none),
    ELSEWHERE("verd_pool_wait_all", make_pool, wait_all),
    BLOCKS("verd_pool_kill", make_full_pool, kill_all),
    PLAINLY("verd_pool_kill", EDEADLK, make_pool, kill_within),
    PLAINLY("verd_pool_kill", EINVAL, NULL, kill_none),
    ELSEWHERE("verd_pool_kill", make_pool, kill_all),
    PLAINLY("verd_pool_resize", EINVAL, NULL, resize_no_pool),
    ELSEWHERE("verd_pool_resize", make_pool, resize_pool),

    PLAINLY("verd_pool_imap", EINVAL, make_pool, new_imap_of_nothing),
    ELSEWHERE("verd_pool_imap", make_pool, new_imap),
    WITHOUT("verd_pool_imap", ENOMEM, make_pool, new_imap, "calloc"),
    PLAINLY("verd_pool_imap_array", EINVAL, make_pool, new_imap_of_no_array),
    ELSEWHERE("verd_pool_imap_array", make_pool, new_imap_of_array),
    WITHOUT("verd_pool_imap_array", ENOMEM, make_pool, new_imap_of_array, "calloc"),
    BLOCKS("verd_imap_next", make_imap, imap_next),
    PLAINLY("verd_imap_next", ENOENT, make_imap_that_fails, imap_next),
    PLAINLY("verd_imap_next", EBUSY, have_consumer_of_imap, imap_next),
    PLAINLY("verd_imap_next", EINVAL, NULL, imap_next_of_none),
    ELSEWHERE("verd_imap_next", make_imap, imap_next),
    WITHOUT("verd_imap_next", ENOMEM, make_imap_of_one, imap_next, "calloc"),
    BLOCKS("verd_imap_next_any", make_imap, imap_next_any),
    PLAINLY("verd_imap_next_any", EBUSY, have_consumer_of_imap, imap_next_any),
    PLAINLY("verd_imap_next_any", EINVAL, NULL, imap_next_any_of_none),
    ELSEWHERE("verd_imap_next_any", make_imap, imap_next_any),
    WITHOUT("verd_imap_next_any", ENOMEM, make_imap_of_one, imap_next_any, "calloc"),

    PLAINLY("verd_pile_new", EINVAL, NULL, new_pile_on_nothing),
    ELSEWHERE("verd_pile_new", make_pool, new_pile),
    WITHOUT("verd_pile_new", ENOMEM, make_pool, new_pile, "calloc"),
    PLAINLY("verd_pile_sized", EINVAL, NULL, new_sized_zero),
    AT_FIRST("verd_pile_sized", new_sized),
    AT_FIRST("verd_pile_sized_with", new_sized_with),
    PLAINLY("verd_pile_sized_with", EINVAL, NULL, new_sized_tiny),
    BLOCKS("verd_pile_spawn", make_pile, pile_spawn),
    PLAINLY("verd_pile_spawn", EINVAL, make_pile, pile_spawn_nothing),
    ELSEWHERE("verd_pile_spawn", make_pile, pile_spawn),
    WITHOUT("verd_pile_spawn", ENOMEM, make_idle_pile, pile_spawn, "calloc"),
    BLOCKS("verd_pile_next", make_pile_that_runs, pile_next),
    PLAINLY("verd_pile_next", ENOENT, make_pile_that_fails, pile_next),
    PLAINLY("verd_pile_next", EBUSY, have_consumer_of_pile, pile_next),
    PLAINLY("verd_pile_next", EINVAL, NULL, pile_next_of_none),
    ELSEWHERE("verd_pile_next", make_pile_that_runs, pile_next),
    BLOCKS("verd_pile_next_any", make_pile_that_runs, pile_next_any),
    PLAINLY("verd_pile_next_any", ENOENT, make_pile_that_fails, pile_next_any),
    PLAINLY("verd_pile_next_any", EBUSY, have_consumer_of_pile, pile_next_any),
    PLAINLY("verd_pile_next_any", EINVAL, NULL, pile_next_any_of_none),
    ELSEWHERE("verd_pile_next_any", make_pile_that_runs, pile_next_any),
    BLOCKS("verd_pile_kill", make_pile_that_runs, pile_kill),
    PLAINLY("verd_pile_kill", EDEADLK, make_idle_pile, pile_kill_within),
    PLAINLY("verd_pile_kill", EINVAL, NULL, pile_kill_none),
    ELSEWHERE("verd_pile_kill", make_pile_that_runs, pile_kill),

    AT_FIRST("verd_bundle_new", new_bundle),
    PLAINLY("verd_bundle_spawn", EINVAL, make_bundle, bundle_spawn_nothing),
    ELSEWHERE("verd_bundle_spawn", make_bundle, bundle_spawn),
    WITHOUT("verd_bundle_spawn", ENOMEM, make_bundle, bundle_spawn, "malloc"),
    BLOCKS("verd_bundle_wait", make_bundle_that_runs, bundle_wait),
    PLAINLY("verd_bundle_wait", ENOENT, make_bundle_that_fails, bundle_wait),
    PLAINLY("verd_bundle_wait", EDEADLK, make_bundle, bundle_wait_within),
    PLAINLY("verd_bundle_wait", EINVAL, NULL, bundle_wait_for_none),
    ELSEWHERE("verd_bundle_wait", make_bundle, bundle_wait),
    PLAINLY("verd_bundle_error", EINVAL, NULL, bundle_error_of_none),
    ELSEWHERE("verd_bundle_error", make_bundle, bundle_error),
    PLAINLY("verd_bundle_free", EDEADLK, make_bundle, bundle_free_within),
    PLAINLY("verd_bundle_free", EBUSY, have_bundle_freed, bundle_free),
    ELSEWHERE("verd_bundle_free", make_bundle, bundle_free),

    AT_FIRST("verd_resource_pool_new", new_resources),
    PLAINLY("verd_resource_pool_new", EINVAL, NULL, new_resources_of_nothing),
    BLOCKS("verd_resource_pool_get", lend_one, resource_get),
    PLAINLY("verd_resource_pool_get", EINVAL, make_resources, resource_get_nothing),
    ELSEWHERE("verd_resource_pool_get", make_resources, resource_get),
    WITHOUT("verd_resource_pool_get", ENOMEM, make_resources, resource_get, "calloc"),
    PLAINLY("verd_resource_pool_put", EINVAL, lend_one, resource_put_nothing),
    ELSEWHERE("verd_resource_pool_put", lend_one, resource_put),
    PLAINLY("verd_resource_pool_discard", EINVAL, lend_one, resource_discard_nothing),
    ELSEWHERE("verd_resource_pool_discard", lend_one, resource_discard),
    BLOCKS("verd_resource_pool_fill", make_resources, resource_fill),
    PLAINLY("verd_resource_pool_fill", EINVAL, NULL, resource_fill_none),
    ELSEWHERE("verd_resource_pool_fill", make_resources, resource_fill),
    WITHOUT("verd_resource_pool_fill", ENOMEM, make_resources, resource_fill, "calloc"),
    PLAINLY("verd_resource_pool_resize", EINVAL, make_resources, resource_resize_to_nothing),
    ELSEWHERE("verd_resource_pool_resize", make_resources, resource_resize),
    PLAINLY("verd_resource_pool_free", EBUSY, lend_one, resource_free),
    ELSEWHERE("verd_resource_pool_free", make_resources, resource_free),
    {0},
};
