/* SPDX-License-Identifier: MIT */

/*
 * What an OS thread that has ended leaves behind. Whoever waited there waits no more; what was its own is
 * still its own, and nobody else's, even if the next OS thread has its memory where it had its own.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>

#include "caller.h"
#include "gone.h"

/* OS threads that come after it. */
#define LATER 3

static verd_thread *handle;
static verd_queue *queue;
static verd_pool *pool;
static verd_pile *pile;
static verd_imap *imap;
static verd_resource_pool *resources;
static verd_server *server;
static struct caller waiter;

/* ---- on the OS thread that ends ---- */

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void park_n(void *arg)
{
    park(arg);
}

static void leave_parked(void)
{
    handle = verd_spawn(park, NULL);
    callers_settle();
}

static void leave_unstarted(void)
{
    handle = verd_spawn(park, NULL);
}

static void *give_back(void *arg)
{
    return arg;
}

static void leave_ended(void)
{
    handle = verd_spawn(give_back, NULL);
    callers_settle();
}

static int get(struct caller *self)
{
    return verd_queue_get(queue, &self->item);
}

static void leave_a_getter(void)
{
    queue = verd_queue_new(1);
    caller_start(&waiter, get, NULL, NULL);
}

static int put(struct caller *self)
{
    return verd_queue_put(queue, self);
}

static void leave_a_putter(void)
{
    queue = verd_queue_new(0);
    caller_start(&waiter, put, NULL, NULL);
}

static int spawn(struct caller *self)
{
    return verd_pool_spawn_n(pool, park_n, self);
}

static void leave_a_pool(void)
{
    pool = verd_pool_new(1);
    pile = verd_pile_new(pool);
    verd_pile_spawn(pile, park, NULL);
    caller_start(&waiter, spawn, NULL, NULL);
}

static int endless(void *state, void **item)
{
    *item = state;
    return 1;
}

static void leave_an_imap(void)
{
    pool = verd_pool_new(1);
    imap = verd_pool_imap(pool, park, endless, NULL);
    callers_settle();
}

static int create(void *ctx, void **item)
{
    *item = ctx;
    return 0;
}

static int get_resource(struct caller *self)
{
    return verd_resource_pool_get(resources, &self->item);
}

static void leave_resources(void)
{
    static struct caller another;
    verd_resource_options options = {.create = create, .max = 1};
    resources = verd_resource_pool_new(&options);
    caller_start(&waiter, get_resource, NULL, NULL);
    caller_start(&another, get_resource, NULL, NULL);
}

static void handle_client(int client, void *ctx)
{
    (void)client, (void)ctx;
    verd_park();
}

static void leave_a_server(void)
{
    int listener = verd_listen("127.0.0.1", 0, 0);
    server = verd_serve(listener, handle_client, NULL, NULL);
    verd_connect("127.0.0.1", verd_port(listener));
    callers_settle();
}

/* ---- on one that comes later ---- */

static int use_wait(void)
{
    return verd_wait(handle, NULL);
}

static int use_join(void)
{
    return verd_join(handle, NULL);
}

static int use_kill(void)
{
    return verd_kill(handle);
}

static int use_cancel(void)
{
    return verd_cancel(handle);
}

static void never(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
}

static int use_link(void)
{
    return verd_link(handle, never, NULL);
}

static int use_unlink(void)
{
    return verd_unlink(handle, never, NULL);
}

static int use_stack_used(void)
{
    return (int)verd_stack_used(handle);
}

static int release_and_unpark(void)
{
    verd_release(handle);
    verd_unpark(handle);
    return 0;
}

static int use_put(void)
{
    return verd_queue_put(queue, NULL);
}

static int use_get(void)
{
    void *item;
    return verd_queue_get(queue, &item);
}

static int use_select(void)
{
    void *item;
    verd_case one = VERD_GET(queue, &item);
    return verd_select(&one, 1);
}

static int use_close(void)
{
    return verd_queue_close(queue);
}

static int use_spawn(void)
{
    return verd_pool_spawn_n(pool, park_n, NULL);
}

static int use_wait_all(void)
{
    return verd_pool_wait_all(pool);
}

static int use_pool_free(void)
{
    return verd_pool_free(pool);
}

static int use_pile_spawn(void)
{
    return verd_pile_spawn(pile, park, NULL);
}

