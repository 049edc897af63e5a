/* SPDX-License-Identifier: MIT */
/* Pools, piles and imaps: no more members than slots, each result once, and in its order. */
#include "fuzz.h"

#define SLOTS 4
#define TASKS 8

static verd_pool *pool;
static unsigned inside, begun, ran;
static struct held kept; /* by who has forked, in its child */

static void begin(void)
{
    pool = verd_pool_new(SLOTS);
    expect(pool != NULL, "no memory for a pool");
    inside = begun = ran = 0;
    kept = (struct held){.member = 0};
}

/* A member's work, which may be killed, and then returns all the same. */
static void *work(void *value)
{
    expect(++inside <= SLOTS, "more members than slots");
    ran++;
    held()->member++;
    linger();
    held()->member--;
    inside--;
    return value;
}

static void work_n(void *value)
{
    work(value);
}

static void spawn(void)
{
    int expected = due();
    verd_thread *member = verd_pool_spawn(pool, work, &pool);
    if (!judged("verd_pool_spawn", expected, member != NULL, 0))
        return;
    begun++;
    if (one_in(4)) {
        verd_release(member);
        return;
    }
    bool killed = one_in(4) && verd_kill(member) == 0;
    void *result = NULL;
    shield_begin();
    bool joined = verd_join(member, &result) == 0;
    shield_end();
    expect(joined ? result == &pool : killed && errno == ESRCH, "a member's result");
    begun -= !joined;
}

static void spawn_n(void)
{
    int expected = due();
    begun += judged("verd_pool_spawn_n", expected, verd_pool_spawn_n(pool, work_n, NULL) == 0, 0);
}

/* The next result, in the order of spawning or of finishing; 1, 0 at the end, -1. */
static int take(verd_pile *pile, bool any, uintptr_t *result)
{
    void *value = NULL;
    int expected = due();
    int got = any ? verd_pile_next_any(pile, &value) : verd_pile_next(pile, &value);
    judged("verd_pile_next", expected, got >= 0, 0);
    *result = (uintptr_t)value;
    return got;
}

/* The numbers 1 to TASKS are spawned, as far as possible; their results come, as far as wanted. */
static void use_pile(void)
{
    verd_pile *pile = verd_pile_new(pool);
    unsigned spawned = 0, taken = 0; /* bits */
    uintptr_t result, last = 0;
    bool any = one_in(2);
    int got = 1;
    for (uintptr_t i = 1; i <= TASKS; i++) {
        int expected = due();
        if (judged("verd_pile_spawn", expected, verd_pile_spawn(pile, work, (void *)i) == 0, 0))
            spawned |= 1u << i, begun++;
    }
    while (got > 0 && !one_in(30)) {
        got = take(pile, any, &result);
        if (got <= 0)
            break;
        expect(spawned & ~taken & (1u << result), "a result twice, or from nowhere");
        expect(any || result > last, "results out of order");
        taken |= 1u << result;
        last = result;
    }
    expect(got != 0 || taken == spawned, "a pile has lost a result");
    verd_pile_free(pile);
}

static int count_down(void *state, void **item)
{
    uintptr_t *left = state;
    if (*left == 0)
        return 0;
    *item = (void *)(*left)--;
    held()->feeding++;
    linger();
    held()->feeding--;
    return 1;
}

/* What was begun when it is freed early is killed, so that nobody knows whether it has run. */
static void *echo(void *value)
{
    held()->member++;
    linger();
    held()->member--;
    return value;
}

