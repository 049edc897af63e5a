/* SPDX-License-Identifier: MIT */
/* Resource pools: never more than there may be, each in one hand, and all ended in the end. */
#include "fuzz.h"

#define MOST 3
#define RESOURCES 512

static verd_resource_pool *resources;
static bool handed[RESOURCES]; /* by number */
static unsigned made, ended, most;

static int create(void *ctx, void **item)
{
    (void)ctx;
    linger();
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
    linger();
    shield_end();
    ended++;
}

static bool validate(void *ctx, void *item)
{
    (void)ctx;
    expect(!*(bool *)item, "a resource was asked that somebody has");
    linger();
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

static void end(void)
{
    expect(verd_resource_pool_used(resources) == 0, "somebody has a resource in the end");
    expect(verd_resource_pool_waiting(resources) == 0, "somebody waits for a resource in the end");
    expect(verd_resource_pool_free(resources) == 0, "a resource is not accounted for");
    expect(made == ended, "a resource was not ended");
}

const struct part fuzz_resources = {
    .begin = begin, .share = use, .scene = pass_right_on, .end = end};
