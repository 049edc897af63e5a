/* SPDX-License-Identifier: MIT */

/* Timeout scopes and shields: a scope reaches the thread but for the shields that were begun inside it. So
 * "clean up, but a second at most" can be written. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd.h>

#include "caller.h"

#define LONG (3600 * VERD_SEC)

/* The outcome of a sleep that has no end but by a scope; 0: it was not cut short. */
static int sleep_long(void)
{
    return caller_outcome(verd_sleep(10 * VERD_MS));
}

/* What fn returns on a thread that is killed while it runs. */
static int killed(void *(*fn)(void *))
{
    void *result = NULL;
    verd_thread *t = verd_spawn(fn, NULL);
    verd_yield();
    verd_kill(t);
    verd_join(t, &result);
    return (int)(intptr_t)result;
}

static int sleep_in_scope(verd_duration limit)
{
    verd_timeout scope;
    verd_timeout_begin(&scope, limit);
    int outcome = sleep_long();
    bool fired = verd_timeout_end(&scope);
    return fired == (outcome == -ETIMEDOUT) ? outcome : 1;
}

static void *clean_up(void *arg)
{
    (void)arg;
    verd_shield_begin();
    int outcome = sleep_in_scope(VERD_MS);
    verd_shield_end();
    return (void *)(intptr_t)outcome;
}

Test(sched, a_scope_begun_in_a_shield_fires_there_in_a_killed_thread)
{
    cr_assert_eq(killed(clean_up), -ETIMEDOUT);
}

Test(sched, a_scope_begun_in_a_shield_fires_there_in_one_that_is_out_of_time)
{
    verd_timeout outer;
    verd_timeout_begin(&outer, 0);
    int outcome = (int)(intptr_t)clean_up(NULL);
    cr_expect_eq(sleep_long(), -ETIMEDOUT); /* the outer's */
    verd_timeout_end(&outer);
    cr_assert_eq(outcome, -ETIMEDOUT);
}

Test(sched, a_scope_without_time_begun_in_a_shield_has_fired)
{
    verd_shield_begin();
    cr_expect_eq(sleep_in_scope(0), -ETIMEDOUT);
    cr_expect_eq(sleep_long(), 0);
    verd_shield_end();
}

static void *clean_up_in_time(void *arg)
{
    (void)arg;
    verd_shield_begin();
    int outcome = sleep_in_scope(LONG);
    verd_shield_end();
    return (void *)(intptr_t)(outcome == 0 ? sleep_long() : 1);
}

Test(sched, a_scope_begun_in_a_shield_does_not_let_a_kill_in)
{
    cr_assert_eq(killed(clean_up_in_time), -ECANCELED);
}

Test(sched, a_scope_begun_in_a_shield_does_not_let_an_enclosing_one_in)
{
    verd_timeout outer;
    verd_timeout_begin(&outer, VERD_MS);
    verd_shield_begin();
    cr_expect_eq(sleep_in_scope(LONG), 0);
    verd_shield_end();
    cr_expect_eq(sleep_long(), -ETIMEDOUT);
    cr_expect(verd_timeout_end(&outer));
}

/* The enclosing deadline comes first, and is passed over. */
Test(sched, an_enclosing_deadline_does_not_put_off_that_of_a_scope_begun_in_a_shield)
{
    verd_timeout outer, inner;
    verd_timeout_begin(&outer, VERD_MS);
    verd_shield_begin();
    verd_timeout_begin(&inner, 3 * VERD_MS);
    verd_duration begun = verd_now();
    cr_expect_eq(caller_outcome(verd_sleep(VERD_SEC)), -ETIMEDOUT);
    cr_expect_geq(verd_now() - begun, 2 * VERD_MS);
    cr_expect(verd_timeout_end(&inner));
    verd_shield_end();
    cr_expect(verd_timeout_end(&outer));
}

Test(sched, a_shield_begun_in_a_scope_that_was_begun_in_a_shield_keeps_it_off)
{
    verd_timeout scope;
    verd_shield_begin();
    verd_timeout_begin(&scope, VERD_MS);
    verd_shield_begin();
    cr_expect_eq(sleep_long(), 0);
    verd_shield_end();
    cr_expect_eq(sleep_long(), -ETIMEDOUT);
    cr_expect(verd_timeout_end(&scope));
    cr_expect_eq(sleep_long(), 0);
    verd_shield_end();
}

Test(sched, a_scope_outlives_the_shield_that_it_was_begun_in)
{
    verd_timeout scope;
    verd_shield_begin();
    verd_timeout_begin(&scope, VERD_MS);
    verd_shield_end();
    cr_expect_eq(sleep_long(), -ETIMEDOUT);
    cr_expect(verd_timeout_end(&scope));
    cr_expect_eq(sleep_long(), 0);
}

static void *sleep_in_fn(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)sleep_long();
}

Test(sched, verd_with_timeout_fires_in_a_shield)
{
    void *result = NULL;
    verd_shield_begin();
    cr_expect_eq(caller_outcome(verd_with_timeout(VERD_MS, sleep_in_fn, NULL, &result)),
                 -ETIMEDOUT);
    verd_shield_end();
    cr_expect_eq((intptr_t)result, -ETIMEDOUT);
}

static int destroyed;

static int create(void *ctx, void **item)
{
    *item = ctx;
    return 0;
}

/* Says goodbye, within a millisecond. */
static void destroy(void *ctx, void *item)
{
    (void)ctx, (void)item;
    destroyed = sleep_in_scope(VERD_MS);
}

/* The library's own shields are no different. */
Test(resource, a_destruction_can_be_given_a_time_limit)
{
    verd_resource_options options = {.create = create, .destroy = destroy, .max = 1};
    verd_resource_pool *pool = verd_resource_pool_new(&options);
    void *item;
    cr_assert_eq(verd_resource_pool_get(pool, &item), 0);
    cr_assert_eq(verd_resource_pool_discard(pool, item), 0);
    cr_assert_eq(destroyed, -ETIMEDOUT);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
}
