/* SPDX-License-Identifier: MIT */
/* Hundreds of threads use the same pools while they are killed and run out of time at any moment: in
 * the end every slot, result and resource is where it belongs. */
#include <criterion/criterion.h>

#include <verd/bundle.h>
#include <verd/pool.h>
#include <verd/resource.h>
#include <verd/time.h>

#include "factory.h"
#include "gate.h"
#include "process.h"

#define THREADS 200

/* The same sequence each time: a failure can be repeated. */
static unsigned dice(unsigned sides)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (state >> 16) % sides;
}

static verd_pool *pool;
static verd_resource_pool *resources;
static verd_thread *threads[THREADS];
static size_t alive, wrong;

/* Someone dies, perhaps the caller. */
static void strike(void)
{
    verd_thread *victim = threads[dice(THREADS)];
    if (victim != NULL && dice(8) == 0)
        verd_kill(victim);
}

static void *linger(void *value)
{
    for (unsigned i = dice(6); i > 0; i--)
        verd_yield();
    strike();
    if (dice(4) == 0)
        verd_sleep(dice(50) * VERD_US);
    return value;
}

/* Whether they are there at once: neither kill nor timeout has a say in a shield. */
static bool has_results(verd_pile *pile, size_t n)
{
    verd_shield_begin();
    while (n > 0 && verd_pile_next(pile, NULL) == 1)
        n--;
    verd_shield_end();
    return n == 0;
}

static void use_pile(void)
{
    verd_pile *pile = verd_pile_new(pool);
    uintptr_t sum = 0, got_sum = 0;
    void *result;
    for (uintptr_t i = 1; i <= 8; i++) {
        if (verd_pile_spawn(pile, linger, number(i)) == 0)
            sum += i;
    }
    while (sum != got_sum && dice(20) != 0) {
        int got = dice(2) == 0 ? verd_pile_next(pile, &result) : verd_pile_next_any(pile, &result);
        if (got < 0 && verd_killed())
            break;
        got_sum += got > 0 ? (uintptr_t)result : 0;
        wrong += got == 0 && sum != got_sum;
    }
    wrong += got_sum > sum;
    if (dice(2) == 0 && verd_pile_kill(pile) == 0)
        wrong += !has_results(pile, verd_pile_length(pile));
    verd_pile_free(pile);
}

static void *linger_in_bundle(void *inside)
{
    linger(NULL);
    --*(size_t *)inside;
    return dice(3) == 0 ? verd_fail(1) : NULL;
}

/* Whatever becomes of it, nobody is inside in the end. */
static void use_bundle(void)
{
    size_t inside = 0;
    verd_bundle *bundle = verd_bundle_new();
    for (unsigned i = dice(6); i > 0; i--)
        inside += verd_bundle_spawn(bundle, linger_in_bundle, &inside) == 0;
    int result = dice(2) == 0 ? verd_bundle_wait(bundle) : -1;
    wrong += result == 0 && inside != 0;
    verd_bundle_free(bundle);
    wrong += inside != 0;
}

static void use_imap(void)
{
    static void *const items[] = {(void *)1, (void *)2, (void *)3, (void *)4, (void *)5, (void *)6};
    verd_imap *it = verd_pool_imap_array(pool, linger, items, 6);
    uintptr_t expected = 0;
    void *result;
    while (dice(12) != 0) {
        int got = verd_imap_next(it, &result);
        if (got == 0 || (got < 0 && verd_killed()))
            break;
        wrong += got > 0 && result != number(++expected);
    }
    verd_imap_free(it);
}

static void use_resource(void)
{
    void *item;
    if (verd_resource_pool_get(resources, &item) != 0)
        return;
    linger(NULL);
    int given = dice(5) != 0 ? verd_resource_pool_put(resources, item)
                             : verd_resource_pool_discard(resources, item);
    wrong += given != 0;
}

static void *act(void *arg)
{
    for (int i = 0; i < 10 && !verd_killed(); i++) {
        verd_timeout limit;
        verd_timeout_begin(&limit, dice(3) == 0 ? dice(300) * VERD_US : VERD_FOREVER);
        switch (dice(7)) {
        case 0:
            use_pile();
            break;
        case 1:
            use_imap();
            break;
        case 2:
            use_resource();
            break;
        case 3:
            verd_release(verd_pool_spawn(pool, linger, NULL));
            break;
        case 4:
            use_bundle();
            break;
        case 5:
            if (dice(10) == 0)
                verd_pool_kill(pool);
            break;
        default:
            verd_pool_resize(pool, 1 + dice(12));
            break;
        }
        verd_timeout_end(&limit);
    }
    return arg;
}

static void count_end(verd_thread *thread, void *place)
{
    (void)thread;
    *(verd_thread **)place = NULL;
    alive--;
}

/* Half of the threads are members of the pool themselves. */
static void begin(size_t i)
{
    threads[i] = i % 2 == 0 ? verd_spawn(act, NULL) : verd_pool_spawn(pool, act, NULL);
    alive++;
    verd_link(threads[i], count_end, &threads[i]);
    verd_release(threads[i]);
}

Test(pool, nothing_is_lost_in_a_storm_of_kills_and_timeouts)
{
    struct factory factory = {.blocks = true};
    verd_resource_options wanted = options_of(&factory, 5);
    wanted.validate = validate_number;
    wanted.max_idle = 3;
    resources = verd_resource_pool_new(&wanted);
    pool = verd_pool_new(10);
    for (int round = UNDER_SANITIZER || process_is_emulated() ? 2 : 10; round > 0; round--) {
        for (size_t i = 0; i < THREADS; i++)
            begin(i);
        while (alive > 0)
            verd_yield();
    }
    finish(pool, NULL);
    cr_assert_eq(wrong, 0);
    cr_assert_leq(factory.most, 5);
    finish_with(resources, &factory);
}
