/* SPDX-License-Identifier: MIT */

/* Pools, piles and imaps in the child of a fork, whose other threads are gone: nothing is left waiting
 * for them, wherever they were. */
#include <criterion/criterion.h>
#include <errno.h>

#include "gate.h"
#include "process.h"

static verd_pool *pool;
static verd_pile *pile;
static verd_imap *imap;

static bool pool_is_idle(void)
{
    return verd_pool_running(pool) == 0 && verd_pool_waiting(pool) == 0 &&
           verd_pool_free(pool) == 0;
}

static void spawn_more(void *gate)
{
    verd_pool_spawn_n(pool, stay_n, gate);
}

Test(pool, a_slot_that_was_handed_to_a_thread_that_is_gone_is_free_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, stay_n, &gate);
    verd_spawn_n(spawn_more, &gate);
    let_others_run();
    gate.open = true;
    while (gate.left == 0)
        verd_yield(); /* comes back before the spawner, which was handed the slot after it */
    cr_assert_eq(verd_pool_running(pool), 1);
    cr_assert_eq(verd_pool_waiting(pool), 0);
    cr_assert(process_child_finds(pool_is_idle));
}

/* The one job that had begun has a result, which is NULL. */
static bool pile_comes_to_its_end(void)
{
    void *result = "";
    int given = 0;
    while (given <= 2 && verd_pile_next(pile, &result) == 1)
        given++;
    verd_pile_free(pile);
    return given == 1 && verd_pool_free(pool) == 0;
}

static void spawn_in_pile(void *gate)
{
    verd_pile_spawn(pile, stay, gate);
}

Test(pile, whose_blocked_spawner_is_gone_comes_to_its_end_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    pool = verd_pool_new(1);
    pile = verd_pile_new(pool);
    verd_pile_spawn(pile, stay, &gate);
    verd_spawn_n(spawn_in_pile, &gate);
    let_others_run();
    cr_assert_eq(verd_pool_waiting(pool), 1);
    cr_assert(process_child_finds(pile_comes_to_its_end));
}

Test(pile, whose_job_in_place_is_gone_comes_to_its_end_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    pool = verd_pool_new(1);
    pile = verd_pile_new(pool);
    verd_pool_spawn_n(pool, spawn_in_pile, &gate);
    let_others_run();
    cr_assert_eq(gate.inside, 1);
    cr_assert(process_child_finds(pile_comes_to_its_end));
}

static void consume(void *arg)
{
    (void)arg;
    verd_pile_next(pile, NULL);
}

Test(pile, whose_woken_consumer_is_gone_can_be_consumed_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    pool = verd_pool_new(1);
    pile = verd_pile_new(pool);
    verd_pile_spawn(pile, stay, &gate);
    verd_spawn_n(consume, NULL);
    let_others_run();
    gate.open = true;
    while (gate.left == 0)
        verd_yield(); /* comes back before the consumer, which was woken after it */
    cr_assert_eq(verd_pile_length(pile), 1);
    cr_assert(process_child_finds(pile_comes_to_its_end));
}

static bool imap_is_cut_short(void)
{
    int given = 0;
    while (given <= 2 && verd_imap_next(imap, NULL) == 1)
        given++;
    bool told = errno == ECANCELED && verd_imap_next(imap, NULL) == 0;
    verd_imap_free(imap);
    return told && given <= 2 && verd_pool_free(pool) == 0;
}

Test(imap, whose_reader_waits_for_a_slot_is_cut_short_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    void *items[] = {&gate, &gate};
    pool = verd_pool_new(1);
    imap = verd_pool_imap_array(pool, stay, items, 2);
    let_others_run();
    cr_assert_eq(verd_pool_waiting(pool), 1);
    cr_assert(process_child_finds(imap_is_cut_short));
}

static void map_in_place(void *gate)
{
    static void *items[1];
    items[0] = gate;
    imap = verd_pool_imap_array(pool, stay, items, 1);
    let_others_run();
}

static bool imap_goes_and_pool_is_idle(void)
{
    verd_imap_free(imap);
    return pool_is_idle();
}

Test(imap, whose_item_runs_in_a_slot_lent_leaves_it_free_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, map_in_place, &gate);
    while (imap == NULL || verd_pool_running(pool) != 1)
        verd_yield();
    let_others_run();
    cr_assert(gate.inside == 1 && verd_pool_running(pool) == 1);
    cr_assert(process_child_finds(imap_goes_and_pool_is_idle));
}
