/* SPDX-License-Identifier: MIT */
/* Resource pools: never more than there may be, each in one hand, and all ended in the end. */
#include "fuzz.h"

#define MOST 3
#define RESOURCES 512

static verd_resource_pool *resources;
static bool handed[RESOURCES]; /* by number */
static unsigned made, ended, most;
static struct held kept; /* by who has forked, in its child */
static size_t kept_used; /* and by those that are gone */

static int create(void *ctx, void **item)
{
    (void)ctx;
    held()->resource++;
    linger();
    held()->resource--;
    if (one_in(6)) {
        errno = EIO;
        return -1;
    }
    expect(made - ended < most && made < RESOURCES, "more resources than there may be");
    handed[made] = false;
    *item = &handed[made++];
    return 0;
}

static void destroy(void *ctx, void *item)
{
    (void)ctx;
    expect(!*(bool *)item, "a resource was ended that somebody has");
    shield_begin(); /* the library has one around it */
    held()->resource++;
    linger();
    held()->resource--;
    shield_end();
    ended++;
}

static bool validate(void *ctx, void *item)
{
    (void)ctx;
    expect(!*(bool *)item, "a resource was asked that somebody has");
    held()->resource++;
    linger();
    held()->resource--;
    return !one_in(6);
}

static void begin(void)
{
    verd_resource_options options = {
        .create = create,
        .destroy = destroy,
        .validate = validate,
        .max = MOST,
        .max_idle = 2,
        .max_age = one_in(2) ? 300 * VERD_US : 0,
    };
    made = ended = 0;
    kept = (struct held){.member = 0};
    kept_used = 0;
    most = MOST;
    resources = verd_resource_pool_new(&options);
    expect(resources != NULL, "no memory for a resource pool");
}

static void use(void)
{
    void *item;
    int expected = due();
    if (!judged("verd_resource_pool_get", expected, verd_resource_pool_get(resources, &item) == 0,
                EIO))
        return;
    bool *mine = item;
    expect(!*mine, "a resource is in two hands");
    *mine = true;
    linger();
    *mine = false;
    int given = one_in(5) ? verd_resource_pool_discard(resources, item)
                          : verd_resource_pool_put(resources, item);
    expect(given == 0, "a resource cannot be given back");
    expect(verd_resource_pool_used(resources) + verd_resource_pool_idle(resources) <= most,
           "more resources than there may be");
}

/* ---- a pool of one, whose only resource others fail to make ---- */

static int fail_once(void *ctx, void **item)
{
    bool *failed = ctx;
    linger();
    if (!*failed) {
        *failed = true;
        errno = EIO;
        return -1;
    }
    *item = failed;
    return 0;
}

static void *get_once(void *pool)
{
    void *item;
    int got;
    do {
        got = verd_resource_pool_get(pool, &item);
    } while (got != 0 && errno == EIO);
    if (got == 0)
        verd_resource_pool_put(pool, item);
    return pool;
}

/* A right that somebody has not used, is for the next in line. */
static void pass_right_on(void)
{
    bool failed = false;
    void *item;
    verd_resource_options options = {.create = fail_once, .ctx = &failed, .max = 1};
    verd_resource_pool *pool = verd_resource_pool_new(&options);
    verd_thread *helper = hire(get_once, pool);
    linger();
    int expected = due();
    if (judged("get", expected, verd_resource_pool_get(pool, &item) == 0, EIO))
        verd_resource_pool_put(pool, item);
    dismiss(helper);
    expect(verd_resource_pool_free(pool) == 0, "a right was lost");
}

/* All that nobody has can be had at once. */
static void take_all(void)
{
    void *items[MOST];
    size_t count = 0;
    while (count < MOST - kept_used - kept.resource) {
        if (verd_resource_pool_get(resources, &items[count]) == 0)
            count++;
        else
            expect(errno == EIO, "a resource cannot be had in the end");
    }
    while (count > 0)
        expect(verd_resource_pool_put(resources, items[--count]) == 0, "verd_resource_pool_put");
}

static void end(void)
{
    expect(verd_resource_pool_used(resources) == kept_used, "somebody has a resource in the end");
    expect(verd_resource_pool_waiting(resources) == 0, "somebody waits for a resource in the end");
    take_all();
    if (kept.any)
        return;
    expect(verd_resource_pool_free(resources) == 0, "a resource is not accounted for");
    expect(made == ended, "a resource was not ended");
}

static size_t count_handed(void)
{
    size_t count = 0;
    for (unsigned i = 0; i < made; i++)
        count += handed[i];
    return count;
}

/* Who is gone with a resource in hand keeps it; but not who was about to get, to make or to end one. */
static void forked(void)
{
    kept = *held();
    kept.any = true;
    kept_used = verd_resource_pool_used(resources);
    expect(kept_used >= count_handed() && kept_used <= MOST, "resources of those that are gone");
    expect(verd_resource_pool_waiting(resources) == 0, "somebody who is gone waits");
    ended = made - (unsigned)(kept_used + verd_resource_pool_idle(resources));
}

static void left(void)
{
    void *item;
    expect(verd_resource_pool_get(resources, &item) != 0 && errno == EPERM, "a get elsewhere");
    expect(verd_resource_pool_put(resources, resources) != 0 && errno == EPERM, "a put elsewhere");
    expect(verd_resource_pool_fill(resources) != 0 && errno == EPERM, "a fill elsewhere");
    expect(verd_resource_pool_free(resources) != 0 && errno == EPERM, "a free elsewhere");
}

const struct part fuzz_resources = {.begin = begin,
                                    .share = use,
                                    .scene = pass_right_on,
                                    .end = end,
                                    .forked = forked,
                                    .left = left};