static int use_pile_next(void)
{
    return verd_pile_next(pile, NULL);
}

static int use_imap_next(void)
{
    return verd_imap_next(imap, NULL);
}

static int use_resource_get(void)
{
    void *item;
    return verd_resource_pool_get(resources, &item);
}

static int use_resource_put(void)
{
    return verd_resource_pool_put(resources, NULL);
}

static int use_resource_free(void)
{
    return verd_resource_pool_free(resources);
}

static int use_serve_stop(void)
{
    return verd_serve_stop(server, 0);
}

static int use_serve_wait(void)
{
    return verd_serve_wait(server);
}

static int use_serve_free(void)
{
    return verd_serve_free(server);
}

static const struct leaving others[] = {
    {"wait for a parked thread", leave_parked, use_wait, STALE},
    {"wait for an unstarted thread", leave_unstarted, use_wait, STALE},
    {"wait for an ended thread", leave_ended, use_wait, STALE},
    {"join a parked thread", leave_parked, use_join, STALE},
    {"join an unstarted thread", leave_unstarted, use_join, STALE},
    {"join an ended thread", leave_ended, use_join, STALE},
    {"kill", leave_parked, use_kill, STALE},
    {"cancel", leave_unstarted, use_cancel, STALE},
    {"link", leave_parked, use_link, STALE},
    {"unlink", leave_parked, use_unlink, STALE},
    {"stack_used", leave_parked, use_stack_used, STALE},
    {"release and unpark", leave_parked, release_and_unpark, 0},
    {"queue_put", leave_a_getter, use_put, -EPERM},
    {"queue_get", leave_a_putter, use_get, -EPERM},
    {"select", leave_a_putter, use_select, -EPERM},
    {"queue_close", leave_a_putter, use_close, -EPERM},
    {"pool_spawn_n", leave_a_pool, use_spawn, -EPERM},
    {"pool_wait_all", leave_a_pool, use_wait_all, -EPERM},
    {"pool_free", leave_a_pool, use_pool_free, -EPERM},
    {"pile_spawn", leave_a_pool, use_pile_spawn, -EPERM},
    {"pile_next", leave_a_pool, use_pile_next, -EPERM},
    {"imap_next", leave_an_imap, use_imap_next, -EPERM},
    {"resource_pool_get", leave_resources, use_resource_get, -EPERM},
    {"resource_pool_put", leave_resources, use_resource_put, -EPERM},
    {"resource_pool_free", leave_resources, use_resource_free, -EPERM},
    {"serve_stop", leave_a_server, use_serve_stop, -EPERM},
    {"serve_wait", leave_a_server, use_serve_wait, -EPERM},
    {"serve_free", leave_a_server, use_serve_free, -EPERM},
};

#define OTHERS (sizeof others / sizeof *others)

static void *come_first(void *arg)
{
    ((const struct leaving *)arg)->leave();
    return NULL;
}

static void *come_later(void *arg)
{
    verd_yield(); /* has a scheduler of its own */
    return (void *)(intptr_t)caller_outcome(((const struct leaving *)arg)->use());
}

static int on_os_thread(void *(*fn)(void *), const struct leaving *leaving)
{
    pthread_t os_thread;
    void *result = NULL;
    pthread_create(&os_thread, NULL, fn, (void *)(uintptr_t)leaving);
    pthread_join(os_thread, &result);
    return (int)(intptr_t)result;
}

static bool is_expected(const struct leaving *leaving, int outcome)
{
    if (leaving->outcome == STALE)
        return outcome == -EPERM || outcome == -EINVAL;
    return outcome == leaving->outcome;
}

ParameterizedTestParameters(wait, what_an_os_thread_leaves_behind_is_nobody_elses)
{
    size_t count = OTHERS + left_to_sync_count;
    size_t *numbers = cr_malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, wait, what_an_os_thread_leaves_behind_is_nobody_elses)
{
    const struct leaving *leaving =
        *number < OTHERS ? &others[*number] : &left_to_sync[*number - OTHERS];
    on_os_thread(come_first, leaving);
    for (int i = 0; i < LATER; i++)
        cr_expect(is_expected(leaving, on_os_thread(come_later, leaving)), "%s", leaving->name);
    cr_expect(is_expected(leaving, (int)(intptr_t)come_later((void *)(uintptr_t)leaving)),
              "%s, on the first OS thread", leaving->name);
}
