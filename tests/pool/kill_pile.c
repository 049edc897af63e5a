/* SPDX-License-Identifier: MIT */
/* The end of all that runs for a pile: each result is kept, and nobody else is touched. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"
#include "process.h"

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

static bool nobody_is_left(void)
{
    return verd_sleep(VERD_MS) == 0;
}

Test(pile, who_waits_for_the_end_of_a_kill_is_gone_in_the_child_of_a_fork)
{
    struct killing killing = {0};
    begin_killing(&killing, verd_pile_sized(2));
    cr_assert(process_child_finds(nobody_is_left));
    killing.gate.open = true;
    cr_assert_eq(verd_join(killing.killer, NULL), 0);
    cr_assert_eq(verd_join(killing.thread, NULL), 0);
    cr_assert_eq(killing.spawner.got, 0);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    cr_assert_eq(verd_pile_next(killing.pile, NULL), 1);
    verd_pile_free(killing.pile);
}

static void *leave_a_killing(void *arg)
{
    static struct killing killing;
    verd_pool *pool = verd_pool_new(2);
    begin_killing(&killing, verd_pile_new(pool));
    return arg;
}

/* What they have allocated is asked for by the sanitizer. */
Test(pile, who_waits_for_the_end_of_a_kill_is_gone_with_its_os_thread)
{
    on_another_os_thread(leave_a_killing, NULL);
    cr_assert_eq(called, 0);
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
