/* SPDX-License-Identifier: MIT */
/* Which resources a pool keeps, replaces, makes ahead and ends. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/resource.h>
#include <verd/time.h>

#include "factory.h"
#include "gate.h"

Test(resource, that_does_not_validate_is_replaced)
{
    struct factory factory = {.bad = 1};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.validate = validate_number;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(factory.validated, 0); /* a new one needs none */
    put(pool, 1);
    cr_assert_eq(get(pool), 2);
    cr_assert_eq(factory.last_destroyed, 1);
    put(pool, 2);
    cr_assert_eq(get(pool), 2);
    cr_assert_eq(factory.validated, 2);
    finish_with(pool, &factory);
}

Test(resource, that_does_not_validate_makes_way_for_another_idle_one)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 2);
    wanted.validate = validate_number;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    get(pool), get(pool);
    put(pool, 1), put(pool, 2);
    factory.bad = 2;
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(factory.exist, 1);
    cr_assert_eq(get(pool), 3);
    cr_assert_eq(factory.most, 2);
    finish_with(pool, &factory);
}

Test(resource, a_caller_killed_while_it_validates_keeps_no_right)
{
    struct factory factory = {.blocks = true};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.validate = validate_number;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    struct getter killed;
    put(pool, get(pool));
    killed = (struct getter){.pool = pool};
    killed.thread = verd_spawn(get_one, &killed);
    verd_yield();
    cr_assert_eq(factory.validated, 1);
    factory.blocks = false;
    verd_kill(killed.thread);
    verd_join(killed.thread, NULL);
    cr_assert_eq(killed.error, ECANCELED);
    cr_assert_eq(factory.exist, 0);
    cr_assert_eq(get(pool), 2);
    finish_with(pool, &factory);
}

Test(resource, a_caller_killed_while_it_validates_spoils_no_more_than_that_one)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 3);
    wanted.validate = validate_number;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    struct getter killed = {.pool = pool};
    for (size_t n = 1; n <= 3; n++)
        get(pool);
    put(pool, 1), put(pool, 2), put(pool, 3);
    factory.blocks = true;
    killed.thread = verd_spawn(get_one, &killed);
    verd_yield();
    verd_kill(killed.thread);
    verd_join(killed.thread, NULL);
    factory.blocks = false;
    cr_assert(killed.error == ECANCELED && factory.destroyed == 1 && factory.last_destroyed == 3);
    cr_assert_eq(verd_resource_pool_idle(pool), 2);
    finish_with(pool, &factory);
}

Test(resource, beyond_max_idle_is_destroyed_when_it_comes_back)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 3);
    wanted.max_idle = 2;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    for (int i = 0; i < 3; i++)
        get(pool);
    put(pool, 1), put(pool, 2);
    cr_assert_eq(factory.destroyed, 0);
    put(pool, 3);
    cr_assert_eq(factory.last_destroyed, 3);
    cr_assert_eq(verd_resource_pool_idle(pool), 2);
    finish_with(pool, &factory);
}

static verd_resource_pool *aging_pool(struct factory *factory, size_t min)
{
    verd_resource_options wanted = options_of(factory, 2);
    wanted.max_age = VERD_MS;
    wanted.min = min;
    return verd_resource_pool_new(&wanted);
}

Test(resource, below_its_age_is_lent_again)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.max_age = 3600 * VERD_SEC;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    put(pool, get(pool));
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(factory.destroyed, 0);
    finish_with(pool, &factory);
}

/* However long the machine is up. */
Test(resource, is_as_old_as_the_time_since_it_was_made)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.max_age = verd_now() / 2;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    put(pool, get(pool));
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(factory.destroyed, 0);
    finish_with(pool, &factory);
}

static void fill_it(void *pool)
{
    verd_resource_pool_fill(pool);
}

Test(resource, made_ahead_goes_to_who_waits_in_line)
{
    struct factory factory = {.blocks = true};
    verd_resource_options wanted = options_of(&factory, 1);
    struct getter getter;
    wanted.min = 1;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    verd_spawn_n(fill_it, pool);
    getter = (struct getter){.pool = pool, .thread = verd_spawn(get_one, &getter)};
    cr_assert_eq(verd_join(getter.thread, NULL), 0);
    cr_assert_eq(getter.got, 1);
    finish_with(pool, &factory);
}

Test(resource, past_its_age_is_not_lent_again)
{
    struct factory factory = {0};
    verd_resource_pool *pool = aging_pool(&factory, 1);
    cr_assert_eq(verd_resource_pool_fill(pool), 0);
    verd_sleep(2 * VERD_MS);
    cr_assert_eq(get(pool), 2);
    cr_assert_eq(factory.last_destroyed, 1);
    cr_assert_eq(factory.most, 1);
    finish_with(pool, &factory);
}

