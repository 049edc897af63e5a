/* SPDX-License-Identifier: MIT */
/* Who is served at once by pools, over and over, gives way in the end. */
#include <criterion/criterion.h>

#include <verd/resource.h>

#include "factory.h"
#include "gate.h"
#include "sched/scheduler.h"

#define TIMES VERD__BUDGET

static verd_pool *pool;
static verd_pile *pile;
static verd_imap *it;
static verd_resource_pool *resources;
static struct factory factory;

static int wait_for_none(void)
{
    return verd_pool_wait_all(pool);
}

static int spawn(void)
{
    verd_release(verd_pool_spawn(pool, echo, NULL));
    return 0;
}

static void ignore(void *arg)
{
    (void)arg;
}

static int spawn_n(void)
{
    return verd_pool_spawn_n(pool, ignore, NULL);
}

static int spawn_in_pile(void)
{
    return verd_pile_spawn(pile, echo, NULL);
}

static int next_of_pile(void)
{
    return verd_pile_next(pile, NULL);
}

static int next_any_of_pile(void)
{
    return verd_pile_next_any(pile, NULL);
}

static int next_of_imap(void)
{
    return verd_imap_next(it, NULL);
}

static int next_of_none(void)
{
    return verd_pile_next(NULL, NULL) == -1 ? 0 : -1;
}

static int get_and_put(void)
{
    return put(resources, get(resources));
}

static int fill(void)
{
    return verd_resource_pool_fill(resources);
}

static int get_to_nowhere(void)
{
    return verd_resource_pool_get(resources, NULL) == -1 ? 0 : -1;
}

static const struct {
    const char *name;
    int (*call)(void);
} calls[] = {
    {"wait_all of an idle pool", wait_for_none},
    {"spawn", spawn},
    {"spawn_n", spawn_n},
    {"pile_spawn", spawn_in_pile},
    {"pile_next", next_of_pile},
    {"pile_next_any", next_any_of_pile},
    {"pile_next of no pile", next_of_none},
    {"imap_next", next_of_imap},
    {"resource_pool_get", get_and_put},
    {"resource_pool_fill", fill},
    {"resource_pool_get to nowhere", get_to_nowhere},
};

static bool others_ran;

static void run_once(void *arg)
{
    (void)arg;
    others_ran = true;
}

static void make(void)
{
    static void *items[2 * TIMES];
    verd_resource_options wanted = options_of(&factory, 1);
    wanted.min = 1;
    pool = verd_pool_new((size_t)4 * TIMES);
    pile = verd_pile_new(pool);
    it = verd_pool_imap_array(pool, echo, items, 2 * TIMES);
    for (int i = 0; i < 2 * TIMES; i++)
        verd_pile_spawn(pile, echo, NULL);
    verd_pool_wait_all(pool);
    resources = verd_resource_pool_new(&wanted);
    verd_resource_pool_fill(resources);
}

static void destroy(void)
{
    verd_pile_free(pile);
    verd_imap_free(it);
    finish(pool, NULL);
    finish_with(resources, &factory);
}

Test(pool, each_call_that_need_not_wait_gives_way_in_the_end)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int wrong = 0;
        make();
        verd_yield(); /* a fresh budget */
        others_ran = false;
        verd_spawn_n(run_once, NULL);
        for (int n = 0; n < TIMES && !others_ran; n++)
            wrong += calls[i].call() < 0;
        cr_expect(others_ran, "%s: nobody else has run", calls[i].name);
        cr_expect_eq(wrong, 0, "%s", calls[i].name);
        destroy();
    }
}
