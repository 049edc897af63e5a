/* SPDX-License-Identifier: MIT */
/* The end of all that runs in a pool: what was given to it is not lost, and nobody else is touched. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"

static void note_killed_n(void *arg)
{
    note_killed(arg);
}

/* ---- pools ---- */

Test(pool, kill_ends_all_that_run_and_waits_for_them)
{
    verd_pool *pool = verd_pool_new(3);
    struct gate gate = {0};
    for (int i = 0; i < 3; i++)
        verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    let_others_run();
    cr_assert_eq(gate.inside, 3);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(gate.left, 3);
    finish(pool, NULL);
}

Test(pool, kill_of_an_idle_one_does_not_wait)
{
    verd_pool *pool = verd_pool_new(1);
    cr_assert_eq(verd_pool_kill(pool), 0);
    finish(pool, NULL);
}

Test(pool, kill_has_those_run_that_have_not_started)
{
    verd_pool *pool = verd_pool_new(2);
    void *result = NULL;
    verd_thread *thread = verd_pool_spawn(pool, note_killed, number(5));
    verd_pool_spawn_n(pool, note_killed_n, NULL);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(called, 2);
    cr_assert_eq(killed, 2);
    cr_assert_eq(verd_join(thread, &result), 0);
    cr_assert_eq(result, number(5));
    finish(pool, NULL);
}

struct spawner {
    verd_pool *pool;
    int got;
    bool killed;
};

static void *spawn_one(void *arg)
{
    struct spawner *spawner = arg;
    spawner->got = verd_pool_spawn_n(spawner->pool, note_killed_n, NULL);
    spawner->killed = verd_killed();
    return NULL;
}

Test(pool, kill_leaves_those_alone_who_wait_in_a_spawn)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    struct spawner spawner = {.pool = pool, .got = -2};
    verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    verd_thread *thread = verd_spawn(spawn_one, &spawner);
    let_others_run();
    cr_assert_eq(verd_pool_waiting(pool), 1);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(verd_join(thread, NULL), 0);
    cr_assert_eq(spawner.got, 0);
    cr_assert_not(spawner.killed);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(called, 1);
    cr_assert_eq(killed, 0);
    finish(pool, NULL);
}

/* Nothing is free in it, nor will be. */
Test(pool, kill_does_not_wait_for_those_who_wait_in_a_spawn)
{
    verd_pool *pool = verd_pool_new(0);
    struct spawner spawner = {.pool = pool};
    verd_thread *thread = verd_spawn(spawn_one, &spawner);
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(verd_pool_waiting(pool), 1);
    verd_kill(thread);
    cr_assert_eq(verd_join(thread, NULL), 0);
    cr_assert_eq(spawner.got, -1);
    finish(pool, NULL);
}

static void *spawn_until_killed(void *pool)
{
    while (verd_pool_spawn_n(pool, note_killed_n, NULL) == 0)
        continue;
    return NULL;
}

Test(pool, kill_ends_though_others_spawn_without_end_and_kills_nothing_that_comes_after_it)
{
    verd_pool *pool = verd_pool_new(4);
    struct gate gate = {0};
    verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    verd_thread *thread = verd_spawn(spawn_until_killed, pool);
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    let_others_run();
    cr_assert_leq(killed, 3);
    cr_assert_gt(called, killed);
    verd_kill(thread);
    cr_assert_eq(verd_join(thread, NULL), 0);
    finish(pool, NULL);
}

static void *spawn_in_shield(void *pool)
{
    verd_shield_begin();
    while (!verd_killed())
        verd_yield();
    cr_assert_eq(verd_pool_spawn_n(pool, note_killed_n, NULL), 0);
    verd_shield_end();
    return NULL;
}

Test(pool, kill_does_not_hold_its_own_members_whose_spawns_start_killed)
{
    verd_pool *pool = verd_pool_new(2);
    verd_release(verd_pool_spawn(pool, spawn_in_shield, pool));
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(killed, 1);
    finish(pool, NULL);
}