static void use_imap(void)
{
    static void *const numbers[] = {(void *)3, (void *)2, (void *)1};
    static uintptr_t states[64];
    static unsigned next_state;
    uintptr_t *state = &states[next_state++ % 64], expected_next = 3,
              left = 1 << 3 | 1 << 2 | 1 << 1;
    void *value = NULL, *item = NULL;
    bool any = one_in(2);
    int got = 1;
    *state = 3;
    verd_imap *it = one_in(2) ? verd_pool_imap(pool, echo, count_down, state)
                              : verd_pool_imap_array(pool, echo, numbers, 3);
    while (got > 0 && !one_in(20)) {
        int expected = due();
        got = any ? verd_imap_next_any(it, &value, &item) : verd_imap_next(it, &value);
        if (!judged("verd_imap_next", expected, got >= 0, 0) || got <= 0)
            continue;
        expect(any ? item == value : (uintptr_t)value == expected_next--, "results out of order");
        expect((left >> (uintptr_t)value) & 1, "an imap has given a result twice");
        left &= ~((uintptr_t)1 << (uintptr_t)value);
    }
    expect(got != 0 || left == 0, "an imap has lost a result");
    verd_imap_free(it);
}

static void await_all(void)
{
    int expected = due();
    judged("verd_pool_wait_all", expected, verd_pool_wait_all(pool) == 0, 0);
}

static void resize(void)
{
    expect(verd_pool_resize(pool, 1 + chance(SLOTS)) == 0, "verd_pool_resize");
}

static void share(void)
{
    static void (*const uses[])(void) = {spawn, spawn_n, use_pile, use_imap, await_all, resize};
    uses[chance(sizeof uses / sizeof *uses)]();
}

/* A pile of one's own, in which members spawn: they cannot wait for their own slots. */
static void *linger_within(void *arg)
{
    linger();
    return arg;
}

static void *spawn_within(void *arg)
{
    verd_thread *inner = verd_pool_spawn(arg, linger_within, arg);
    expect(inner != NULL, "a member cannot spawn");
    expect(dismiss(inner) == arg, "the result of a member's thread");
    return arg;
}

static void scene(void)
{
    verd_pool *own = verd_pool_new(1 + chance(2));
    verd_thread *members[3];
    shield_begin();
    for (int i = 0; i < 3; i++)
        members[i] = verd_pool_spawn(own, spawn_within, own);
    shield_end();
    int expected = due();
    bool all = judged("wait_all", expected, verd_pool_wait_all(own) == 0, 0);
    expect(!all || verd_pool_running(own) == 0, "members run after all have ended");
    for (int i = 0; i < 3; i++)
        expect(dismiss(members[i]) == own, "a member's result");
    expect(verd_pool_free(own) == 0, "a slot of a pool of one's own was lost");
}

static void end(void)
{
    verd_pool_resize(pool, SLOTS);
    if (kept.member + kept.feeding == 0)
        expect(verd_pool_wait_all(pool) == 0, "verd_pool_wait_all");
    for (int i = 0; i < 1000 && (begun != ran || verd_pool_running(pool) > kept.member); i++)
        verd_sleep(
            VERD_US); /* what imaps that were freed early have run, is killed, and not yet gone */
    expect(begun == ran && inside == kept.member, "a member was lost");
    expect(verd_pool_running(pool) == kept.member, "a slot was lost");
    if (kept.any)
        return; /* with piles of those that are gone */
    expect(verd_pool_available(pool) == SLOTS, "a slot was lost");
    expect(verd_pool_free(pool) == 0, "somebody still uses the pool");
}

/* The slots of those that are gone are free, those that run and those that were about to. */
static void forked(void)
{
    kept = *held();
    kept.any = true;
    expect(verd_pool_running(pool) == kept.member, "somebody who is gone has a slot");
    expect(verd_pool_waiting(pool) == 0, "somebody who is gone waits for a slot");
    inside = kept.member;
    begun = ran = 0;
}

static void left(void)
{
    expect(verd_pool_spawn_n(pool, work_n, NULL) != 0 && errno == EPERM, "a spawn elsewhere");
    expect(verd_pool_wait_all(pool) != 0 && errno == EPERM, "a wait elsewhere");
    expect(verd_pool_resize(pool, SLOTS) != 0 && errno == EPERM, "a resize elsewhere");
    expect(verd_pile_new(pool) == NULL && errno == EPERM, "a pile elsewhere");
    expect(verd_pool_free(pool) != 0 && errno == EPERM, "a free elsewhere");
}

const struct part fuzz_pools = {
    .begin = begin, .share = share, .scene = scene, .end = end, .forked = forked, .left = left};
