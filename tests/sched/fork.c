/* SPDX-License-Identifier: MIT */

/* In the child of a fork the calling thread is alone; what the others waited for is whole. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

#include "process.h"
#include "sched/scheduler.h"

static verd_thread *other;
static verd_key key;
static bool called;

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *run(void *arg)
{
    called = true;
    return arg;
}

static bool waiting_finds_nobody(void)
{
    errno = 0;
    return verd_wait(other, NULL) == -1 && errno == ESRCH;
}

Test(sched, a_parked_thread_is_gone_in_the_child_of_a_fork)
{
    other = verd_spawn(park, NULL);
    verd_yield();
    cr_assert(process_child_finds(waiting_finds_nobody));
}

static bool nothing_runs(void)
{
    for (int i = 0; i < 10; i++)
        verd_yield();
    return !called && verd__scheduler()->timers.armed == 0;
}

Test(sched, unstarted_threads_do_not_run_in_the_child_of_a_fork)
{
    verd_attr attr = {.name = "bound"};
    verd_spawn(run, NULL);
    verd_spawn_with(&attr, run, NULL);
    verd_spawn_after(1, run, NULL);
    cr_assert(process_child_finds(nothing_runs));
}

static void *wait_in_every_way(void *number)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_SEC);
    switch ((intptr_t)number % 3) {
    case 0:
        verd_sleep(3600 * VERD_SEC);
        break;
    case 1:
        verd_wait(other, NULL);
        break;
    default:
        verd_yield();
        verd_yield();
    }
    return run(NULL);
}

Test(sched, started_threads_do_not_run_on_in_the_child_of_a_fork)
{
    other = verd_spawn(park, NULL);
    for (intptr_t i = 0; i < 9; i++)
        verd_spawn(wait_in_every_way, (void *)i);
    verd_yield();
    cr_assert(process_child_finds(nothing_runs));
}

static void note_link(verd_thread *t, void *arg)
{
    (void)t;
    run(arg);
}

static void note_value(void *value)
{
    run(value);
}

static void *set_and_park(void *value)
{
    verd_set(key, value);
    return park(value);
}

Test(sched, links_and_destructors_of_the_threads_that_are_gone_are_not_called_in_the_child)
{
    verd_key_create(&key, note_value);
    other = verd_spawn(set_and_park, "value");
    verd_link(other, note_link, NULL);
    verd_yield();
    cr_assert(process_child_finds(nothing_runs));
}

static void *set_and_wait(void *value)
{
    verd_timeout timeout;
    verd_set(key, value);
    verd_timeout_begin(&timeout, VERD_SEC);
    verd_park();
    return value;
}

static void *see_nothing_of_before(void *arg)
{
    verd_timeout timeout;
    bool had_scope = verd_timeout_end(&timeout) || verd__scheduler()->timers.armed != 0;
    return verd_get(key) == NULL && !had_scope && verd_name(verd_self())[0] == '\0' ? arg : NULL;
}

/* On the stacks of those who are gone. */
static bool new_threads_have_nothing_of_the_gone(void)
{
    verd_thread *threads[20];
    size_t good = 0;
    for (size_t i = 0; i < 20; i++)
        threads[i] = verd_spawn(see_nothing_of_before, threads);
    for (size_t i = 0; i < 20; i++) {
        void *result = NULL;
        good += verd_join(threads[i], &result) == 0 && result == threads;
    }
    return good == 20;
}

Test(sched, threads_of_the_child_of_a_fork_have_no_locals_scopes_or_names_of_the_gone)
{
    verd_attr attr = {.name = "gone"};
    verd_key_create(&key, NULL);
    for (int i = 0; i < 20; i++)
        verd_spawn_with(&attr, set_and_wait, "value");
    verd_yield();
    cr_assert(process_child_finds(new_threads_have_nothing_of_the_gone));
}

static verd_pile *pile;

static bool pile_gives_all(void)
{
    void *result = "";
    int given = 0;
    while (verd_pile_next(pile, &result) == 1)
        given++;
    return given == 2;
}

Test(sched, a_pile_whose_threads_are_gone_comes_to_its_end_in_the_child)
{
    pile = verd_pile_sized(2);
    for (int i = 0; i < 2; i++)
        verd_pile_spawn(pile, park, NULL);
    verd_yield();
    cr_assert(process_child_finds(pile_gives_all));
}

static verd_thread *linked;

static void park_in_link(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    verd_park();
}

Test(sched, a_thread_that_waits_in_its_link_is_gone_in_the_child_of_a_fork)
{
    linked = verd_spawn(run, NULL);
    verd_link(linked, park_in_link, NULL);
    verd_link(linked, note_link, NULL);
    other = verd_spawn(park, NULL);
    verd_yield();
    called = false;
    cr_assert(process_child_finds(nothing_runs));
}

static bool can_spawn_many(void)
{
    void *result = NULL;
    for (int i = 0; i < 1000; i++)
        verd_spawn_n(note_value, NULL);
    return verd_join(verd_spawn(run, "result"), &result) == 0 && strcmp(result, "result") == 0;
}

Test(sched, the_child_of_a_fork_has_green_threads_of_its_own)
{
    for (int i = 0; i < 100; i++)
        verd_spawn(park, NULL);
    verd_yield();
    cr_assert(process_child_finds(can_spawn_many));
}

Test(sched, a_fork_leaves_the_threads_of_the_parent_alone)
{
    void *result = NULL;
    other = verd_spawn(park, "result");
    verd_yield();
    process_child_finds(waiting_finds_nobody);
    verd_unpark(other);
    verd_join(other, &result);
    cr_assert_str_eq(result, "result");
}

static void *yield_once(void *arg)
{
    verd_yield();
    return run(arg);
}

static size_t counted;

static void *count_oneself(void *arg)
{
    counted++;
    return arg;
}

/* Each control block serves one of them. */
static bool nobody_runs_but_who_is_spawned(void)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    verd_thread *threads[200];
    size_t good = 0;
    if (scheduler->batch != NULL || scheduler->first != NULL)
        return false;
    for (size_t i = 0; i < 200; i++)
        threads[i] = verd_spawn(count_oneself, &threads[i]);
    for (size_t i = 0; i < 200; i++) {
        void *result = NULL;
        good += verd_join(threads[i], &result) == 0 && result == &threads[i];
    }
    return good == 200 && counted == 200 && !called;
}

static void *fork_in_round(void *result)
{
    if (*(bool *)result)
        verd_yield(); /* behind it, all have begun */
    called = false;
    *(bool *)result = process_child_finds(nobody_runs_but_who_is_spawned);
    return result;
}

/* Of its round, the others are still to come: some have begun, and some have not. */
Test(sched, those_who_had_their_turn_next_do_not_run_in_the_child_of_a_fork)
{
    for (int i = 0; i < 2; i++) {
        bool found = i == 1;
        verd_thread *forker = verd_spawn(fork_in_round, &found);
        for (int k = 0; k < 10; k++)
            verd_release(verd_spawn(yield_once, NULL));
        verd_join(forker, NULL);
        cr_assert(found);
        while (!called) /* the last ones end */
            verd_yield();
        verd_yield();
    }
}

static void *fork_here(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)process_child_finds(can_spawn_many);
}

Test(sched, a_thread_that_is_not_main_can_fork)
{
    void *result = NULL;
    verd_join(verd_spawn(fork_here, NULL), &result);
    cr_assert_not_null(result);
}
