/* SPDX-License-Identifier: MIT */

/* verd_ended in the functions that are called at the end of a thread: what it says and what verd_wait does
 * agree. */
#include <criterion/criterion.h>

#include <verd.h>

static bool ended, got;

static void ask(verd_thread *t, void *arg)
{
    void *result = NULL;
    (void)arg;
    ended = verd_ended(t);
    got = verd_wait(t, &result) == 0 && result != NULL;
}

static void *give_back(void *arg)
{
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, a_thread_that_has_returned_has_ended_in_its_link)
{
    verd_thread *t = verd_spawn(give_back, "result");
    verd_link(t, ask, NULL);
    cr_expect_not(verd_ended(t));
    verd_yield();
    cr_assert(ended && got);
}

Test(sched, a_thread_that_was_killed_while_it_ran_has_ended_in_its_link)
{
    verd_thread *t = verd_spawn(park, "result");
    verd_link(t, ask, NULL);
    verd_yield();
    verd_kill(t);
    cr_expect_not(verd_ended(t));
    verd_yield();
    cr_assert(ended); /* verd_wait is of a killed thread, and fails or not */
}

Test(sched, a_thread_that_was_killed_before_it_started_has_ended_in_its_link)
{
    verd_thread *t = verd_spawn(give_back, "result");
    verd_link(t, ask, NULL);
    verd_kill(t);
    cr_assert(ended && !got);
}

Test(sched, a_member_of_a_pool_has_ended_in_its_link)
{
    verd_pool *pool = verd_pool_new(1);
    verd_thread *t = verd_pool_spawn(pool, give_back, "result");
    verd_link(t, ask, NULL);
    verd_yield();
    cr_assert(ended && got);
}

static verd_thread *ending;
static bool blocked;

static void give_way(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    for (int i = 0; i < 3; i++)
        verd_yield();
}

static void *wait_if_ended(void *arg)
{
    bool has_ended = verd_ended(ending);
    blocked = has_ended;
    verd_wait(ending, NULL);
    blocked = false;
    return arg;
}

/* Whatever verd_ended says of one whose link gives way, a wait does not contradict it. */
Test(sched, a_wait_for_who_is_said_to_have_ended_does_not_block)
{
    ending = verd_spawn(give_back, "result");
    verd_link(ending, give_way, NULL);
    verd_yield(); /* in its link */
    verd_spawn(wait_if_ended, NULL);
    verd_yield();
    cr_assert_not(blocked);
}
