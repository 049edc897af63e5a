/* SPDX-License-Identifier: MIT */

/* Resource pools in the child of a fork: what a thread that is gone held in the middle of a call, and had
 * not given to its caller, can be had again. */
#include <criterion/criterion.h>

#include <verd/resource.h>

#include "caller.h"
#include "gate.h"
#include "leak.h"
#include "process.h"

static verd_resource_pool *pool;
static struct caller caller;

/* Which callback waits, for ever. */
static enum { NONE, CREATE, VALIDATE, DESTROY } blocked;

static int create(void *ctx, void **item)
{
    static size_t made;
    (void)ctx;
    if (blocked == CREATE)
        verd_park();
    *item = number(++made);
    return 0;
}

static bool validate(void *ctx, void *item)
{
    (void)ctx, (void)item;
    if (blocked == VALIDATE)
        verd_park();
    return true;
}

static void destroy(void *ctx, void *item)
{
    (void)ctx, (void)item;
    if (blocked == DESTROY)
        verd_park();
}

/* One is the most that may exist: if nobody gives it back, nobody else gets any. */
static void make_pool(void)
{
    verd_resource_options options = {
        .create = create, .validate = validate, .destroy = destroy, .max = 1, .min = 1};
    pool = verd_resource_pool_new(&options);
}

static int get(struct caller *self)
{
    return verd_resource_pool_get(pool, &self->item);
}

static int fill(struct caller *self)
{
    (void)self;
    return verd_resource_pool_fill(pool);
}

static int discard(struct caller *self)
{
    return verd_resource_pool_discard(pool, self->item);
}

/* The pool is as when nobody waits and nobody has any. */
static bool one_can_be_had(void)
{
    blocked = NONE;
    return verd_resource_pool_used(pool) == 0 && verd_resource_pool_waiting(pool) == 0 &&
           caller_within(VERD_SEC, get, NULL, NULL) == 0 && verd_resource_pool_used(pool) == 1;
}

static void *get_now(void)
{
    void *item = NULL;
    cr_assert_eq(verd_resource_pool_get(pool, &item), 0);
    return item;
}

Test(resource, to_be_created_by_who_is_gone_can_be_had_in_the_child_of_a_fork)
{
    make_pool();
    blocked = CREATE;
    caller_start(&caller, get, NULL, NULL);
    cr_assert_not(caller.done);
    cr_assert(process_child_finds(one_can_be_had));
}

Test(resource, to_be_filled_in_by_who_is_gone_can_be_had_in_the_child_of_a_fork)
{
    make_pool();
    blocked = CREATE;
    caller_start(&caller, fill, NULL, NULL);
    cr_assert_not(caller.done);
    cr_assert(process_child_finds(one_can_be_had));
}

Test(resource, validated_by_who_is_gone_can_be_had_in_the_child_of_a_fork)
{
    make_pool();
    verd_resource_pool_put(pool, get_now());
    blocked = VALIDATE;
    caller_start(&caller, get, NULL, NULL);
    cr_assert_not(caller.done);
    cr_assert(process_child_finds(one_can_be_had));
}

Test(resource, destroyed_by_who_is_gone_is_no_more_in_the_child_of_a_fork)
{
    make_pool();
    blocked = DESTROY;
    caller_start(&caller, discard, NULL, get_now());
    cr_assert_not(caller.done);
    cr_assert(process_child_finds(one_can_be_had));
}

Test(resource, handed_to_who_is_gone_can_be_had_in_the_child_of_a_fork)
{
    make_pool();
    void *item = get_now();
    caller_start(&caller, get, NULL, NULL);
    cr_assert_not(caller.done);
    verd_resource_pool_put(pool, item);
    cr_assert(process_child_finds(one_can_be_had)); /* before the getter has run */
}

Test(resource, whose_right_was_handed_to_who_is_gone_can_be_had_in_the_child_of_a_fork)
{
    make_pool();
    void *item = get_now();
    caller_start(&caller, get, NULL, NULL);
    cr_assert_not(caller.done);
    verd_resource_pool_discard(pool, item);
    cr_assert(process_child_finds(one_can_be_had));
}

static int get_and_keep(struct caller *self)
{
    int result = get(self);
    verd_park();
    return result;
}

static bool nothing_can_be_had(void)
{
    return verd_resource_pool_used(pool) == 1 &&
           caller_within(VERD_MS, get, NULL, NULL) == -ETIMEDOUT;
}

/* As a lock stays locked. */
Test(resource, that_who_is_gone_had_got_stays_lent_in_the_child_of_a_fork)
{
    make_pool();
    caller_start(&caller, get_and_keep, NULL, NULL);
    cr_assert(process_child_finds(nothing_can_be_had));
}

#define MANY 200

static size_t allocated_before;

/* 32 bytes are the smallest block. */
static bool less_is_allocated(void)
{
    return !leak_is_told() || allocated_before - leak_allocated() >= (size_t)MANY * 32;
}

Test(resource, to_be_created_by_who_is_gone_takes_no_memory_in_the_child_of_a_fork)
{
    verd_resource_options options = {.create = create, .max = MANY};
    struct caller callers[MANY];
    pool = verd_resource_pool_new(&options);
    blocked = CREATE;
    for (int i = 0; i < MANY; i++)
        caller_start(&callers[i], get, NULL, NULL);
    allocated_before = leak_allocated();
    cr_assert(process_child_finds(less_is_allocated));
}
