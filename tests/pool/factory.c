/* SPDX-License-Identifier: MIT */
#include "factory.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "gate.h"

int make_number(void *arg, void **item)
{
    struct factory *factory = arg;
    if (++factory->exist > factory->most)
        factory->most = factory->exist;
    if (factory->blocks && verd_sleep(VERD_US) != 0)
        goto failed;
    if (factory->failures > 0) {
        factory->failures--;
        errno = ECONNREFUSED;
        goto failed;
    }
    *item = number(++factory->made);
    return 0;

failed:
    factory->exist--;
    return -1;
}

void unmake_number(void *arg, void *item)
{
    struct factory *factory = arg;
    factory->last_destroyed = (uintptr_t)item;
    if (factory->blocks && verd_sleep(VERD_US) != 0)
        factory->cut_short++;
    factory->destroyed++;
    factory->exist--;
}

bool validate_number(void *arg, void *item)
{
    struct factory *factory = arg;
    factory->validated++;
    if (factory->blocks && verd_sleep(VERD_US) != 0)
        return false;
    return (uintptr_t)item != factory->bad;
}

verd_resource_options options_of(struct factory *factory, size_t max)
{
    return (verd_resource_options){
        .create = make_number, .destroy = unmake_number, .ctx = factory, .max = max};
}

verd_resource_pool *pool_of(struct factory *factory, size_t max)
{
    verd_resource_options wanted = options_of(factory, max);
    return verd_resource_pool_new(&wanted);
}

size_t get(verd_resource_pool *pool)
{
    void *item = NULL;
    return verd_resource_pool_get(pool, &item) == 0 ? (uintptr_t)item : 0;
}

int put(verd_resource_pool *pool, size_t n)
{
    return verd_resource_pool_put(pool, number(n));
}

int discard(verd_resource_pool *pool, size_t n)
{
    return verd_resource_pool_discard(pool, number(n));
}

void finish_with(verd_resource_pool *pool, struct factory *factory)
{
    for (size_t n = 1; n <= factory->made; n++)
        put(pool, n);
    cr_assert_eq(verd_resource_pool_free(pool), 0);
    cr_assert_eq(factory->exist, 0);
}

void *get_one(void *arg)
{
    struct getter *getter = arg;
    getter->got = get(getter->pool);
    getter->error = getter->got == 0 ? errno : 0;
    return NULL;
}

void start_getter(struct getter *getter, verd_resource_pool *pool)
{
    *getter = (struct getter){.pool = pool};
    getter->thread = verd_spawn(get_one, getter);
    let_others_run();
}
