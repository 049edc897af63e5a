/* SPDX-License-Identifier: MIT */

/* An imap that a member of a pool has made borrows the member's slot, for as long as it is the member's:
 * a pool never runs more than it has slots. */
#include <criterion/criterion.h>

#include "gate.h"

static verd_pool *pool;
static verd_imap *imap;
static size_t inside, most; /* functions that run in the pool now, and at most */

/* An item of the imap, and a member that the pool runs for others. */
static void *run_item(void *arg)
{
    if (++inside > most)
        most = inside;
    let_others_run();
    inside--;
    return arg;
}

static void run_other(void *arg)
{
    run_item(arg);
}

static void *array[] = {"one", "two", "three", "four", "five", "six"};

#define ITEMS (sizeof array / sizeof *array)

static void make_imap(void *arg)
{
    (void)arg;
    imap = verd_pool_imap_array(pool, run_item, array, ITEMS);
}

/* Stays until the imap has begun to run an item. */
static void make_imap_and_stay(void *arg)
{
    make_imap(arg);
    while (inside == 0)
        verd_yield();
}

static void spawn_others(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < ITEMS; i++)
        verd_pool_spawn_n(pool, run_other, NULL);
}

static void play(size_t size, void (*member)(void *))
{
    size_t results = 0;
    pool = verd_pool_new(size);
    for (size_t i = 1; i < size; i++)
        verd_pool_spawn_n(pool, run_other, NULL);
    verd_pool_spawn_n(pool, member, NULL);
    verd_spawn_n(spawn_others, NULL);
    while (imap == NULL)
        verd_yield();
    while (verd_imap_next(imap, NULL) == 1)
        results++;
    verd_imap_free(imap);
    finish(pool, NULL);
    cr_expect_eq(results, ITEMS);
}

Test(imap, made_by_a_member_that_has_ended_waits_for_slots_like_others)
{
    play(1, make_imap);
    cr_assert_leq(most, 1);
}

Test(imap, made_by_a_member_that_ends_while_an_item_runs_in_its_slot_keeps_the_slot_so_long)
{
    play(1, make_imap_and_stay);
    cr_assert_leq(most, 1);
}

Test(imap, made_by_a_member_of_several_that_has_ended_waits_for_slots_like_others)
{
    play(3, make_imap);
    cr_assert_leq(most, 3);
}

static void *make_imap_as_item(void *arg)
{
    make_imap(arg);
    return arg;
}

/* The outer imap's items run in the slot that it has borrowed, and make the inner one. */
static void map_in_map(void *arg)
{
    static void *one[] = {"one"};
    (void)arg;
    verd_imap *outer = verd_pool_imap_array(pool, make_imap_as_item, one, 1);
    while (verd_imap_next(outer, NULL) == 1)
        ;
    verd_imap_free(outer);
}

Test(imap, made_in_a_borrowed_slot_waits_for_slots_like_others_when_the_member_has_ended)
{
    play(1, map_in_map);
    cr_assert_leq(most, 1);
}

static bool member_is_gone;
static size_t spawned;

static void count_spawned(void *arg)
{
    (void)arg;
    spawned++;
}

/* When the member that has lent its slot has ended. */
static void *spawn_when_member_is_gone(void *arg)
{
    inside++;
    while (!member_is_gone)
        verd_yield();
    verd_pool_spawn_n(pool, count_spawned, NULL);
    inside--;
    return arg;
}

static void note_gone(verd_thread *thread, void *arg)
{
    (void)thread, (void)arg;
    member_is_gone = true;
}

static void *make_imap_that_spawns(void *arg)
{
    static void *one[] = {"one"};
    imap = verd_pool_imap_array(pool, spawn_when_member_is_gone, one, 1);
    while (inside == 0)
        verd_yield();
    return arg;
}

Test(imap, whose_item_runs_in_the_slot_of_a_member_that_has_ended_spawns_in_place)
{
    pool = verd_pool_new(1);
    verd_thread *member = verd_pool_spawn(pool, make_imap_that_spawns, NULL);
    verd_link(member, note_gone, NULL);
    verd_release(member);
    while (!member_is_gone)
        verd_yield();
    let_others_run();
    cr_assert_eq(verd_pool_waiting(pool), 0);
    cr_assert_eq(spawned, 1);
    cr_assert_eq(verd_imap_next(imap, NULL), 1);
    verd_imap_free(imap);
    finish(pool, NULL);
}