Test(pool, is_as_new_after_a_kill)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(verd_pool_spawn_n(pool, note_killed_n, NULL), 0);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(called, 1);
    cr_assert_eq(killed, 0);
    finish(pool, NULL);
}

static void *stay_in_shield(void *gate)
{
    verd_shield_begin();
    stay(gate);
    verd_shield_end();
    return note_killed(gate);
}

Test(pool, kill_waits_for_who_is_shielded)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_release(verd_pool_spawn(pool, stay_in_shield, &gate));
    let_others_run();
    verd_spawn_n(open_later, &gate);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(killed, 1);
    finish(pool, NULL);
}

/* Those that are killed stay so; those to come are not. */
Test(pool, kill_that_runs_out_of_time_has_killed)
{
    verd_pool *pool = verd_pool_new(2);
    struct gate gate = {0};
    verd_timeout limit;
    verd_release(verd_pool_spawn(pool, stay_in_shield, &gate));
    let_others_run();
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(fails(verd_pool_kill(pool) == -1, ETIMEDOUT));
    verd_timeout_end(&limit);
    verd_pool_spawn_n(pool, note_killed_n, NULL);
    let_others_run();
    cr_assert_eq(called, 1);
    cr_assert_eq(killed, 0);
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(killed, 1);
    finish(pool, NULL);
}

Test(pool, kill_leaves_other_pools_and_threads_alone)
{
    verd_pool *pool = verd_pool_new(1), *other = verd_pool_new(1);
    struct gate gate = {0}, others = {0};
    verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    verd_release(verd_pool_spawn(other, stay_forever, &others));
    verd_release(verd_spawn(stay_forever, &others));
    verd_release(verd_spawn_after(3600 * VERD_SEC, stay_forever, &others));
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(others.inside, 2);
    finish(pool, NULL);
}

static int endless(void *state, void **item)
{
    size_t *read = state;
    *item = number(++*read);
    return 1;
}

static int silent(void *state, void **item)
{
    (void)item;
    *(bool *)state = true;
    return verd_sleep(VERD_FOREVER);
}

Test(imap, whose_pool_is_killed_gives_what_it_has_and_then_ECANCELED)
{
    verd_pool *pool = verd_pool_new(2);
    size_t read = 0;
    void *result;
    verd_imap *it = verd_pool_imap(pool, echo, endless, &read);
    let_others_run();
    cr_assert_eq(verd_pool_kill(pool), 0);
    for (size_t i = 1; i <= read; i++) {
        cr_assert_eq(verd_imap_next(it, &result), 1);
        cr_assert_eq(result, number(i));
    }
    cr_assert(fails(verd_imap_next(it, &result) == -1, ECANCELED));
    cr_assert_eq(verd_imap_next(it, &result), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, whose_pool_is_killed_reads_its_source_no_more)
{
    verd_pool *pool = verd_pool_new(1);
    bool asked = false;
    verd_imap *it = verd_pool_imap(pool, echo, silent, &asked);
    let_others_run();
    cr_assert(asked);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, ECANCELED));
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, whose_pool_is_killed_before_it_reads_is_ECANCELED)
{
    verd_pool *pool = verd_pool_new(1);
    bool asked = false;
    verd_imap *it = verd_pool_imap(pool, echo, silent, &asked);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert_not(asked);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, ECANCELED));
    verd_imap_free(it);
    finish(pool, NULL);
}

/* The one item that waits for a slot says it, in its place. */
Test(imap, whose_pool_is_killed_while_an_item_waits_for_a_slot_is_ECANCELED_once)
{
    static void *const items[] = {NULL, NULL};
    verd_pool *pool = verd_pool_new(1);
    verd_imap *it = verd_pool_imap_array(pool, note_killed, items, 2);
    struct gate gate = {0};
    verd_release(verd_pool_spawn(pool, stay_forever, &gate));
    let_others_run();
    cr_assert_eq(verd_pool_waiting(pool), 1);
    cr_assert_eq(verd_pool_kill(pool), 0);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, ECANCELED));
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    cr_assert_eq(called, 0);
    verd_imap_free(it);
    finish(pool, NULL);
}
