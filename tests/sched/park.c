/* SPDX-License-Identifier: MIT */

/* Park and unpark, of which others build their own primitives. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

static char order[64];
static int parked;

/* Parks once, then writes its letter down. */
static void *park_and_note(void *letter)
{
    parked++;
    if (verd_park() == 0)
        strcat(order, letter);
    return NULL;
}

static void *note(void *letter)
{
    strcat(order, letter);
    return NULL;
}

Test(sched, a_parked_thread_does_not_run)
{
    verd_spawn(park_and_note, "a");
    verd_sleep(VERD_MS);
    cr_assert(parked == 1 && order[0] == '\0');
}

Test(sched, an_unparked_thread_runs)
{
    verd_thread *t = verd_spawn(park_and_note, "a");
    verd_yield();
    verd_unpark(t);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, an_unpark_that_comes_before_the_start_is_kept)
{
    verd_thread *t = verd_spawn(park_and_note, "a");
    verd_unpark(t);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, an_unpark_that_comes_before_a_delayed_start_is_kept)
{
    verd_thread *t = verd_spawn_after(VERD_MS, park_and_note, "a");
    verd_unpark(t);
    verd_join(t, NULL);
    cr_assert_str_eq(order, "a");
}

Test(sched, an_unpark_of_oneself_is_kept)
{
    verd_unpark(verd_self());
    cr_assert_eq(verd_park(), 0);
}

static void *park_twice(void *letter)
{
    park_and_note(letter);
    park_and_note(letter);
    return NULL;
}

Test(sched, only_one_unpark_is_kept)
{
    verd_thread *t = verd_spawn(park_twice, "a");
    verd_unpark(t);
    verd_unpark(t);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, a_second_unpark_of_a_thread_that_is_to_run_is_kept)
{
    verd_thread *t = verd_spawn(park_twice, "a");
    verd_yield();
    verd_unpark(t);
    verd_unpark(t);
    verd_yield();
    cr_assert_str_eq(order, "aa");
}

static void *sleep_then_park(void *letter)
{
    verd_sleep(VERD_MS);
    return park_and_note(letter);
}

Test(sched, an_unpark_does_not_end_a_sleep_but_is_kept_for_the_park_after_it)
{
    verd_duration begin = verd_now();
    verd_thread *t = verd_spawn(sleep_then_park, "a");
    verd_yield();
    verd_unpark(t);
    verd_join(t, NULL);
    cr_assert(strcmp(order, "a") == 0 && verd_now() - begin >= VERD_MS);
}

Test(sched, a_permit_does_not_pass_to_the_next_thread_on_the_stack)
{
    verd_thread *t = verd_spawn(note, "a");
    verd_unpark(t);
    verd_join(t, NULL);
    verd_spawn(park_and_note, "b");
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, unparking_no_thread_or_an_ended_one_does_nothing)
{
    verd_thread *t = verd_spawn(note, "a");
    verd_wait(t, NULL);
    verd_unpark(t);
    verd_unpark(NULL);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, unparked_threads_run_in_the_order_of_unparking)
{
    verd_thread *a = verd_spawn(park_and_note, "a");
    verd_thread *b = verd_spawn(park_and_note, "b");
    verd_thread *c = verd_spawn(park_and_note, "c");
    verd_yield();
    verd_unpark(c);
    verd_unpark(a);
    verd_unpark(b);
    verd_yield();
    cr_assert_str_eq(order, "cab");
}

Test(sched, an_unparked_thread_runs_behind_those_that_can_already)
{
    verd_thread *a = verd_spawn(park_and_note, "a");
    verd_yield();
    verd_spawn(note, "b");
    verd_unpark(a);
    verd_spawn(note, "c");
    verd_yield();
    cr_assert_str_eq(order, "bac");
}

static verd_thread *ping, *pong;
static size_t rounds;

static void *play(void *other)
{
    verd_thread **to = other;
    for (int i = 0; i < 1000; i++) {
        verd_park();
        rounds++;
        verd_unpark(*to);
    }
    return NULL;
}

Test(sched, two_threads_can_hand_control_to_each_other)
{
    ping = verd_spawn(play, &pong);
    pong = verd_spawn(play, &ping);
    verd_unpark(ping);
    verd_join(pong, NULL);
    cr_assert_eq(rounds, 2000);
}
