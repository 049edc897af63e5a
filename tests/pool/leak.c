/* SPDX-License-Identifier: MIT */
/* What pools, piles and imaps allocate, they free. */
#include <criterion/criterion.h>
#include <string.h>

#include <verd/pool.h>
#include <verd/resource.h>

#include "gate.h"
#include "leak.h"

static void ignore(void *arg)
{
    (void)arg;
}

Test(pool, spawn_n_allocates_nothing)
{
    verd_pool *pool = verd_pool_new(50);
    verd_yield(); /* a fresh budget: the spawns do not give way */
    size_t before = leak_allocated();
    for (int i = 0; i < 50; i++)
        verd_pool_spawn_n(pool, ignore, NULL);
    cr_assert_eq(verd_pool_running(pool), 50); /* none has run: nothing was freed either */
    cr_assert_eq(leak_allocated(), before);
    finish(pool, NULL);
}

static void kill_blocked_spawners(void)
{
    verd_pool *pool = verd_pool_new(0);
    verd_pile *pile = verd_pile_new(pool);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_US);
    verd_pool_spawn_n(pool, ignore, NULL);
    verd_pile_spawn(pile, echo, NULL);
    verd_timeout_end(&limit);
    verd_pile_free(pile);
    verd_pool_free(pool);
}

Test(pool, a_spawner_that_gave_up_leaves_nothing)
{
    leak_expect_none(kill_blocked_spawners);
}

static void leave_results_in_a_pile(void)
{
    struct gate gate = {0};
    verd_pile *pile = verd_pile_sized(2);
    for (int i = 0; i < 20; i++)
        verd_pile_spawn(pile, echo, NULL);
    verd_pile_next_any(pile, NULL);
    verd_pile_spawn(pile, stay, &gate);
    let_others_run();
    verd_pile_free(pile);
    gate.open = true;
    let_others_run();
}

Test(pile, freed_early_leaves_nothing)
{
    leak_expect_none(leave_results_in_a_pile);
}

static void free_an_imap_early(void)
{
    struct gate gate = {0};
    void *items[20];
    for (int i = 0; i < 20; i++)
        items[i] = &gate;
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = verd_pool_imap_array(pool, stay_forever, items, 20);
    let_others_run();
    verd_imap_free(it);
    verd_imap_free(verd_pool_imap_array(pool, echo, items, 20));
    verd_pool_wait_all(pool);
    verd_pool_free(pool);
}

Test(imap, freed_early_leaves_nothing)
{
    leak_expect_none(free_an_imap_early);
}

/* A source that does not heed that it was killed. */
static int read_later(void *state, void **item)
{
    let_others_run();
    *item = state;
    return 1;
}

static void free_an_imap_inside_its_source(void)
{
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = verd_pool_imap(pool, echo, read_later, NULL);
    verd_yield();
    verd_imap_free(it);
    verd_pool_wait_all(pool);
    verd_pool_free(pool);
}

Test(imap, freed_inside_its_source_leaves_nothing)
{
    leak_expect_none(free_an_imap_inside_its_source);
}

static void *consume_an_imap_as_member(void *pool)
{
    void *items[20] = {0};
    verd_imap *it = verd_pool_imap_array(pool, echo_later, items, 20);
    while (verd_imap_next(it, NULL) == 1)
        ;
    verd_imap_free(it);
    return NULL;
}

static void consume_imaps_of_members(void)
{
    verd_pool *pool = verd_pool_new(1);
    verd_release(verd_pool_spawn(pool, consume_an_imap_as_member, pool));
    verd_pool_wait_all(pool);
    verd_pool_free(pool);
}

Test(imap, of_a_member_leaves_nothing)
{
    leak_expect_none(consume_imaps_of_members);
}

static void consume_an_imap(void)
{
    void *items[100] = {0};
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = verd_pool_imap_array(pool, echo_later, items, 100);
    while (verd_imap_next(it, NULL) == 1)
        ;
    verd_imap_free(it);
    verd_pool_free(pool);
}

Test(imap, consumed_leaves_nothing)
{
    leak_expect_none(consume_an_imap);
}

static int make(void *ctx, void **item)
{
    (void)ctx;
    *item = strdup("a resource");
    return *item != NULL ? 0 : -1;
}

static void unmake(void *ctx, void *item)
{
    (void)ctx;
    free(item);
}

static void lend_and_free(void)
{
    verd_resource_options options = {.create = make, .destroy = unmake, .max = 40, .max_idle = 30};
    verd_resource_pool *pool = verd_resource_pool_new(&options);
    void *items[40];
    for (int i = 0; i < 40; i++)
        verd_resource_pool_get(pool, &items[i]);
    for (int i = 0; i < 39; i++)
        verd_resource_pool_put(pool, items[i]);
    verd_resource_pool_discard(pool, items[39]);
    verd_resource_pool_free(pool);
}

Test(resource, pool_leaves_nothing)
{
    leak_expect_none(lend_and_free);
}
