/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <stdint.h>
#include <stdlib.h>

#define ITEMS 40

static void *number(intptr_t n)
{
    return (void *)n; /* NOLINT(performance-no-int-to-ptr) */
}

static void *same(void *arg)
{
    verd_yield();
    return arg;
}

static void count(void *arg)
{
    verd_yield();
    ++*(int *)arg;
}

/* Members that run are all waited for, and nothing that was not started is. */
static int spawn_in(verd_pool *pool)
{
    int counted = 0, started = 0, error = 0;
    void *result = NULL;
    if (pool == NULL)
        return errno;
    use_all_blocks();
    for (; started < ITEMS && error == 0; started += error == 0)
        error = error_of(verd_pool_spawn_n(pool, count, &counted));
    must(verd_pool_wait_all(pool) == 0 && counted == started);
    verd_thread *thread = verd_pool_spawn(pool, same, pool);
    if (thread != NULL)
        must(verd_join(thread, &result) == 0 && result == pool);
    else
        error = either(error, errno);
    must(verd_pool_available(pool) == 2 && verd_pool_free(pool) == 0);
    return error;
}

static int pool_spawn(void)
{
    return spawn_in(verd_pool_new(2));
}

/* Its stacks are bound as they are spawned. */
static int pool_of_large_stacks(void)
{
    return spawn_in(verd_pool_new_with(2, &(verd_attr){.stack_size = 1024 * 1024}));
}

/* A member of a full pool, whose spawn needs a handle for what it runs in place. */
static void *spawn_in_place(void *arg)
{
    void *result = NULL;
    verd_thread *thread = verd_pool_spawn(arg, same, arg);
    if (thread == NULL)
        return number(errno);
    must(verd_join(thread, &result) == 0 && result == arg);
    return NULL;
}

static int pool_in_place(void)
{
    void *error = NULL;
    verd_pool *pool = verd_pool_new(1);
    if (pool == NULL)
        return errno;
    verd_thread *thread = verd_pool_spawn(pool, spawn_in_place, pool);
    int failed = thread == NULL ? errno : 0;
    if (thread != NULL)
        must(verd_join(thread, &error) == 0);
    must(verd_pool_wait_all(pool) == 0 && verd_pool_free(pool) == 0);
    return either(failed, (int)(intptr_t)error);
}

/* Each job that was taken has its result, in the order of spawning. */
static int take_all(verd_pile *pile)
{
    intptr_t spawned = 0, taken = 0;
    int error = 0;
    void *result = NULL;
    if (pile == NULL)
        return errno;
    use_all_blocks();
    for (; spawned < ITEMS && error == 0; spawned += error == 0)
        error = error_of(verd_pile_spawn(pile, same, number(spawned)));
    while (verd_pile_next(pile, &result) == 1)
        must(result == number(taken++));
    must(taken == spawned && verd_pile_length(pile) == 0);
    verd_pile_free(pile);
    return error;
}

static int pile_sized(void)
{
    return take_all(verd_pile_sized(3));
}

static int pile_on_a_pool(void)
{
    verd_pool *pool = verd_pool_new(3);
    if (pool == NULL)
        return errno;
    int error = take_all(verd_pile_new(pool));
    must(verd_pool_free(pool) == 0);
    return error;
}

/* Threads that run are all waited for. */
static void *count_one(void *arg)
{
    count(arg);
    return NULL;
}

static int bundle(void)
{
    int counted = 0, started = 0, error = 0;
    verd_bundle *bundle = verd_bundle_new();
    if (bundle == NULL)
        return errno;
    use_all_blocks();
    for (; started < ITEMS && error == 0; started += error == 0)
        error = error_of(verd_bundle_spawn(bundle, count_one, &counted));
    must(verd_bundle_wait(bundle) == 0 && counted == started);
    must(verd_bundle_free(bundle) == 0);
    return error;
}

static int next_number(void *state, void **item)
{
    intptr_t *last = state;
    *item = number(*last);
    return (*last)++ < ITEMS;
}

/* No item is lost: each that was read has its result, or its error in its place; so has an error before which none
 * was read. */
static int map_all(verd_pool *pool)
{
    intptr_t read = 0, expected = 0, read_at_error = 0;
    int error = 0, got;
    void *result = NULL;
    use_all_blocks();
    verd_imap *it = verd_pool_imap(pool, same, next_number, &read);
    if (it == NULL)
        error = errno;
    while (it != NULL && (got = verd_imap_next(it, &result)) != 0) {
        intptr_t number = (intptr_t)result;
        must(got != 1 || number == expected ||
             (number == expected + 1 && read_at_error > expected));
        must(got != 1 || number != expected || read_at_error <= expected);
        read_at_error = got == 1 ? 0 : read;
        error = got == 1 ? error : either(error, errno);
        expected = got == 1 ? number + 1 : expected;
    }
    must(it == NULL || (read == ITEMS + 1 && expected == ITEMS));
    verd_imap_free(it);
    return error;
}

static int imap(void)
{
    verd_pool *pool = verd_pool_new(3);
    if (pool == NULL)
        return errno;
    int error = map_all(pool);
    must(verd_pool_wait_all(pool) == 0 && verd_pool_free(pool) == 0);
    return error;
}

static void *map_as_member(void *pool)
{
    return number(map_all(pool));
}

/* Whose slot the imap uses. */
static int imap_of_a_member(void)
{
    void *error = NULL;
    verd_pool *pool = verd_pool_new(1);
    if (pool == NULL)
        return errno;
    verd_thread *thread = verd_pool_spawn(pool, map_as_member, pool);
    int failed = thread == NULL ? errno : 0;
    if (thread != NULL)
        must(verd_join(thread, &error) == 0);
    must(verd_pool_wait_all(pool) == 0 && verd_pool_free(pool) == 0);
    return either(failed, (int)(intptr_t)error);
}

static int made; /* resources that exist */

static int make(void *ctx, void **item)
{
    (void)ctx;
    *item = number(++made);
    return 0;
}

static void unmake(void *ctx, void *item)
{
    (void)ctx, (void)item;
    made--;
}

/* More are lent than the books first have room for. */
static int resources(void)
{
    static const verd_resource_options options = {.create = make, .destroy = unmake, .max = ITEMS};
    void *lent[ITEMS];
    int count = 0, error = 0;
    verd_resource_pool *pool = verd_resource_pool_new(&options);
    if (pool == NULL)
        return errno;
    for (; count < ITEMS && error == 0; count += error == 0)
        error = error_of(verd_resource_pool_get(pool, &lent[count]));
    must(made == count);
    while (count > 0)
        must(verd_resource_pool_put(pool, lent[--count]) == 0);
    must(verd_resource_pool_free(pool) == 0 && made == 0);
    return error;
}

const struct scenario pool_scenarios[] = {
    {"pool", pool_spawn, .errors = {ENOMEM}, .first = true},
    {"pool_of_large_stacks", pool_of_large_stacks, .errors = {ENOMEM}},
    {"pool_in_place", pool_in_place, .errors = {ENOMEM}},
    {"pile_sized", pile_sized, .errors = {ENOMEM}},
    {"pile_on_a_pool", pile_on_a_pool, .errors = {ENOMEM}},
    {"bundle", bundle, .errors = {ENOMEM}, .first = true},
    {"imap", imap, .errors = {ENOMEM}, .first = true},
    {"imap_of_a_member", imap_of_a_member, .errors = {ENOMEM}},
    {"resources", resources, .errors = {ENOMEM}, .first = true},
    {0},
};