Test(resource, past_its_age_is_not_kept)
{
    struct factory factory = {0};
    verd_resource_pool *pool = aging_pool(&factory, 0);
    get(pool);
    verd_sleep(2 * VERD_MS);
    put(pool, 1);
    cr_assert_eq(factory.destroyed, 1);
    cr_assert_eq(verd_resource_pool_idle(pool), 0);
    finish_with(pool, &factory);
}

Test(resource, past_its_age_is_kept_where_there_would_be_less_than_min)
{
    struct factory factory = {0};
    verd_resource_pool *pool = aging_pool(&factory, 1);
    get(pool), get(pool);
    verd_sleep(2 * VERD_MS);
    put(pool, 1);
    cr_assert_eq(factory.exist, 1);
    put(pool, 2);
    cr_assert_eq(factory.exist, 1);
    cr_assert_eq(verd_resource_pool_idle(pool), 1);
    finish_with(pool, &factory);
}

Test(resource, past_its_age_is_replaced_for_who_waits)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.min = 1;
    wanted.max_age = VERD_MS;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    struct getter getter;
    get(pool);
    start_getter(&getter, pool);
    verd_sleep(2 * VERD_MS);
    put(pool, 1);
    let_others_run();
    cr_assert_eq(getter.got, 2);
    cr_assert_eq(factory.most, 1);
    finish_with(pool, &factory);
}

Test(resource, fill_makes_min_ahead)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 5);
    wanted.min = 3;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    get(pool);
    cr_assert_eq(verd_resource_pool_fill(pool), 0);
    cr_assert_eq(factory.made, 3);
    cr_assert_eq(verd_resource_pool_idle(pool), 2);
    cr_assert_eq(verd_resource_pool_fill(pool), 0);
    cr_assert_eq(factory.made, 3);
    finish_with(pool, &factory);
}

Test(resource, fill_that_fails_says_why_and_can_be_called_again)
{
    struct factory factory = {.failures = 1};
    verd_resource_options wanted = options_of(&factory, 2);
    wanted.min = 2;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    cr_assert(fails(verd_resource_pool_fill(pool) == -1, ECONNREFUSED));
    cr_assert_eq(verd_resource_pool_fill(pool), 0);
    cr_assert_eq(factory.exist, 2);
    finish_with(pool, &factory);
}

Test(resource, pool_resized_up_lets_those_in_line_create)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter first, second;
    get(pool);
    start_getter(&first, pool);
    start_getter(&second, pool);
    cr_assert_eq(verd_resource_pool_resize(pool, 3), 0);
    let_others_run();
    cr_assert_eq(first.got, 2);
    cr_assert_eq(second.got, 3);
    finish_with(pool, &factory);
}

Test(resource, pool_resized_down_destroys_until_max_holds)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 4);
    for (int i = 0; i < 4; i++)
        get(pool);
    put(pool, 1);
    cr_assert_eq(verd_resource_pool_resize(pool, 2), 0);
    cr_assert_eq(factory.exist, 3);
    put(pool, 2);
    cr_assert_eq(factory.exist, 2);
    put(pool, 3);
    cr_assert_eq(factory.exist, 2);
    cr_assert_eq(verd_resource_pool_idle(pool), 1);
    finish_with(pool, &factory);
}

Test(resource, needs_no_destroy)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.destroy = NULL;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    cr_assert_eq(discard(pool, get(pool)), 0);
    cr_assert_eq(get(pool), 2);
    put(pool, 2);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
}

Test(resource, pool_resized_down_destroys_the_stalest_first)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 3);
    for (size_t n = 1; n <= 3; n++)
        get(pool);
    put(pool, 2), put(pool, 3), put(pool, 1);
    cr_assert_eq(verd_resource_pool_resize(pool, 2), 0);
    cr_assert(factory.destroyed == 1 && factory.last_destroyed == 2);
    cr_assert_eq(verd_resource_pool_resize(pool, 1), 0);
    cr_assert(factory.destroyed == 2 && factory.last_destroyed == 3);
    finish_with(pool, &factory);
}

Test(resource, pool_resized_below_its_min_is_filled_up_to_its_size)
{
    struct factory factory = {0};
    verd_resource_options wanted = options_of(&factory, 3);
    wanted.min = 2;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    cr_assert_eq(verd_resource_pool_resize(pool, 1), 0);
    cr_assert_eq(verd_resource_pool_fill(pool), 0);
    cr_assert(factory.exist == 1 && factory.most == 1);
    finish_with(pool, &factory);
}
