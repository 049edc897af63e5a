/* SPDX-License-Identifier: MIT */
/* Members of a pool that have others work for them in the same pool: by an imap, and by a pile. */
#include <criterion/criterion.h>

#include <verd/pool.h>

#include "gate.h"

static verd_pool *shared;

/* A member that maps over items in its own pool, and sums up. */
static void *map_and_sum(void *depth)
{
    if (depth == NULL)
        return number(1);
    void *less = number((uintptr_t)depth - 1);
    void *items[] = {less, less, less};
    verd_imap *it = verd_pool_imap_array(shared, map_and_sum, items, 3);
    size_t sum = 1;
    void *result;
    while (verd_imap_next(it, &result) == 1)
        sum += (uintptr_t)result;
    verd_imap_free(it);
    return number(sum);
}

static void map_nested(size_t size)
{
    void *result = NULL;
    shared = verd_pool_new(size);
    verd_join(verd_pool_spawn(shared, map_and_sum, number(4)), &result);
    cr_assert_eq(result, number(121));
    cr_assert_eq(verd_pool_wait_all(shared), 0);
    cr_assert_eq(verd_pool_free(shared), 0);
}

Test(imap, of_a_member_of_its_pool_of_one_does_not_deadlock)
{
    map_nested(1);
}

Test(imap, nests_in_a_pool_that_is_full_at_times)
{
    map_nested(5);
}

static void map_and_free(void *gate)
{
    void *items[] = {gate, gate};
    verd_imap *it = verd_pool_imap_array(shared, stay_forever, items, 2);
    let_others_run();
    verd_imap_free(it);
}

Test(imap, freed_early_kills_what_it_runs_in_place)
{
    struct gate gate = {0};
    shared = verd_pool_new(1);
    verd_pool_spawn_n(shared, map_and_free, &gate);
    cr_assert_eq(verd_pool_wait_all(shared), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(gate.most, 1);
    cr_assert_eq(verd_pool_free(shared), 0);
}

static verd_imap *kept, *outer;

/* A member that ends before what it has begun; with or without a turn for its first item. */
static void map_and_leave(void *gate)
{
    static void *items[3];
    items[0] = items[1] = items[2] = gate;
    kept = verd_pool_imap_array(shared, stay, items, 3);
}

static void map_and_leave_later(void *gate)
{
    map_and_leave(gate);
    let_others_run();
}

static void spawn_one_more(void *gate)
{
    verd_pool_spawn_n(shared, stay_n, gate);
}

/* No more than one at a time, whoever has ended; and all get their turn. */
static void leave_and_spawn(void (*member)(void *))
{
    struct gate gate = {0};
    shared = verd_pool_new(1);
    verd_pool_spawn_n(shared, member, &gate);
    for (int i = 0; i < 3; i++) {
        verd_spawn_n(spawn_one_more, &gate);
        let_others_run();
    }
    cr_expect_leq(verd_pool_running(shared), 1);
    verd_spawn_n(open_later, &gate);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(verd_imap_next(kept, NULL), 1);
    cr_expect_eq(verd_pool_wait_all(shared), 0);
    cr_expect_eq(gate.left, 6);
    cr_expect_eq(gate.most, 1);
    verd_imap_free(kept);
    verd_imap_free(outer); /* NULL: there was none */
    finish(shared, NULL);
}

Test(imap, whose_member_has_ended_takes_slots_of_its_own)
{
    leave_and_spawn(map_and_leave);
}

Test(imap, whose_member_ends_while_an_item_runs_in_its_slot_keeps_it_until_then)
{
    leave_and_spawn(map_and_leave_later);
}

/* An item that runs in a slot lent, and lends it on. */
static void *map_on(void *gate)
{
    map_and_leave_later(gate);
    return gate;
}

static void map_and_leave_twice(void *gate)
{
    static void *items[1];
    items[0] = gate;
    outer = verd_pool_imap_array(shared, map_on, items, 1);
    let_others_run();
}

Test(imap, of_an_item_in_a_slot_that_is_lent_keeps_it_when_both_have_ended)
{
    leave_and_spawn(map_and_leave_twice);
}

/* A member that dispatches to others of its own pool, and sums up. */
static void *dispatch(void *depth)
{
    if (depth == NULL)
        return number(1);
    verd_pile *pile = verd_pile_new(shared);
    size_t sum = 1;
    void *result;
    for (int i = 0; i < 3; i++)
        verd_pile_spawn(pile, dispatch, number((uintptr_t)depth - 1));
    while (verd_pile_next(pile, &result) == 1)
        sum += (uintptr_t)result;
    verd_pile_free(pile);
    return number(sum);
}

static void dispatch_nested(size_t size)
{
    void *result = NULL;
    shared = verd_pool_new(size);
    verd_join(verd_pool_spawn(shared, dispatch, number(4)), &result);
    cr_assert_eq(result, number(121));
    cr_assert_eq(verd_pool_free(shared), 0);
}

Test(pile, of_a_member_of_its_pool_of_one_does_not_deadlock)
{
    dispatch_nested(1);
}

Test(pile, nests_in_a_pool_that_is_full_at_times)
{
    dispatch_nested(5);
}
