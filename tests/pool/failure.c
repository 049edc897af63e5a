/* SPDX-License-Identifier: MIT */
/* What fails in a pool says so in its place, and what comes after it comes. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"

/* Every third number is none. */
static void *thirds_fail(void *item)
{
    verd_yield();
    return (uintptr_t)item % 3 == 0 ? verd_fail(EDOM) : item;
}

static void *const items[] = {(void *)1, (void *)2, (void *)3, (void *)4, (void *)5, (void *)6};
#define COUNT (sizeof items / sizeof *items)

static bool is_right(size_t i, int got, void *result)
{
    if ((uintptr_t)items[i] % 3 == 0)
        return fails(got == -1, EDOM) && verd_failure(result) == EDOM;
    return got == 1 && result == items[i];
}

static void map_with(size_t size)
{
    verd_pool *pool = verd_pool_new(size);
    verd_imap *it = verd_pool_imap_array(pool, thirds_fail, items, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        void *result = NULL;
        int got = verd_imap_next(it, &result);
        cr_expect(is_right(i, got, result), "%zu", i);
    }
    cr_expect_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, goes_on_behind_an_item_that_fails)
{
    map_with(4);
}

Test(imap, goes_on_behind_an_item_that_fails_in_a_pool_of_one)
{
    map_with(1);
}

static verd_pile *pile_of(size_t size)
{
    verd_pile *pile = verd_pile_sized(size);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(verd_pile_spawn(pile, thirds_fail, items[i]), 0);
    return pile;
}

static void take_all(verd_pile *pile, int (*next)(verd_pile *, void **))
{
    for (size_t i = 0; i < COUNT; i++) {
        void *result = NULL;
        int got = next(pile, &result);
        cr_expect(is_right(i, got, result), "%zu", i);
        cr_expect_eq(verd_pile_length(pile), COUNT - 1 - i);
    }
    cr_expect_eq(next(pile, NULL), 0);
    verd_pile_free(pile);
}

Test(pile, goes_on_behind_a_function_that_fails)
{
    take_all(pile_of(3), verd_pile_next);
}

Test(pile, goes_on_behind_a_function_that_fails_in_the_order_of_finishing)
{
    take_all(pile_of(1), verd_pile_next_any);
}

Test(pile, tells_a_timeout_of_the_function_from_one_of_the_caller)
{
    verd_pile *pile = verd_pile_sized(1);
    verd_timeout limit;
    void *result = NULL;
    verd_pile_spawn(pile, echo_later, verd_fail(ETIMEDOUT));
    verd_timeout_begin(&limit, 0);
    cr_expect(fails(verd_pile_next(pile, &result) == -1, ETIMEDOUT));
    cr_expect_null(result);
    verd_timeout_end(&limit);
    cr_expect(fails(verd_pile_next(pile, &result) == -1, ETIMEDOUT));
    cr_expect_eq(verd_failure(result), ETIMEDOUT);
    cr_expect_eq(verd_pile_next(pile, NULL), 0);
    verd_pile_free(pile);
}

/* A member of a full pool runs what it spawns itself. */
static void *join_in_place(void *arg)
{
    verd_thread *thread = verd_pool_spawn(arg, echo, verd_fail(EDOM));
    return number((size_t)fails(verd_join(thread, NULL) == -1, EDOM));
}

Test(pool, what_fails_in_place_has_its_error)
{
    verd_pool *pool = verd_pool_new(1);
    void *right = NULL;
    cr_expect_eq(verd_join(verd_pool_spawn(pool, join_in_place, pool), &right), 0);
    cr_expect_eq(right, number(1));
    finish(pool, NULL);
}
