/* SPDX-License-Identifier: MIT */
/* A function that fails has its error as its result. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>

#include <verd.h>

#include "caller.h"

static struct caller caller;
static verd_thread *target;

static void *fail(void *error)
{
    verd_yield();
    return verd_fail((int)(intptr_t)error);
}

static void *give_back(void *value)
{
    return value;
}

static int join(struct caller *self)
{
    return verd_join(target, &self->item);
}

static int wait(struct caller *self)
{
    return verd_wait(target, &self->item);
}

/* The outcome of the main thread's call. */
static int outcome_of(int (*call)(struct caller *))
{
    caller.item = NULL;
    return caller_outcome(call(&caller));
}

static verd_thread *spawn_failing(int error)
{
    return verd_spawn(fail, (void *)(intptr_t)error); /* NOLINT(performance-no-int-to-ptr) */
}

static void let_it_end(void)
{
    while (!verd_ended(target))
        verd_yield();
}

Test(sched, a_join_of_who_fails_has_the_error_and_releases_it)
{
    target = spawn_failing(ENOENT);
    cr_expect_eq(outcome_of(join), -ENOENT);
    cr_expect_eq(outcome_of(join), -EINVAL);
}

Test(sched, a_join_of_who_has_failed_has_the_error_and_releases_it)
{
    target = spawn_failing(ENOENT);
    let_it_end();
    cr_expect_eq(outcome_of(join), -ENOENT);
    cr_expect_eq(outcome_of(join), -EINVAL);
}

Test(sched, a_wait_for_who_fails_has_the_error_as_often_as_it_is_asked)
{
    target = spawn_failing(EPROTO);
    cr_expect_eq(outcome_of(wait), -EPROTO);
    cr_expect_eq(outcome_of(wait), -EPROTO);
    verd_release(target);
}

Test(sched, all_who_wait_for_who_fails_have_the_error)
{
    struct caller one, other;
    target = spawn_failing(EPROTO);
    caller_start(&one, wait, NULL, NULL);
    caller_start(&other, wait, NULL, NULL);
    cr_expect_eq(caller_end(&one), -EPROTO);
    cr_expect_eq(caller_end(&other), -EPROTO);
    verd_release(target);
}

Test(sched, the_result_tells_the_error_of_a_function_from_one_of_the_caller)
{
    verd_timeout limit;
    target = spawn_failing(ETIMEDOUT);
    verd_timeout_begin(&limit, 0);
    cr_expect_eq(outcome_of(join), -ETIMEDOUT);
    cr_expect_eq(verd_failure(caller.item), 0);
    verd_timeout_end(&limit);
    cr_expect_eq(outcome_of(join), -ETIMEDOUT);
    cr_expect_eq(verd_failure(caller.item), ETIMEDOUT);
}

static void note_result(verd_thread *t, void *arg)
{
    struct caller *noted = arg;
    target = t;
    noted->outcome = outcome_of(wait);
    noted->done = true;
}

Test(sched, a_link_of_who_fails_may_ask_for_the_error)
{
    struct caller noted = {0};
    verd_thread *t = spawn_failing(EPROTO);
    verd_link(t, note_result, &noted);
    verd_release(t);
    while (!noted.done)
        verd_yield();
    cr_expect_eq(noted.outcome, -EPROTO);
}

Test(sched, each_error_is_a_failure_of_its_own)
{
    for (int error = 1; error <= VERD_FAILURE_MAX; error++)
        cr_assert_eq(verd_failure(verd_fail(error)), error);
}

Test(sched, what_is_no_error_is_a_failure_all_the_same)
{
    static const int none[] = {0, -1, VERD_FAILURE_MAX + 1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect_eq(verd_failure(verd_fail(none[i])), EIO);
}

/* What functions give that have no pointer to give. */
Test(sched, numbers_and_objects_are_no_failures)
{
    static char object;
    void *const results[] = {NULL, (void *)-1, (void *)-EIO, (void *)4, &object, verd_self()};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        cr_expect_eq(verd_failure(results[i]), 0);
        target = verd_spawn(give_back, results[i]);
        cr_expect_eq(outcome_of(join), 0);
        cr_expect_eq(caller.item, results[i]);
    }
}

Test(sched, what_fails_elsewhere_is_handed_on)
{
    void *result = NULL;
    cr_expect_eq(verd_with_timeout(VERD_FOREVER, give_back, verd_fail(EPROTO), &result), 0);
    cr_expect_eq(verd_failure(result), EPROTO);
    cr_expect_eq(verd_offload(give_back, verd_fail(ENOLINK), &result), 0);
    cr_expect_eq(verd_failure(result), ENOLINK);
}
