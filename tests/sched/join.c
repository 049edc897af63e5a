/* SPDX-License-Identifier: MIT */

/* What verd_join and verd_wait say, and whether the handle is still held: that the thread never ran is one
 * thing (ESRCH, and a join has released it), that the caller was killed another (ECANCELED, it is kept). */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd.h>

#include "caller.h"
#include "process.h"

static verd_thread *target;
static struct caller caller;

static void *give_back(void *arg)
{
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static int join(struct caller *self)
{
    return verd_join(target, &self->item);
}

static int wait(struct caller *self)
{
    return verd_wait(target, &self->item);
}

static int killed_join(struct caller *self)
{
    verd_kill(verd_self());
    return join(self);
}

/* The outcome of the main thread's call. */
static int outcome_of(int (*call)(struct caller *))
{
    caller = (struct caller){0};
    return caller_outcome(call(&caller));
}

Test(sched, joining_who_was_killed_before_it_started_is_ESRCH_and_releases_it)
{
    target = verd_spawn(give_back, NULL);
    verd_kill(target);
    cr_expect_eq(outcome_of(join), -ESRCH);
    verd_yield();
    cr_expect_eq(outcome_of(join), -EINVAL);
}

Test(sched, joining_who_was_cancelled_is_ESRCH_and_releases_it)
{
    target = verd_spawn_after(VERD_SEC, give_back, NULL);
    verd_cancel(target);
    cr_expect_eq(outcome_of(join), -ESRCH);
    verd_yield();
    cr_expect_eq(outcome_of(join), -EINVAL);
}

Test(sched, waiting_for_who_never_ran_is_ESRCH_as_often_as_it_is_asked)
{
    target = verd_spawn(give_back, NULL);
    verd_kill(target);
    cr_expect_eq(outcome_of(wait), -ESRCH);
    cr_expect_eq(outcome_of(wait), -ESRCH);
    cr_expect_eq(outcome_of(join), -ESRCH);
}

Test(sched, who_joins_already_is_told_by_ESRCH_that_it_will_not_run)
{
    target = verd_spawn_after(VERD_SEC, give_back, NULL);
    caller_start(&caller, join, NULL, NULL);
    cr_assert_not(caller.done);
    verd_kill(target);
    cr_expect_eq(caller_end(&caller), -ESRCH);
}

Test(sched, a_member_of_a_pool_that_never_ran_is_ESRCH)
{
    verd_pool *pool = verd_pool_new(1);
    target = verd_pool_spawn(pool, give_back, NULL);
    verd_kill(target);
    cr_expect_eq(outcome_of(join), -ESRCH);
}

Test(sched, who_was_killed_after_it_had_started_has_a_result)
{
    target = verd_spawn(park, "result");
    verd_yield();
    verd_kill(target);
    cr_expect_eq(outcome_of(join), 0);
    cr_expect_str_eq(caller.item, "result");
}

Test(sched, joining_in_a_killed_thread_is_ECANCELED_and_keeps_the_handle)
{
    target = verd_spawn(give_back, "result");
    caller_start(&caller, killed_join, NULL, NULL);
    cr_expect_eq(caller_end(&caller), -ECANCELED);
    cr_expect_eq(outcome_of(join), 0);
    cr_expect_str_eq(caller.item, "result");
}

/* What the caller is comes first: as everywhere, its calls fail from now on. */
Test(sched, joining_who_never_ran_in_a_killed_thread_is_ECANCELED_and_keeps_the_handle)
{
    target = verd_spawn(give_back, NULL);
    verd_kill(target);
    caller_start(&caller, killed_join, NULL, NULL);
    cr_expect_eq(caller_end(&caller), -ECANCELED);
    cr_expect_eq(outcome_of(join), -ESRCH);
}

/* A caller that was killed while it waited for one that then did not start: it is told of itself. */
Test(sched, a_join_that_is_killed_before_its_target_is_ECANCELED_and_keeps_the_handle)
{
    target = verd_spawn_after(VERD_SEC, give_back, NULL);
    caller_start(&caller, join, NULL, NULL);
    verd_kill(caller.thread);
    verd_kill(target);
    cr_expect_eq(caller_end(&caller), -ECANCELED);
    cr_expect_eq(outcome_of(join), -ESRCH);
}

Test(sched, a_join_whose_target_is_killed_first_is_ESRCH_and_releases_it)
{
    target = verd_spawn_after(VERD_SEC, give_back, NULL);
    caller_start(&caller, join, NULL, NULL);
    verd_kill(target);
    verd_kill(caller.thread);
    cr_expect_eq(caller_end(&caller), -ESRCH);
    cr_expect_eq(outcome_of(join), -EINVAL);
}

static bool join_tells_that_it_is_gone(void)
{
    return outcome_of(wait) == -ESRCH && outcome_of(join) == -ESRCH && outcome_of(join) == -EINVAL;
}

Test(sched, joining_who_is_gone_in_the_child_of_a_fork_is_ESRCH_and_releases_it)
{
    target = verd_spawn(park, NULL);
    verd_yield();
    cr_assert(process_child_finds(join_tells_that_it_is_gone));
}
