/* SPDX-License-Identifier: MIT */
/* A resource pool lends what is dear to make, never more than max at once, in the order of asking. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/resource.h>
#include <verd/time.h>

#include "factory.h"
#include "gate.h"
#include "pool/ledger.h"

Test(resource, is_made_when_it_is_first_asked_for)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 2);
    cr_assert_eq(factory.made, 0);
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(verd_resource_pool_used(pool), 1);
    cr_assert_eq(put(pool, 1), 0);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(factory.exist, 0);
}

Test(resource, returned_last_is_the_first_to_be_lent_again)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 3);
    for (size_t n = 1; n <= 3; n++)
        cr_assert_eq(get(pool), n);
    put(pool, 1), put(pool, 3), put(pool, 2);
    cr_assert_eq(verd_resource_pool_idle(pool), 3);
    cr_assert_eq(get(pool), 2);
    cr_assert_eq(get(pool), 3);
    cr_assert_eq(get(pool), 1);
    cr_assert_eq(factory.made, 3);
    finish_with(pool, &factory);
}

/* One of many clients: takes one, keeps it a while, and gives it back or throws it away. */
struct client {
    verd_resource_pool *pool;
    size_t served;
    bool careless;
};

static void use_one(void *arg)
{
    struct client *client = arg;
    size_t n = get(client->pool);
    if (n == 0)
        return;
    verd_yield();
    client->served++;
    if (client->careless && n % 3 == 0)
        discard(client->pool, n);
    else
        put(client->pool, n);
}

Test(resource, is_never_there_more_than_max_times_however_many_want_one)
{
    struct factory factory = {.blocks = true};
    verd_resource_options wanted = options_of(&factory, 7);
    wanted.validate = validate_number;
    wanted.max_idle = 3;
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    struct client client = {.pool = pool, .careless = true};
    for (int i = 0; i < 100; i++)
        verd_spawn_n(use_one, &client);
    while (client.served < 100)
        verd_yield();
    while (verd_resource_pool_free(pool) != 0) /* the last are still being destroyed */
        verd_yield();
    cr_assert_eq(factory.most, 7);
    cr_assert_eq(factory.exist, 0);
}

Test(resource, a_create_that_fails_hands_its_right_on)
{
    struct factory factory = {.blocks = true, .failures = 2};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter getters[3];
    for (int i = 0; i < 3; i++) {
        getters[i] = (struct getter){.pool = pool};
        getters[i].thread = verd_spawn(get_one, &getters[i]);
    }
    for (int i = 0; i < 3; i++)
        verd_join(getters[i].thread, NULL);
    cr_assert_eq(getters[0].error, ECONNREFUSED);
    cr_assert_eq(getters[1].error, ECONNREFUSED);
    cr_assert_eq(getters[2].got, 1);
    cr_assert_eq(factory.most, 1);
    finish_with(pool, &factory);
}

Test(resource, after_a_create_that_failed_can_be_made)
{
    struct factory factory = {.failures = 1};
    verd_resource_pool *pool = pool_of(&factory, 1);
    void *item;
    cr_assert(fails(verd_resource_pool_get(pool, &item) == -1, ECONNREFUSED));
    cr_assert_eq(get(pool), 1);
    finish_with(pool, &factory);
}

static int fail_without_errno(void *ctx, void **item)
{
    (void)ctx, (void)item;
    return -1;
}

Test(resource, whose_create_fails_without_a_word_is_EIO)
{
    verd_resource_options wanted = {.create = fail_without_errno, .max = 1, .min = 1};
    verd_resource_pool *pool = verd_resource_pool_new(&wanted);
    void *item;
    errno = EDOM; /* of before */
    cr_assert(fails(verd_resource_pool_get(pool, &item) == -1, EIO));
    errno = EDOM;
    cr_assert(fails(verd_resource_pool_fill(pool) == -1, EIO));
    cr_assert_eq(verd_resource_pool_free(pool), 0);
}

Test(resource, goes_to_those_in_line_in_the_order_of_asking)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter first, second;
    get(pool);
    start_getter(&first, pool);
    start_getter(&second, pool);
    cr_assert_eq(verd_resource_pool_waiting(pool), 2);
    put(pool, 1);
    let_others_run();
    cr_assert_eq(first.got, 1);
    cr_assert_eq(second.got, 0);
    put(pool, 1);
    let_others_run();
    cr_assert_eq(second.got, 1);
    cr_assert_eq(factory.made, 1);
    finish_with(pool, &factory);
}

