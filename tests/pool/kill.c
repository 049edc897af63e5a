/* SPDX-License-Identifier: MIT */
/* The end of all that runs in a pool or for a pile: what was given to it is not lost, and nobody else is touched. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"

/* What the functions of a test have seen. */
static size_t called, killed;

static void *note_killed(void *arg)
{
    called++;
    killed += verd_sleep(0) == -1 && errno == ECANCELED && verd_killed();
    return arg;
}

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

/* ---- piles ---- */

static void *fail_when_killed(void *arg)
{
    return verd_sleep(VERD_FOREVER) == 0 ? arg : verd_fail(errno);
}

Test(pile, kill_ends_what_runs_and_keeps_each_result)
{
    verd_pile *pile = verd_pile_sized(4);
    verd_pile_spawn(pile, fail_when_killed, NULL);
    verd_pile_spawn(pile, echo, number(2));
    let_others_run();
    verd_pile_spawn(pile, note_killed, number(3));
    cr_assert_eq(verd_pile_kill(pile), 0);
    cr_assert_eq(verd_pile_length(pile), 3);
    void *result = NULL;
    cr_assert(fails(verd_pile_next(pile, &result) == -1, ECANCELED));
    cr_assert_eq(verd_pile_next(pile, &result), 1);
    cr_assert_eq(result, number(2));
    cr_assert_eq(verd_pile_next(pile, &result), 1);
    cr_assert_eq(result, number(3));
    cr_assert_eq(killed, 1);
    cr_assert_eq(verd_pile_next(pile, &result), 0);
    verd_pile_free(pile);
}

Test(pile, kill_leaves_others_of_its_pool_alone)
{
    verd_pool *pool = verd_pool_new(3);
    verd_pile *pile = verd_pile_new(pool), *other = verd_pile_new(pool);
    struct gate gate = {0}, others = {0};
    verd_pile_spawn(pile, stay_forever, &gate);
    verd_pile_spawn(other, stay_forever, &others);
    verd_pool_spawn_n(pool, stay_n, &others);
    let_others_run();
    cr_assert_eq(verd_pile_kill(pile), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(others.inside, 2);
    cr_assert_eq(verd_pile_kill(other), 0);
    verd_pile_free(pile);
    verd_pile_free(other);
    finish(pool, &others);
}

struct pile_spawner {
    verd_pile *pile;
    int got;
};

static void *spawn_in_pile(void *arg)
{
    struct pile_spawner *spawner = arg;
    spawner->got = verd_pile_spawn(spawner->pile, note_killed, NULL);
    return NULL;
}

Test(pile, kill_has_that_run_whose_spawner_waits)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct pile_spawner spawner = {.pile = pile, .got = -2};
    verd_pile_spawn(pile, stay_forever, &gate);
    verd_thread *thread = verd_spawn(spawn_in_pile, &spawner);
    let_others_run();
    cr_assert_eq(verd_pile_kill(pile), 0);
    cr_assert_eq(verd_join(thread, NULL), 0);
    cr_assert_eq(spawner.got, 0);
    cr_assert_eq(killed, 1);
    cr_assert_eq(verd_pile_length(pile), 2);
    verd_pile_free(pile);
}

static void *spawn_in_pile_until_killed(void *pile)
{
    while (verd_pile_spawn(pile, note_killed, NULL) == 0)
        continue;
    return NULL;
}

Test(pile, kill_ends_though_others_spawn_without_end)
{
    verd_pile *pile = verd_pile_sized(4);
    struct gate gate = {0};
    verd_pile_spawn(pile, stay_forever, &gate);
    verd_thread *thread = verd_spawn(spawn_in_pile_until_killed, pile);
    let_others_run();
    cr_assert_eq(verd_pile_kill(pile), 0);
    let_others_run();
    cr_assert_leq(killed, 4);
    cr_assert_gt(called, killed);
    verd_kill(thread);
    cr_assert_eq(verd_join(thread, NULL), 0);
    verd_pile_free(pile);
}

static void *stay_shielded(void *gate)
{
    verd_shield_begin();
    stay(gate);
    verd_shield_end();
    return NULL;
}

/* A pile with a job that stays, somebody who kills it, and somebody whose spawn is held until that is over. */
struct killing {
    verd_pile *pile;
    struct gate gate;
    struct pile_spawner spawner;
    verd_thread *killer, *thread;
};

static void *kill_pile(void *pile)
{
    return number((size_t)(verd_pile_kill(pile) == 0));
}

