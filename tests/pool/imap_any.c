/* SPDX-License-Identifier: MIT */
/* An imap whose results are taken as they come. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/sync.h>
#include <verd/time.h>

#include "gate.h"

#define ITEMS 100

/* What is mapped: waits for its event, and is its own result. */
struct item {
    verd_event ready;
    size_t number;
};

static struct item items[ITEMS];
static void *list[ITEMS];
static size_t begun;

static void *await_item(void *arg)
{
    struct item *item = arg;
    begun++;
    verd_event_wait(&item->ready, NULL);
    return number(2 * item->number);
}

static verd_imap *map_items(verd_pool *pool)
{
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = (struct item){.ready = VERD_EVENT_INIT, .number = i};
        list[i] = &items[i];
    }
    return verd_pool_imap_array(pool, await_item, list, ITEMS);
}

static void let_finish(size_t i)
{
    verd_event_set(&items[i].ready, NULL);
    let_others_run();
}

/* Takes one, and tells which. */
static size_t take(verd_imap *it)
{
    void *result = NULL, *item = NULL;
    cr_assert_eq(verd_imap_next_any(it, &result, &item), 1);
    size_t which = ((struct item *)item)->number;
    cr_assert_eq(result, number(2 * which));
    return which;
}

Test(imap_any, results_come_in_the_order_of_finishing)
{
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = map_items(pool);
    let_others_run();
    let_finish(2);
    let_finish(0);
    cr_expect_eq(take(it), 2);
    cr_expect_eq(take(it), 0);
    let_finish(3);
    cr_expect_eq(take(it), 3);
    verd_imap_free(it);
    finish(pool, NULL);
}

/* In the order of the source, nothing behind it would get on. */
Test(imap_any, a_slow_item_holds_up_no_others)
{
    verd_pool *pool = verd_pool_new(2);
    verd_imap *it = map_items(pool);
    for (size_t i = 1; i < ITEMS; i++) {
        let_finish(i);
        cr_assert_eq(take(it), i);
    }
    let_finish(0);
    cr_expect_eq(take(it), 0);
    cr_expect_eq(verd_imap_next_any(it, NULL, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap_any, what_is_not_taken_bounds_what_is_begun)
{
    verd_pool *pool = verd_pool_new(3);
    begun = 0;
    verd_imap *it = map_items(pool);
    for (size_t i = 0; i < ITEMS; i++)
        let_finish(i);
    cr_expect_eq(begun, 4); /* as many as the pool has slots, and one */
    for (size_t taken = 1; taken <= ITEMS - 4; taken++) {
        take(it);
        let_others_run();
        cr_assert_eq(begun, taken + 4);
    }
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap_any, mixes_with_the_order_of_the_source)
{
    void *result;
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = map_items(pool);
    let_others_run();
    let_finish(3);
    let_finish(0);
    let_finish(1);
    cr_expect_eq(verd_imap_next(it, &result), 1);
    cr_expect_eq(result, number(0));
    cr_expect_eq(take(it), 3);
    cr_expect_eq(verd_imap_next(it, &result), 1);
    cr_expect_eq(result, number(2));
    verd_imap_free(it);
    finish(pool, NULL);
}

/* Two items, and then an error. */
static int fail_after_two(void *state, void **item)
{
    size_t *given = state;
    errno = ERANGE;
    if (*given == 2)
        return -1;
    *item = list[(*given)++];
    return 1;
}

Test(imap_any, an_error_of_the_source_comes_behind_all_results)
{
    size_t given = 0;
    verd_pool *pool = verd_pool_new(4);
    verd_imap_free(map_items(pool)); /* makes the items */
    finish(pool, NULL);
    pool = verd_pool_new(4);
    verd_imap *it = verd_pool_imap(pool, await_item, fail_after_two, &given);
    let_others_run();
    let_finish(1);
    cr_expect_eq(take(it), 1);
    let_finish(0);
    cr_expect_eq(take(it), 0);
    cr_expect(fails(verd_imap_next_any(it, NULL, NULL) < 0, ERANGE));
    cr_expect_eq(verd_imap_next_any(it, NULL, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

static void *fail_or_echo(void *arg)
{
    return arg == list[1] ? verd_fail(EPROTO) : arg;
}

Test(imap_any, an_item_that_failed_is_told)
{
    verd_pool *pool = verd_pool_new(1);
    void *item = NULL, *result = NULL;
    verd_imap_free(map_items(pool)); /* makes the items */
    verd_pool_wait_all(pool);
    verd_imap *it = verd_pool_imap_array(pool, fail_or_echo, list, 2);
    cr_assert_eq(verd_imap_next_any(it, &result, &item), 1);
    cr_expect_eq(item, list[0]);
    cr_expect(fails(verd_imap_next_any(it, &result, &item) == -1, EPROTO));
    cr_expect_eq(item, list[1]);
    cr_expect_eq(verd_failure(result), EPROTO);
    verd_imap_free(it);
    finish(pool, NULL);
}