Test(resource, is_not_snatched_from_who_waits_in_line)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter getter;
    get(pool);
    start_getter(&getter, pool);
    put(pool, 1);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(get(pool), 0);
    verd_timeout_end(&limit);
    cr_assert_eq(getter.got, 1);
    finish_with(pool, &factory);
}

Test(resource, discarded_is_replaced_for_the_next_in_line)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter getter;
    get(pool);
    start_getter(&getter, pool);
    cr_assert_eq(discard(pool, 1), 0);
    let_others_run();
    cr_assert_eq(getter.got, 2);
    cr_assert_eq(factory.destroyed, 1);
    cr_assert_eq(factory.most, 1);
    finish_with(pool, &factory);
}

static void check_that_nothing_was_lost(verd_resource_pool *pool, struct getter *next)
{
    cr_assert_eq(next->got, 0);
    put(pool, 1);
    verd_join(next->thread, NULL);
    cr_assert_eq(next->got, 1);
    put(pool, 1);
    cr_assert_eq(verd_resource_pool_waiting(pool), 0);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
}

Test(resource, a_getter_killed_at_the_head_of_the_line_loses_nothing)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter killed, next;
    get(pool);
    start_getter(&killed, pool);
    start_getter(&next, pool);
    verd_kill(killed.thread);
    verd_join(killed.thread, NULL);
    cr_assert_eq(killed.error, ECANCELED);
    check_that_nothing_was_lost(pool, &next);
}

Test(resource, a_getter_that_times_out_loses_nothing)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    void *item;
    get(pool);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(fails(verd_resource_pool_get(pool, &item) == -1, ETIMEDOUT));
    cr_assert(verd_timeout_end(&limit));
    struct getter next;
    start_getter(&next, pool);
    check_that_nothing_was_lost(pool, &next);
}

Test(resource, a_getter_killed_as_it_was_handed_one_still_has_it)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter getter;
    get(pool);
    start_getter(&getter, pool);
    put(pool, 1);
    verd_kill(getter.thread);
    verd_join(getter.thread, NULL);
    cr_assert_eq(getter.got, 1);
    cr_assert_eq(verd_resource_pool_used(pool), 1);
    finish_with(pool, &factory);
}

Test(resource, a_getter_killed_as_it_was_handed_a_right_hands_it_on)
{
    struct factory factory = {.blocks = true};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter killed, next;
    get(pool);
    start_getter(&killed, pool);
    start_getter(&next, pool);
    discard(pool, 1);
    verd_kill(killed.thread);
    verd_join(killed.thread, NULL);
    cr_assert_eq(killed.error, ECANCELED);
    verd_join(next.thread, NULL);
    cr_assert_eq(next.got, 2);
    cr_assert_eq(factory.most, 1);
    finish_with(pool, &factory);
}

Test(resource, can_be_given_back_by_a_killed_thread_whose_cleanup_blocks)
{
    struct factory factory = {.blocks = true};
    verd_resource_pool *pool = pool_of(&factory, 1);
    get(pool);
    verd_kill(verd_self());
    cr_assert_eq(discard(pool, 1), 0);
    cr_assert_eq(factory.exist, 0);
    cr_assert_eq(factory.cut_short, 0);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
}

Test(resource, put_twice_is_refused)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 2);
    get(pool);
    cr_assert_eq(put(pool, 1), 0);
    cr_assert(fails(put(pool, 1) == -1, EINVAL));
    cr_assert(fails(discard(pool, 1) == -1, EINVAL));
    cr_assert_eq(verd_resource_pool_idle(pool), 1);
    finish_with(pool, &factory);
}

Test(resource, a_thousand_lent_are_told_apart)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1000);
    for (int i = 0; i < 1000; i++)
        get(pool);
    for (size_t n = 1000; n >= 1; n--) {
        cr_assert_eq(put(pool, n), 0);
        cr_assert_eq(put(pool, n), -1);
    }
    cr_assert_eq(verd_resource_pool_used(pool), 0);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(factory.destroyed, 1000);
}