static void begin_killing(struct killing *killing, verd_pile *pile)
{
    killing->pile = pile;
    killing->spawner = (struct pile_spawner){.pile = pile, .got = -2};
    cr_assert_eq(verd_pile_spawn(pile, stay_shielded, &killing->gate), 0);
    let_others_run();
    killing->killer = verd_spawn(kill_pile, pile);
    let_others_run();
    killing->thread = verd_spawn(spawn_in_pile, &killing->spawner);
    let_others_run();
    cr_assert_eq(killing->spawner.got, -2);
}

Test(pile, who_comes_to_spawn_during_a_kill_goes_on_when_it_is_over)
{
    struct killing killing = {0};
    void *done;
    begin_killing(&killing, verd_pile_sized(2));
    killing.gate.open = true;
    cr_assert_eq(verd_join(killing.killer, &done), 0);
    cr_assert_eq(done, number(1));
    cr_assert_eq(verd_join(killing.thread, NULL), 0);
    cr_assert_eq(killing.spawner.got, 0);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(called, 1);
    cr_assert_eq(killed, 0);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 0);
    verd_pile_free(killing.pile);
}

Test(pile, who_comes_to_spawn_during_a_kill_goes_on_when_it_was_given_up)
{
    struct killing killing = {0};
    begin_killing(&killing, verd_pile_sized(2));
    verd_kill(killing.killer);
    cr_assert_eq(verd_join(killing.killer, NULL), 0);
    cr_assert_eq(verd_join(killing.thread, NULL), 0);
    cr_assert_eq(killing.spawner.got, 0);
    killing.gate.open = true;
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(killed, 0);
    verd_pile_free(killing.pile);
}

Test(pile, that_is_freed_during_a_kill_refuses_who_came_to_spawn)
{
    struct killing killing = {0};
    begin_killing(&killing, verd_pile_sized(2));
    verd_pile_free(killing.pile);
    killing.gate.open = true;
    cr_assert_eq(verd_join(killing.killer, NULL), 0);
    cr_assert_eq(verd_join(killing.thread, NULL), 0);
    cr_assert_eq(killing.spawner.got, -1);
    cr_assert_eq(called, 0);
}

Test(pile, who_is_killed_as_he_waits_for_the_end_of_a_kill_has_spawned_nothing)
{
    struct killing killing = {0};
    begin_killing(&killing, verd_pile_sized(2));
    verd_kill(killing.thread);
    cr_assert_eq(verd_join(killing.thread, NULL), 0);
    cr_assert_eq(killing.spawner.got, -1);
    killing.gate.open = true;
    cr_assert_eq(verd_join(killing.killer, NULL), 0);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 0);
    verd_pile_free(killing.pile);
}

/* Its one waits for a slot, and then is not to be. */
Test(pile, kill_ends_when_the_last_spawner_gives_up)
{
    verd_pool *pool = verd_pool_new(0);
    verd_pile *pile = verd_pile_new(pool);
    struct pile_spawner spawner = {.pile = pile};
    verd_thread *thread = verd_spawn(spawn_in_pile, &spawner);
    let_others_run();
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(fails(verd_pile_kill(pile) == -1, ETIMEDOUT));
    verd_timeout_end(&limit);
    verd_kill(thread);
    cr_assert_eq(verd_pile_kill(pile), 0);
    cr_assert_eq(spawner.got, -1);
    cr_assert_eq(called, 0);
    cr_assert_eq(verd_pile_length(pile), 0);
    verd_pile_free(pile);
    finish(pool, NULL);
}

Test(pile, can_be_used_again_after_a_kill)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    verd_pile_spawn(pile, stay_forever, &gate);
    let_others_run();
    cr_assert_eq(verd_pile_kill(pile), 0);
    cr_assert_eq(verd_pile_spawn(pile, note_killed, NULL), 0);
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    cr_assert_eq(called, 1);
    cr_assert_eq(killed, 0);
    verd_pile_free(pile);
}

/* A member of its full pool, that runs what it spawns itself. */
static bool deadlocks;

static void *kill_own(void *pile)
{
    deadlocks = fails(verd_pile_kill(pile) == -1, EDEADLK);
    return NULL;
}

static void dispatch(void *pile)
{
    verd_pile_spawn(pile, kill_own, pile);
}

Test(pile, is_not_killed_by_what_it_runs_in_place)
{
    verd_pool *pool = verd_pool_new(1);
    verd_pile *pile = verd_pile_new(pool);
    verd_pool_spawn_n(pool, dispatch, pile);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert(deadlocks);
    verd_pile_free(pile);
    finish(pool, NULL);
}