Test(resource, books_become_wider_with_what_is_lent)
{
    static struct verd__resource resources[1000];
    struct verd__ledger ledger;
    cr_assert_eq(verd__ledger_init(&ledger), 0);
    for (size_t n = 0; n < 1000; n++) {
        resources[n].item = number(n);
        verd__ledger_add(&ledger, &resources[n]);
        cr_assert_geq(ledger.width, ledger.count);
    }
    for (size_t n = 0; n < 1000; n++)
        cr_assert_eq(verd__ledger_take(&ledger, number(n)), &resources[n]);
    cr_assert_eq(ledger.count, 0);
    verd__ledger_free(&ledger);
}

Test(resource, pool_is_not_freed_while_one_is_lent_made_or_waited_for)
{
    struct factory factory = {.blocks = true};
    verd_resource_pool *pool = pool_of(&factory, 1);
    struct getter first = {.pool = pool}, second;
    first.thread = verd_spawn(get_one, &first);
    verd_yield();
    cr_assert_eq(factory.exist, 1);
    cr_assert_eq(factory.made, 0);
    cr_assert(fails(verd_resource_pool_free(pool) == -1, EBUSY));
    verd_join(first.thread, NULL);
    cr_assert(fails(verd_resource_pool_free(pool) == -1, EBUSY));
    start_getter(&second, pool);
    put(pool, 1);
    cr_assert(fails(verd_resource_pool_free(pool) == -1, EBUSY));
    verd_join(second.thread, NULL);
    put(pool, 1);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(verd_resource_pool_free(NULL), 0);
}

static bool is_refused(verd_resource_options wanted)
{
    return fails(verd_resource_pool_new(&wanted) == NULL, EINVAL);
}

Test(resource, nonsense_is_refused)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    cr_expect(fails(verd_resource_pool_new(NULL) == NULL, EINVAL));
    cr_expect(is_refused((verd_resource_options){.max = 1}));
    cr_expect(is_refused((verd_resource_options){.create = make_number}));
    cr_expect(is_refused((verd_resource_options){.create = make_number, .max = 1, .min = 2}));
    cr_expect(is_refused((verd_resource_options){.create = make_number, .max = 1, .max_idle = 2}));
    cr_expect(is_refused(
        (verd_resource_options){.create = make_number, .max = 3, .min = 2, .max_idle = 1}));
    cr_expect(is_refused((verd_resource_options){.create = make_number, .max = 1, .max_age = -1}));
    cr_expect(fails(verd_resource_pool_get(NULL, NULL) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_get(pool, NULL) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_put(NULL, NULL) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_put(pool, NULL) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_fill(NULL) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_resize(NULL, 1) == -1, EINVAL));
    cr_expect(fails(verd_resource_pool_resize(pool, 0) == -1, EINVAL));
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(factory.most, 0);
}

static int got_while_freed;

static void get_while_freed(void *pool)
{
    void *item;
    got_while_freed = verd_resource_pool_get(pool, &item) == 0 ? 0 : errno;
}

Test(resource, is_not_lent_by_a_pool_that_is_being_freed)
{
    struct factory factory = {.blocks = true};
    verd_resource_pool *pool = pool_of(&factory, 2);
    put(pool, get(pool));
    verd_spawn_n(get_while_freed, pool); /* runs while this thread waits in the destruction */
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(got_while_freed, EINVAL);
    cr_assert_eq(factory.exist, 0);
}

static size_t refused;

static void *use_from_elsewhere(void *arg)
{
    verd_resource_pool *pool = arg;
    void *item;
    refused += fails(verd_resource_pool_get(pool, &item) == -1, EPERM);
    refused += fails(verd_resource_pool_put(pool, number(1)) == -1, EPERM);
    refused += fails(verd_resource_pool_discard(pool, number(1)) == -1, EPERM);
    refused += fails(verd_resource_pool_fill(pool) == -1, EPERM);
    refused += fails(verd_resource_pool_resize(pool, 9) == -1, EPERM);
    refused += fails(verd_resource_pool_free(pool) == -1, EPERM);
    return NULL;
}

Test(resource, pool_of_another_os_thread_is_refused)
{
    struct factory factory = {0};
    verd_resource_pool *pool = pool_of(&factory, 1);
    get(pool);
    on_another_os_thread(use_from_elsewhere, pool);
    cr_assert_eq(refused, 6);
    cr_assert_eq(verd_resource_pool_used(pool), 1);
    finish_with(pool, &factory);
}
